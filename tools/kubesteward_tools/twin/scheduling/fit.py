"""Resources: what a pod asks for, against what a node has and what is taken. Docs: "Assign CPU/Memory Resources"."""

from __future__ import annotations

from collections.abc import Sequence

from kubesteward_tools.twin.scheduling.amounts import ONE, Whole
from kubesteward_tools.twin.scheduling.usage import Room

Asked = Sequence[tuple[str, int]]
"""Name and amount of what a pod wants some of, in the scheduler's order."""

_ORDER = ("cpu", "memory", "ephemeral-storage")


def asked(wanted: Whole) -> Asked:
    return sorted(((name, value) for name, value in wanted.items() if value > 0), key=lambda item: _rank(item[0]))


def fits(wanted: Asked, allocatable: Whole, room: Room) -> bool:
    """Whether `lacking` would find nothing."""
    if (room.pods + 1) * ONE > allocatable.get("pods", 0):
        return False
    used = room.used
    for name, value in wanted:  # noqa: SIM110 - no generator: a hundred times for each pod that is placed
        if value + used.get(name, 0) > allocatable.get(name, 0):
            return False
    return True


def lacking(wanted: Asked, allocatable: Whole, room: Room) -> list[str]:
    """What the node has too little of, in the scheduler's words."""
    short = ["Too many pods"] if (room.pods + 1) * ONE > allocatable.get("pods", 0) else []
    left = {name: allocatable.get(name, 0) - room.used.get(name, 0) for name, _ in wanted}
    return short + [f"Insufficient {name}" for name, value in wanted if value > left[name]]


def too_small(wanted: Asked, allocatable: Whole) -> bool:
    """Whether the pod would not fit on the node even if nothing else were there."""
    return any(value > allocatable.get(name, 0) for name, value in wanted)


def _rank(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)
