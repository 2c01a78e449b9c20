"""From a kind, as references write it, to the resource that keys the store."""

from __future__ import annotations

from kubesteward_tools.world.relations.edge import Kinds

CLUSTER_SCOPED = frozenset(
    {
        "nodes",
        "namespaces",
        "persistentvolumes",
        "storageclasses.storage.k8s.io",
        "priorityclasses.scheduling.k8s.io",
        "ingressclasses.networking.k8s.io",
        "clusterroles.rbac.authorization.k8s.io",
        "clusterrolebindings.rbac.authorization.k8s.io",
        "customresourcedefinitions.apiextensions.k8s.io",
        "apiservices.apiregistration.k8s.io",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    }
)
"""Built-in resources that own others and have no namespace."""

_KNOWN = {
    ("", "Node"): "nodes",
    ("", "Pod"): "pods",
    ("", "Service"): "services",
    ("", "Secret"): "secrets",
    ("", "ConfigMap"): "configmaps",
    ("", "Endpoints"): "endpoints",
    ("", "ReplicationController"): "replicationcontrollers",
    ("apps", "ReplicaSet"): "replicasets.apps",
    ("apps", "Deployment"): "deployments.apps",
    ("apps", "DaemonSet"): "daemonsets.apps",
    ("apps", "StatefulSet"): "statefulsets.apps",
    ("batch", "Job"): "jobs.batch",
    ("batch", "CronJob"): "cronjobs.batch",
}


def resource_of(group: str, kind: str, kinds: Kinds) -> str:
    """The resource of a kind: as built in, as the cluster tells, or else a guess at the plural."""
    return _KNOWN.get((group, kind)) or kinds(group, kind) or _guess(group, kind)


def group_of(api_version: str) -> str:
    """The group of an apiVersion: "apps" of "apps/v1", "" of "v1"."""
    return api_version.rpartition("/")[0]


def _guess(group: str, kind: str) -> str:
    plural = _plural(kind.lower())
    return f"{plural}.{group}" if group else plural


def _plural(singular: str) -> str:
    if singular.endswith(("s", "x", "z", "ch", "sh")):
        return singular + "es"
    if singular.endswith("y") and singular[-2:-1] not in {*"aeiou"}:
        return singular[:-1] + "ies"
    return singular + "s"
