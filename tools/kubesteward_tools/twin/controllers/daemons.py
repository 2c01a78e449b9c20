"""Which nodes a DaemonSet serves, and with what pod. Pure. Docs: "DaemonSet: How Daemon Pods are scheduled"."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.controllers.base import owner_reference
from kubesteward_tools.twin.controllers.revisions import POD_LABEL
from kubesteward_tools.twin.controllers.rollout import resolve
from kubesteward_tools.twin.scheduling.affinity import matches_node, named_nodes
from kubesteward_tools.twin.scheduling.taints import tolerated
from kubesteward_tools.world.store import Object

GENERATION = "deprecated.daemonset.template.generation"
"""The annotation in which the API server counts the templates that a DaemonSet has had."""
_POD_GENERATION = "pod-template-generation"
_STAYS = [
    *(
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoExecute"}
        for name in ("not-ready", "unreachable")
    ),
    *(
        {"key": f"node.kubernetes.io/{name}", "operator": "Exists", "effect": "NoSchedule"}
        for name in ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable")
    ),
]
_OWN_NETWORK = {"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"}


def tolerations(spec: Object) -> list[dict[str, Any]]:
    """A template's own, and those that let daemons stay where other pods must leave."""
    own = list(spec.get("tolerations") or ())
    added = [*_STAYS, *([_OWN_NETWORK] if spec.get("hostNetwork") else [])]
    return own + [item for item in added if item not in own]


def fits(daemon_set: Object, node: Object) -> tuple[bool, bool]:
    """(a pod shall be there, one that is there may stay): NoSchedule taints keep new ones away only."""
    spec = daemon_set["spec"]["template"]["spec"]
    daemon = {"metadata": {}, "spec": {**spec, "tolerations": tolerations(spec)}}
    if spec.get("nodeName") not in {None, "", node["metadata"]["name"]} or not matches_node(daemon, node):
        return False, False
    against = [taint for taint in node["spec"].get("taints") or () if not tolerated(daemon, taint)]
    effects = {taint["effect"] for taint in against} - {"PreferNoSchedule"}
    return not effects, "NoExecute" not in effects


def pod(daemon_set: Object, node: str, mark: str) -> Object:
    """The pod for one node: the scheduler binds it, but nowhere else."""
    template = daemon_set["spec"]["template"]
    metadata, spec = template.get("metadata") or {}, template["spec"]
    labels = {**(metadata.get("labels") or {}), POD_LABEL: mark}
    if generation := generation_of(daemon_set):
        labels[_POD_GENERATION] = generation
    return {
        "metadata": {
            "generateName": f"{daemon_set['metadata']['name']}-",
            "labels": labels,
            **({"annotations": dict(metadata["annotations"])} if metadata.get("annotations") else {}),
            **({"finalizers": metadata["finalizers"]} if metadata.get("finalizers") else {}),
            "ownerReferences": [owner_reference(daemon_set)],
        },
        "spec": {**spec, "affinity": _only_on(node, spec), "tolerations": tolerations(spec)},
    }


def _only_on(node: str, spec: Object) -> dict[str, Any]:
    """What the template requires of nodes has been seen to; only the name is left. Preferences stay."""
    affinity = spec.get("affinity") or {}
    here = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [here]}}
    return {**affinity, "nodeAffinity": {**(affinity.get("nodeAffinity") or {}), **required}}


def node_of(pod: Object) -> str:
    """Where it is, or where alone it can go."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    names = named_nodes(pod)
    return next(iter(names), "") if names else ""


def generation_of(daemon_set: Object) -> str:
    return str((daemon_set["metadata"].get("annotations") or {}).get(GENERATION, ""))


def is_updated(daemon_set: Object, pod: Object, mark: str) -> bool:
    """By the revision's hash, or by the count of templates."""
    labels, generation = pod["metadata"].get("labels") or {}, generation_of(daemon_set)
    return labels.get(POD_LABEL) == mark or bool(generation and labels.get(_POD_GENERATION) == generation)


def bounds(daemon_set: Object, desired: int) -> tuple[int, int]:
    """(max surge, max unavailable) of that many pods; if both come out as zero, one may be unavailable."""
    rolling = (daemon_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    surge = resolve(rolling.get("maxSurge", 0), desired, up=True)
    unavailable = resolve(rolling.get("maxUnavailable", 1), desired, up=True)
    return surge, unavailable or (0 if surge or not desired else 1)


def may_surge(daemon_set: Object) -> bool:
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    return strategy.get("type") != "OnDelete" and str((strategy.get("rollingUpdate") or {}).get("maxSurge", 0)) not in {
        "0",
        "0%",
    }
