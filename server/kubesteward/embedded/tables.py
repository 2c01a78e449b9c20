"""Server-side printing: the Tables that `kubectl get` asks for. API doc: meta.k8s.io/v1 Table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubesteward_tools.twin import resources, selectors
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object

Cell = Callable[[Object, float], Any]
Column = tuple[str, int, Cell]


def duration(seconds: float) -> str:
    """As kubectl writes ages: 45s, 5m, 3h12m, 2d."""
    seconds = max(0, int(seconds))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{seconds}s"
    if minutes < 10:
        return f"{minutes}m{seconds % 60}s" if seconds % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    return f"{hours}h" if hours < 48 else f"{days}d"


def _age(obj: Object, now: float) -> str:
    stamp = obj["metadata"].get("creationTimestamp")
    return duration(now - parse_timestamp(stamp)) if stamp else "<unknown>"


def _at(*path: str, default: Any = "<none>") -> Cell:
    def cell(obj: Object, _: float) -> Any:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        return default if value is None or value == "" else value

    return cell


def _count(*path: str) -> Cell:
    return lambda obj, now: len(_at(*path, default=())(obj, now))


def _pairs(mapping: dict[str, Any] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((mapping or {}).items())) or "<none>"


def _containers(obj: Object) -> list[dict[str, Any]]:
    spec = obj.get("spec") or {}
    pod = (spec.get("template") or {}).get("spec") or spec
    return pod.get("containers") or []


def _names(obj: Object, _: float) -> str:
    return ",".join(item["name"] for item in _containers(obj)) or "<none>"


def _images(obj: Object, _: float) -> str:
    return ",".join(item.get("image", "") for item in _containers(obj)) or "<none>"


def _selector(obj: Object, _: float) -> str:
    return selectors.describe((obj.get("spec") or {}).get("selector"))


def _pod_ready(pod: Object, _: float) -> str:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return f"{sum(bool(item.get('ready')) for item in statuses)}/{len(pod['spec'].get('containers') or ())}"


def pod_status(pod: Object, _: float = 0) -> str:
    """The word that `kubectl get pods` shows: the phase, or what keeps a container from running."""
    status = pod.get("status") or {}
    word = status.get("reason") or status.get("phase", "Pending")
    for item in [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]:
        state = item.get("state") or {}
        if reason := (state.get("waiting") or {}).get("reason"):
            word = reason
        elif "terminated" in state:
            word = state["terminated"].get("reason") or f"ExitCode:{state['terminated'].get('exitCode')}"
    if "deletionTimestamp" in pod["metadata"]:
        return "Terminating"
    conditions = status.get("conditions") or ()
    if word == "Pending" and any(item.get("reason") == "SchedulingGated" for item in conditions):
        return "SchedulingGated"
    return str(word)


def _restarts(pod: Object, _: float) -> str:
    return str(sum(item.get("restartCount", 0) for item in (pod.get("status") or {}).get("containerStatuses") or ()))


def _node_status(node: Object, _: float) -> str:
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = next((item["status"] for item in conditions if item["type"] == "Ready"), "Unknown")
    word = "Ready" if ready == "True" else "NotReady"
    return f"{word},SchedulingDisabled" if node["spec"].get("unschedulable") else word


def _node_roles(node: Object, _: float) -> str:
    prefix = "node-role.kubernetes.io/"
    labels = node["metadata"].get("labels") or {}
    return ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or "<none>"


def _node_address(node: Object, _: float) -> str:
    addresses = (node.get("status") or {}).get("addresses") or ()
    return next((item["address"] for item in addresses if item["type"] == "InternalIP"), "<none>")


def _ports(service: Object, _: float) -> str:
    ports = service["spec"].get("ports") or ()
    shown = [
        f"{item['port']}{':' + str(item['nodePort']) if item.get('nodePort') else ''}/{item.get('protocol', 'TCP')}"
        for item in ports
    ]
    return ",".join(shown) or "<none>"


def _external(service: Object, _: float) -> str:
    return "<pending>" if service["spec"].get("type") == "LoadBalancer" else "<none>"


def _deployment_ready(obj: Object, _: float) -> str:
    return f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 0)}"


def _endpoint_addresses(obj: Object, _: float) -> str:
    addresses = [address for item in obj.get("endpoints") or () for address in item["addresses"]]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    return ",".join(addresses[:3]) + more or "<unset>"


def _slice_ports(obj: Object, _: float) -> str:
    return ",".join(str(item.get("port")) for item in obj.get("ports") or ()) or "<unset>"


def _quota(part: str) -> Cell:
    def cell(obj: Object, _: float) -> str:
        hard = (obj.get("status") or {}).get("hard") or {}
        used = (obj.get("status") or {}).get("used") or {}
        chosen = [key for key in sorted(hard) if key.startswith("limits.") == (part == "limits")]
        return ", ".join(f"{key}: {used.get(key, 0)}/{hard[key]}" for key in chosen)

    return cell


def _last_seen(event: Object, now: float) -> str:
    stamp = event.get("lastTimestamp") or event["metadata"].get("creationTimestamp")
    return duration(now - parse_timestamp(stamp)) if stamp else "<unknown>"


def _about(event: Object, _: float) -> str:
    about = event.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _role(obj: Object, _: float) -> str:
    return f"{obj['roleRef']['kind']}/{obj['roleRef']['name']}"


_NAME: Column = ("Name", 0, lambda obj, _: obj["metadata"]["name"])
_AGE: Column = ("Age", 0, _age)
_DESIRED = _at("spec", "replicas", default=0)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "pods": (
        ("Ready", 0, _pod_ready),
        ("Status", 0, pod_status),
        ("Restarts", 0, _restarts),
        _AGE,
        ("IP", 1, _at("status", "podIP")),
        ("Node", 1, _at("spec", "nodeName")),
        ("Nominated Node", 1, _at("status", "nominatedNodeName")),
        ("Readiness Gates", 1, lambda obj, _: "<none>"),
    ),
    "deployments.apps": (
        ("Ready", 0, _deployment_ready),
        ("Up-to-date", 0, _at("status", "updatedReplicas", default=0)),
        ("Available", 0, _at("status", "availableReplicas", default=0)),
        _AGE,
        ("Containers", 1, _names),
        ("Images", 1, _images),
        ("Selector", 1, _selector),
    ),
    "replicasets.apps": (
        ("Desired", 0, _DESIRED),
        ("Current", 0, _at("status", "replicas", default=0)),
        ("Ready", 0, _at("status", "readyReplicas", default=0)),
        _AGE,
        ("Containers", 1, _names),
        ("Images", 1, _images),
        ("Selector", 1, _selector),
    ),
    "statefulsets.apps": (("Ready", 0, _deployment_ready), _AGE, ("Containers", 1, _names), ("Images", 1, _images)),
    "services": (
        ("Type", 0, _at("spec", "type")),
        ("Cluster-IP", 0, _at("spec", "clusterIP")),
        ("External-IP", 0, _external),
        ("Port(s)", 0, _ports),
        _AGE,
        ("Selector", 1, lambda obj, _: _pairs(obj["spec"].get("selector"))),
    ),
    "nodes": (
        ("Status", 0, _node_status),
        ("Roles", 0, _node_roles),
        _AGE,
        ("Version", 0, _at("status", "nodeInfo", "kubeletVersion")),
        ("Internal-IP", 1, _node_address),
        ("External-IP", 1, lambda obj, _: "<none>"),
        ("OS-Image", 1, _at("status", "nodeInfo", "osImage")),
        ("Kernel-Version", 1, _at("status", "nodeInfo", "kernelVersion")),
        ("Container-Runtime", 1, _at("status", "nodeInfo", "containerRuntimeVersion")),
    ),
    "namespaces": (("Status", 0, _at("status", "phase")), _AGE),
    "events": (
        ("Last Seen", 0, _last_seen),
        ("Type", 0, _at("type")),
        ("Reason", 0, _at("reason")),
        ("Object", 0, _about),
        ("Message", 0, _at("message")),
    ),
    "configmaps": (("Data", 0, _count("data")), _AGE),
    "secrets": (("Type", 0, _at("type")), ("Data", 0, _count("data")), _AGE),
    "serviceaccounts": (("Secrets", 0, _count("secrets")), _AGE),
    "poddisruptionbudgets.policy": (
        ("Min Available", 0, _at("spec", "minAvailable", default="N/A")),
        ("Max Unavailable", 0, _at("spec", "maxUnavailable", default="N/A")),
        ("Allowed Disruptions", 0, _at("status", "disruptionsAllowed", default=0)),
        _AGE,
    ),
    "resourcequotas": (("Request", 0, _quota("requests")), ("Limit", 0, _quota("limits")), _AGE),
    "endpointslices.discovery.k8s.io": (
        ("AddressType", 0, _at("addressType")),
        ("Ports", 0, _slice_ports),
        ("Endpoints", 0, _endpoint_addresses),
        _AGE,
    ),
    "rolebindings.rbac.authorization.k8s.io": (("Role", 0, _role), _AGE),
    "clusterrolebindings.rbac.authorization.k8s.io": (("Role", 0, _role), _AGE),
    "persistentvolumeclaims": (
        ("Status", 0, _at("status", "phase")),
        ("Volume", 0, _at("spec", "volumeName", default="")),
        ("Capacity", 0, _at("status", "capacity", "storage", default="")),
        ("StorageClass", 0, _at("spec", "storageClassName", default="")),
        _AGE,
    ),
}


def table(
    resource: str, items: list[Object], metadata: dict[str, Any], now: float, include: str = "Metadata"
) -> Object:
    """A Table; `include` is the includeObject parameter (None, Metadata, Object)."""
    own = COLUMNS.get(resource, (_AGE,))
    columns: tuple[Column, ...] = own if resource == "events" else (_NAME, *own)
    definitions = [
        {
            "name": name,
            "type": "string",
            "format": "name" if name == "Name" else "",
            "description": "",
            "priority": priority,
        }
        for name, priority, _ in columns
    ]
    rows = [
        {"cells": [cell(obj, now) for _, _, cell in columns], "object": _object(resource, obj, include)}
        for obj in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    }


def _object(resource: str, obj: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        kind = resources.by_resource(resource)
        return {"kind": kind.kind, "apiVersion": kind.api_version, **obj} if kind else obj
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
