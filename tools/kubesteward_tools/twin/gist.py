"""What the twin asks of very many objects at once, noted of each when it is stored: nobody reads them all for that.

Pods are ready and take up room, nodes give it, Services and budgets select pods, and autoscalers have a target.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubesteward_tools.twin.host import Host, host
from kubesteward_tools.twin.standing import Standing, standing

Gist = Standing | Host | Mapping[str, Any] | tuple[str, str] | bool
"""A pod's standing, a node's host, a LabelSelector, a target's kind and name, whether a ReplicaSet is controlled."""


def gist(resource: str, obj: Mapping[str, Any]) -> Gist | None:
    """None for kinds that nobody asks so of, and for an object of a bundle that is none."""
    make = _OF.get(resource)
    if make is None:
        return None
    try:
        return make(obj)
    except (AttributeError, TypeError, KeyError):
        return None


def _is_controlled(obj: Mapping[str, Any]) -> bool:
    return any(owner.get("controller") for owner in obj["metadata"].get("ownerReferences") or ())


def _service(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Without a selector it selects nothing."""
    selector = obj["spec"].get("selector")
    return {"matchLabels": selector} if selector else None


def _budget(obj: Mapping[str, Any]) -> Mapping[str, Any] | None:
    selector: Mapping[str, Any] | None = obj["spec"].get("selector")
    return selector


def _scaler(obj: Mapping[str, Any]) -> tuple[str, str]:
    target = obj["spec"]["scaleTargetRef"]
    return str(target["kind"]), str(target["name"])


_OF: dict[str, Callable[[Mapping[str, Any]], Gist | None]] = {
    "pods": standing,
    "nodes": host,
    "replicasets.apps": _is_controlled,
    "services": _service,
    "poddisruptionbudgets.policy": _budget,
    "horizontalpodautoscalers.autoscaling": _scaler,
}
