"""Resources: what a pod asks for, against what a node has and what is taken. Docs: "Assign CPU/Memory Resources"."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from kubesteward_tools.twin.scheduling.usage import Room

_ORDER = ("cpu", "memory", "ephemeral-storage")
_NOTHING = Fraction(0)


def lacking(wanted: Mapping[str, Fraction], allocatable: Mapping[str, Fraction], room: Room) -> list[str]:
    """What the node has too little of, in the scheduler's words."""
    short = ["Too many pods"] if room.pods + 1 > allocatable.get("pods", _NOTHING) else []
    asked = sorted((name for name, value in wanted.items() if value > 0), key=_rank)
    left = {name: allocatable.get(name, _NOTHING) - room.used.get(name, _NOTHING) for name in asked}
    return short + [f"Insufficient {name}" for name in asked if wanted[name] > left[name]]


def too_small(wanted: Mapping[str, Fraction], allocatable: Mapping[str, Fraction]) -> bool:
    """Whether the pod would not fit on the node even if nothing else were there."""
    return any(value > allocatable.get(name, _NOTHING) for name, value in wanted.items() if value > 0)


def _rank(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
