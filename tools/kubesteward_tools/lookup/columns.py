"""The columns in which objects of each kind are listed, close to kubectl's, with ages instead of timestamps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubesteward_tools.lookup import states
from kubesteward_tools.text.ages import ago
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.selectors import describe
from kubesteward_tools.world.store import Object

Cell = Callable[[Object], Any]
Columns = tuple[tuple[str, Cell], ...]


def born(obj: Object) -> float:
    """Epoch seconds of its creation, 0.0 when it does not say."""
    try:
        return parse_timestamp(str(obj["metadata"]["creationTimestamp"]))
    except (KeyError, ValueError):
        return 0.0


def age(obj: Object, now: float) -> str:
    created = born(obj)
    return ago(now - created) if created else ""


def at(*path: str) -> Cell:
    """The value at a path, "" when there is none."""

    def cell(obj: Object) -> Any:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return "" if value is None else value

    return cell


def _ready(obj: Object) -> str:
    ready, wanted = states.counts(obj)
    return f"{ready}/{wanted}"


def _pod_ready(pod: Object) -> str:
    found = states.status(pod).get("containerStatuses") or ()
    return f"{sum(bool(item.get('ready')) for item in found)}/{len(states.spec(pod).get('containers') or found)}"


def pod_spec(obj: Object) -> dict[str, Any]:
    """A pod's spec, a workload's template's, a CronJob's job's; {} elsewhere."""
    found = states.spec(obj)
    found = (found.get("jobTemplate") or {}).get("spec") or found
    return (found.get("template") or {}).get("spec") or (found if "containers" in found else {})


def _images(obj: Object) -> str:
    return ",".join(item.get("image", "") for item in pod_spec(obj).get("containers") or ())


def _labels(obj: Object) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((obj["metadata"].get("labels") or {}).items()))


def _ports(obj: Object) -> str:
    return ",".join(f"{item.get('port')}/{item.get('protocol', 'TCP')}" for item in states.spec(obj).get("ports") or ())


def _plain_selector(obj: Object) -> str:
    return describe({"matchLabels": states.spec(obj).get("selector")})


def _selector(obj: Object) -> str:
    return describe(states.spec(obj).get("selector"))


def _keys(obj: Object) -> int:
    return len(obj.get("data") or {}) + len(obj.get("binaryData") or {})


def _limits(obj: Object) -> str:
    hard, used = states.status(obj).get("hard") or {}, states.status(obj).get("used") or {}
    return ", ".join(f"{name} {used.get(name, '0')}/{value}" for name, value in sorted(hard.items()))


def _scaled(obj: Object) -> str:
    reference = states.spec(obj).get("scaleTargetRef") or {}
    return f"{reference.get('kind', '')}/{reference.get('name', '')}"


def _range(obj: Object) -> str:
    return f"{states.spec(obj).get('minReplicas', 1)}-{states.spec(obj).get('maxReplicas', '?')}"


def _hosts(obj: Object) -> str:
    return ",".join(item.get("host", "*") for item in states.spec(obj).get("rules") or ())


def _subjects(obj: Object) -> str:
    return ",".join(f"{item.get('kind')}/{item.get('name')}" for item in obj.get("subjects") or ())


def _about(event: Object) -> str:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return f"{about.get('kind', '')}/{about.get('name', '')}"


_STATUS: Columns = (("status", states.word),)
_WORKLOAD: Columns = (("ready", _ready), *_STATUS)
_WIDE_WORKLOAD: Columns = (("images", _images), ("selector", _selector))

CONCISE: dict[str, Columns] = {
    "Pod": (("ready", _pod_ready), *_STATUS, ("restarts", states.restarts)),
    "Deployment": (*_WORKLOAD, ("up_to_date", at("status", "updatedReplicas"))),
    "StatefulSet": _WORKLOAD,
    "ReplicaSet": _WORKLOAD,
    "ReplicationController": _WORKLOAD,
    "DaemonSet": _WORKLOAD,
    "Job": (*_STATUS, ("succeeded", at("status", "succeeded")), ("failed", at("status", "failed"))),
    "CronJob": (("schedule", at("spec", "schedule")), ("suspend", at("spec", "suspend"))),
    "Node": (*_STATUS, ("version", at("status", "nodeInfo", "kubeletVersion"))),
    "Service": (("type", at("spec", "type")), ("cluster_ip", at("spec", "clusterIP")), ("ports", _ports)),
    "Ingress": (("class", at("spec", "ingressClassName")), ("hosts", _hosts)),
    "ConfigMap": (("keys", _keys),),
    "Secret": (("type", at("type")), ("keys", _keys)),
    "PersistentVolumeClaim": (*_STATUS, ("volume", at("spec", "volumeName"))),
    "ResourceQuota": (("used", _limits),),
    "HorizontalPodAutoscaler": (
        ("target", _scaled),
        ("range", _range),
        ("replicas", at("status", "currentReplicas")),
    ),
    "PodDisruptionBudget": (
        ("min_available", at("spec", "minAvailable")),
        ("max_unavailable", at("spec", "maxUnavailable")),
        ("allowed", at("status", "disruptionsAllowed")),
    ),
    "Event": (("type", states.word), ("reason", at("reason")), ("object", _about), ("message", at("message"))),
    "RoleBinding": (("role", at("roleRef", "name")), ("subjects", _subjects)),
    "ClusterRoleBinding": (("role", at("roleRef", "name")), ("subjects", _subjects)),
}

_WIDE: dict[str, Columns] = {
    "Pod": (("node", at("spec", "nodeName")), ("ip", at("status", "podIP")), ("images", _images), ("why", states.why)),
    **dict.fromkeys(("Deployment", "StatefulSet", "ReplicaSet", "DaemonSet"), _WIDE_WORKLOAD),
    "Job": (("images", _images),),
    "CronJob": (("images", _images),),
    "Node": (
        ("cpu", at("status", "allocatable", "cpu")),
        ("memory", at("status", "allocatable", "memory")),
        ("runtime", at("status", "nodeInfo", "containerRuntimeVersion")),
    ),
    "Service": (("selector", _plain_selector),),
    "PodDisruptionBudget": (("selector", _selector),),
}


def columns(kind: str, *, wide: bool = False) -> Columns:
    """Heads and cells for a kind, without name, namespace and age, which every kind has."""
    narrow = CONCISE.get(kind, _STATUS)
    return (*narrow, *_WIDE.get(kind, ()), ("labels", _labels)) if wide else narrow
