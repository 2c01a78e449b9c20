"""From a kind, as references write it, to the resource that keys the store."""

from __future__ import annotations

from kubesteward_tools.twin.resources import by_resource
from kubesteward_tools.world.kinds import guessed
from kubesteward_tools.world.relations.edge import Kinds

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
    if known := _KNOWN.get((group, kind)):
        return known
    found = kinds(group, kind)
    return found.resource if found else guessed(group, kind)


def is_namespaced(group: str, kind: str, kinds: Kinds) -> bool:
    """As the cluster tells, else as built in; what nobody knows is taken for namespaced."""
    if (group, kind) in _KNOWN:  # nearly all owners
        return kind != "Node"
    found = kinds(group, kind) or by_resource(resource_of(group, kind, kinds))
    return found is None or found.namespaced


def group_of(api_version: str) -> str:
    """The group of an apiVersion: "apps" of "apps/v1", "" of "v1"."""
    return api_version.rpartition("/")[0]
