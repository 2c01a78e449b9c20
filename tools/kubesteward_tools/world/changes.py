"""What a write means to people: rollouts, scalings, configuration, nodes that fail, containers that end.

Each rule looks at one change and says its kind and one line, or nothing; the first that speaks is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from kubesteward_tools.text.redact import redact, secret_name
from kubesteward_tools.world.diff import Difference, differences
from kubesteward_tools.world.history import Change, is_another
from kubesteward_tools.world.store import Object

Kind = Literal[
    "created", "deleted", "rollout", "restart", "scale", "config", "node", "container", "status", "warning", "change"
]
TEMPLATED = frozenset({"deployments.apps", "statefulsets.apps", "daemonsets.apps"})
_CONFIG = frozenset({"configmaps", "secrets"})
_RESTARTED = "spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt"
_SHOWN = 4
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Told:
    """A change in words. `grave`: it is what somebody who looks for a cause would look at first."""

    kind: Kind
    text: str
    grave: bool = True


def told(change: Change) -> Told:
    for rule in _RULES:
        found = rule(change)
        if found is not None:
            return found
    return Told("change", _listed(change.differences), grave=not _only_status(change))


def _came_or_went(change: Change) -> Told | None:
    """What a controller makes and takes away is routine: the cause is above it."""
    if change.before is None:
        return Told("created", "created", grave=not is_owned(change.after))
    if change.after is None:
        return Told("deleted", "deleted", grave=not is_owned(change.before))
    if is_another(change.before, change.after):
        return Told("created", "deleted and created again", grave=not is_owned(change.after))
    return None


def is_owned(obj: Object | None) -> bool:
    """Whether a controller keeps the object."""
    owners = _field(obj, "metadata", "ownerReferences") or ()
    return any(_mapping(item).get("controller") for item in owners)


def _controlled(change: Change) -> Told | None:
    """Of a ReplicaSet below a Deployment, which scales it all the time."""
    if change.key.resource == "replicasets.apps" and is_owned(change.after):
        return Told("change", _listed(change.differences), grave=False)
    return None


def _deleting(change: Change) -> Told | None:
    if any(item.path == "metadata.deletionTimestamp" for item in change.differences):
        return Told("deleted", "is being deleted", grave=not is_owned(change.after))
    return None


def _rollout(change: Change) -> Told | None:
    if change.key.resource not in TEMPLATED:
        return None
    return _of_template([item for item in change.differences if item.path.startswith("spec.template.")])


def told_templates(before: Object, after: Object) -> Told:
    """What a rollout from one owner of a pod template to the next one was about."""
    old, new = ({"spec": {"template": _field(item, "spec", "template")}} for item in (before, after))
    found = [item for item in differences(old, new) if not item.path.endswith("pod-template-hash")]
    return _of_template(found) or Told("rollout", "the same template again")


def _of_template(template: list[Difference]) -> Told | None:
    if not template:
        return None
    if all(item.path == _RESTARTED for item in template):
        return Told("restart", "restarted: same template, new pods")
    return Told("rollout", _listed(template, strip="spec.template.spec."))


def _scale(change: Change) -> Told | None:
    for item in change.differences:
        if item.path in {"spec.replicas", "spec.minReplicas", "spec.maxReplicas"}:
            return Told("scale", _said(item, strip="spec."))
    return None


def _config(change: Change) -> Told | None:
    """Names of keys only: values of a ConfigMap may be as secret as those of a Secret."""
    if change.key.resource not in _CONFIG:
        return None
    keys = sorted(_config_keys(change.differences))
    return Told("config", f"new content: {', '.join(keys[:8])}") if keys else None


def _config_keys(found: Iterable[Difference]) -> Iterator[str]:
    for item in found:
        field, dot, key = item.path.partition(".")
        if field not in {"data", "binaryData", "stringData"}:
            continue
        if dot:
            yield key
        else:
            yield from {*_mapping(item.before), *_mapping(item.after)}


def _node(change: Change) -> Told | None:
    if change.key.resource != "nodes":
        return None
    found = [
        item for item in change.differences if item.path == "spec.unschedulable" or item.path.startswith("spec.taints")
    ]
    if any(item.path == "spec.unschedulable" for item in found):
        return Told("node", "cordoned" if _field(change.after, "spec", "unschedulable") else "uncordoned")
    conditions = [item for item in change.differences if item.path.startswith("status.conditions[")]
    words = [_condition(item) for item in conditions if item.path.endswith(".status")]
    if words or found:
        return Told("node", "; ".join(words) or _listed(found))
    return Told("node", _listed(change.differences), grave=False) if _only_status(change) else None


def _condition(item: Difference) -> str:
    name = item.path.partition("[")[2].partition("]")[0]
    return f"{name} {item.before} -> {item.after}"


def _container(change: Change) -> Told | None:
    """A container of a pod that ended, waits or runs again."""
    if change.key.resource != "pods":
        return None
    before, after = (_containers(item) for item in (change.before, change.after))
    for name, status in after.items():
        text = _ended(before.get(name) or {}, status)
        if text:
            return Told("container", f"{name} {text}")
    return None


def _ended(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if (after.get("restartCount") or 0) > (before.get("restartCount") or 0):
        ended = _mapping(_mapping(after.get("lastState")).get("terminated"))
        why = f": {ended.get('reason', 'ended')}, exit code {ended.get('exitCode')}" if ended else ""
        return f"restarted ({after.get('restartCount')} times){why}"
    was, is_now = (_mapping(_mapping(item.get("state")).get("waiting")) for item in (before, after))
    if is_now.get("reason") and is_now.get("reason") != was.get("reason"):
        return "" if is_now["reason"] in {"ContainerCreating", "PodInitializing"} else f"waits: {is_now['reason']}"
    ended = _mapping(_mapping(after.get("state")).get("terminated"))
    if ended and not _mapping(before.get("state")).get("terminated"):
        return f"ended: {ended.get('reason', '')}, exit code {ended.get('exitCode')}"
    return ""


def _containers(pod: Object | None) -> dict[str, Mapping[str, Any]]:
    status = _mapping((pod or {}).get("status"))
    listed = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return {str(item.get("name")): item for item in listed if isinstance(item, Mapping)}


def _readiness(change: Change) -> Told | None:
    if change.key.resource != "pods":
        return None
    for item in change.differences:
        if item.path == "spec.nodeName":
            return Told("status", f"scheduled on {item.after}", grave=False)
    for item in change.differences:
        if item.path == "status.conditions[Ready].status":
            return Told("status", "ready" if item.after == "True" else "not ready any more", grave=item.after != "True")
    for item in change.differences:
        if item.path == "status.phase":
            return Told("status", f"phase {item.before} -> {item.after}", grave=item.after == "Failed")
    return Told("status", _listed(change.differences), grave=False) if _only_status(change) else None


_RULES: tuple[Callable[[Change], Told | None], ...] = (
    _came_or_went,
    _controlled,
    _rollout,
    _scale,
    _config,
    _node,
    _container,
    _deleting,
    _readiness,
)


def _only_status(change: Change) -> bool:
    return all(item.path.startswith("status") for item in change.differences)


def _listed(found: Iterable[Difference], strip: str = "") -> str:
    items = sorted(found, key=lambda item: (_is_side_note(item.path), item.path))
    more = f"; {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(_said(item, strip) for item in items[:_SHOWN]) + more


def _is_side_note(path: str) -> bool:
    return ".annotations." in path or ".labels." in path or "status.conditions[" in path


def _said(item: Difference, strip: str = "") -> str:
    path = item.path.removeprefix(strip)
    if _is_secret(path):
        return f"{path} changed"
    if item.before is None:
        return f"{path} = {_value(item.after)}"
    if item.after is None:
        return f"{path} removed (was {_value(item.before)})"
    return f"{path} {_value(item.before)} -> {_value(item.after)}"


def _is_secret(path: str) -> bool:
    """Whether a key or the name of a variable in a path tells that its value is nobody's business."""
    return any(secret_name(part.rstrip("]")) for part in path.replace("[", ".").split("."))


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(map(str, value))[:5]) + "}"
    if isinstance(value, list):
        return f"[{len(value)} items]"
    text = str(value).lower() if isinstance(value, bool) else redact(str(value))  # what is cut off may have told it
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _field(obj: Object | None, *path: str) -> Any:
    at: Any = obj
    for step in path:
        at = _mapping(at).get(step)
    return at
