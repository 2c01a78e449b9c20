"""Where pods are described: in themselves and in the templates of workloads.

A template is read like a pod, so that a workload without pods shows what its pods would miss.
"""

from __future__ import annotations

from kubesteward_tools.world.relations.reading import at, mapping, mappings
from kubesteward_tools.world.store import Key, Object

_PATHS = {
    "pods": ("spec",),
    "deployments.apps": ("spec", "template", "spec"),
    "replicasets.apps": ("spec", "template", "spec"),
    "statefulsets.apps": ("spec", "template", "spec"),
    "daemonsets.apps": ("spec", "template", "spec"),
    "replicationcontrollers": ("spec", "template", "spec"),
    "jobs.batch": ("spec", "template", "spec"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template", "spec"),
    "rollouts.argoproj.io": ("spec", "template", "spec"),
    "scaledjobs.keda.sh": ("spec", "jobTargetRef", "template", "spec"),
}

POD_LIKE = tuple(_PATHS)
"""The resources that hold a pod spec."""

_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")


def pod_spec(key: Key, obj: Object) -> Object:
    """The PodSpec of a pod or of a workload's template, empty when there is none."""
    if key.resource == "pods":
        return mapping(obj.get("spec"))
    return at(obj, *_PATHS[key.resource])


def containers(spec: Object) -> list[Object]:
    """All containers of a PodSpec: the main ones, then init and ephemeral ones."""
    found: list[Object] = []
    for field in _CONTAINERS:
        if field in spec:
            found += mappings(spec[field])
    return found
