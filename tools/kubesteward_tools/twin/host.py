"""What decides about a node whether a pod may go there, without the rest of it: most nodes of a cluster are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ALIKE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Host:
    """`spec` and `status` are a node's own as far as the scheduler reads them. Nodes that are alike share one."""

    spec: Mapping[str, Any]
    status: Mapping[str, Any]


def host(node: Mapping[str, Any]) -> Host:
    """Raises whatever a malformed node makes it raise."""
    spec = node.get("spec") or {}
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    taints = tuple([tuple(taint.items()) for taint in spec.get("taints") or ()])
    return _shared(taints, bool(spec.get("unschedulable")), tuple(allocatable.items()))


@lru_cache(maxsize=_ALIKE)
def _shared(taints: tuple[Any, ...], unschedulable: bool, allocatable: tuple[tuple[str, Any], ...]) -> Host:
    spec: dict[str, Any] = {"taints": [dict(taint) for taint in taints]} if taints else {}
    if unschedulable:
        spec["unschedulable"] = True
    return Host(spec, {"allocatable": dict(allocatable)})
