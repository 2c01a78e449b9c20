"""Kinds as people write them in sentences."""

from __future__ import annotations

import re

KINDS: dict[str, str] = {
    "pod": "Pod",
    "deployment": "Deployment",
    "deploy": "Deployment",
    "replicaset": "ReplicaSet",
    "replica set": "ReplicaSet",
    "statefulset": "StatefulSet",
    "stateful set": "StatefulSet",
    "daemonset": "DaemonSet",
    "daemon set": "DaemonSet",
    "job": "Job",
    "cronjob": "CronJob",
    "service": "Service",
    "svc": "Service",
    "ingress": "Ingress",
    "configmap": "ConfigMap",
    "config map": "ConfigMap",
    "secret": "Secret",
    "node": "Node",
    "namespace": "Namespace",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "pvc": "PersistentVolumeClaim",
    "persistentvolume": "PersistentVolume",
    "serviceaccount": "ServiceAccount",
    "service account": "ServiceAccount",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "hpa": "HorizontalPodAutoscaler",
    "poddisruptionbudget": "PodDisruptionBudget",
    "pdb": "PodDisruptionBudget",
    "networkpolicy": "NetworkPolicy",
    "network policy": "NetworkPolicy",
    "resourcequota": "ResourceQuota",
    "limitrange": "LimitRange",
    "storageclass": "StorageClass",
}
CLUSTER_WIDE = frozenset({"Node", "Namespace", "PersistentVolume", "StorageClass"})
WORKLOADS = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"})

_KIND = "|".join(sorted(map(re.escape, KINDS), key=len, reverse=True))
NAME = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?"
REFERENCE = re.compile(
    rf"(?<![\w/.-])(?P<kind>{_KIND})s?(?P<gap>/|\s+(?:named\s+|called\s+)?)"
    rf"(?P<quote>['\"`]?)(?:(?P<space>{NAME})/)?(?P<name>{NAME})(?P=quote)(?![\w/(]|[.-]\w)",
    re.I,
)
"""A kind with a name beside it, as in `Deployment shop/web`, `pod 'web-1'` or `deploy/web`."""
PLACED = re.compile(rf"(?<![\w/:.@-])(?P<space>{NAME})/(?P<name>{NAME})(?![\w/:@])")
"""Namespace and name without a kind."""

BEHIND = re.compile(rf"['\"`*]*\s+(?P<kind>{_KIND})s?\b", re.I)
"""A kind behind a name."""
HASHED = re.compile(r"(?P<set>[a-z][a-z0-9-]*-(?=[a-z]*[0-9])(?=[0-9]*[a-z])[a-z0-9]{8,10})-[a-z0-9]{5}")
"""How the pods of ReplicaSets are named: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/."""

NODE_LIKE = re.compile(r"(?:[a-z]+-)*(?:node|worker|master|control-plane)-?\d+")


def kind_of(word: str) -> str:
    """The kind that a word stands for, "" for none."""
    lower = " ".join(word.lower().split())
    return KINDS.get(lower) or KINDS.get(lower.removesuffix("s"), "")
