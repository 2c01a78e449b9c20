"""What two objects would mean to a cluster, compared: defaults are filled in on both sides, quantities are numbers,
lists of named things go by name, and what a server or a controller writes by itself is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from kubesteward_tools.twin import defaults
from kubesteward_tools.world.diff import Difference, differences
from kubesteward_tools.world.store import Object

HIDDEN = "[REDACTED], another value"
_WRITTEN = frozenset(
    {"resourceVersion", "generation", "managedFields", "uid", "creationTimestamp", "selfLink", "ownerReferences"}
)
_NOTES = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/storage-provisioner",
    "deprecated.daemonset.template.generation",
    "control-plane.alpha.kubernetes.io/",
)
_HASHES = frozenset({"pod-template-hash", "controller-revision-hash", "pod-template-generation"})
_ASSIGNED: Mapping[str, tuple[str, ...]] = {
    "Service": (
        "clusterIP",
        "clusterIPs",
        "ipFamilies",
        "ipFamilyPolicy",
        "healthCheckNodePort",
        "internalTrafficPolicy",
    ),
    "Pod": ("nodeName", "serviceAccount", "priority", "preemptionPolicy", "enableServiceLinks", "tolerations"),
    "PersistentVolumeClaim": ("volumeName", "volumeMode"),
    "Namespace": ("finalizers",),
}
"""What a server gives an object of its own: no difference to a manifest or to another cluster's."""
_EMPTY: tuple[Any, ...] = ({}, [], None, "")
_VALUES = ("data", "stringData")


def meaning(obj: Object, resource: str, *, foreign: bool, status: bool, part: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object without noise. `foreign` says that the other one is not of this cluster, `part` is a path to what
    alone is compared."""
    found = copy.deepcopy({key: value for key, value in obj.items() if status or key != "status"})
    _fill(resource, found)
    metadata = found.get("metadata") or {}
    found["metadata"] = {key: value for key, value in metadata.items() if key not in _WRITTEN and not _is_empty(value)}
    if notes := metadata.get("annotations"):
        found["metadata"]["annotations"] = {key: note for key, note in notes.items() if not key.startswith(_NOTES)}
    if foreign:
        for name in _ASSIGNED.get(str(obj.get("kind")), ()):
            (found.get("spec") or {}).pop(name, None)
    if foreign and obj.get("kind") == "Service":
        for port in (found.get("spec") or {}).get("ports") or ():
            port.pop("nodePort", None)
    for name in _HASHES:
        for holder in (found["metadata"], _template(found).get("metadata") or {}):
            (holder.get("labels") or {}).pop(name, None)
    return _only(_without_empty(found), part)


def _fill(resource: str, obj: dict[str, Any]) -> None:
    try:
        defaults.fill(resource, obj)
    except (KeyError, TypeError, ValueError, AttributeError):
        return  # a manifest that no server would take is compared as it is written


def _template(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    spec = obj.get("spec")
    template = spec.get("template") if isinstance(spec, Mapping) else None
    return template if isinstance(template, Mapping) else {}


def _is_empty(value: Any) -> bool:
    return any(value is item or value == item for item in _EMPTY) and value is not False


def _without_empty(value: Any) -> Any:
    """An empty list or mapping means the same as none."""
    if isinstance(value, Mapping):
        found = {key: _without_empty(item) for key, item in value.items()}
        return {key: item for key, item in found.items() if item not in ({}, [], None)}
    return [_without_empty(item) for item in value] if isinstance(value, list) else value


def _only(obj: dict[str, Any], part: tuple[str, ...]) -> dict[str, Any]:
    value: Any = obj
    for step in part:
        value = value.get(step) if isinstance(value, Mapping) else None
    if not part:
        return obj
    found: Any = value or {}
    for step in reversed(part):
        found = {step: found}
    return dict(found)


def compared(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    """Differences of two meanings, their values without secrets; a secret that is another one is told as such."""
    from kubesteward_tools.text.redact import redact_object

    shown = {item.path: item for item in differences(redact_object(a), redact_object(b))}
    found = []
    for item in differences(dict(a), dict(b)):
        seen = shown.get(item.path)
        found.append(seen if seen is not None else Difference(item.path, "[REDACTED]", HIDDEN))
    return found


def names_only(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A Secret with the names of its values: these are never compared with what is not the same cluster's."""
    held = {name for key in _VALUES for name in obj.get(key) or ()}
    return {
        **{key: item for key, item in obj.items() if key not in _VALUES},
        "data": dict.fromkeys(sorted(held), "set"),
    }
