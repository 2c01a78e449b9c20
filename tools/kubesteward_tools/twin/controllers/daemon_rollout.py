"""The next step of a DaemonSet's rolling update: which pods go, and which nodes get a second one. Pure.

KEP-1591 (maxSurge); docs: "Perform a Rolling Update on a DaemonSet".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kubesteward_tools.world.store import Object

Available = Callable[[Object], bool]


@dataclass(frozen=True, slots=True)
class Place:
    """One node, and the DaemonSet's pods there that are not stopping, by what they are."""

    node: str
    wanted: bool
    new: tuple[Object, ...]
    old: tuple[Object, ...]


@dataclass(slots=True)
class Step:
    """Pods to be deleted and nodes to get a pod, in order."""

    doomed: list[Object] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)


def replacing(places: Iterable[Place], most: int, available: Available) -> Step:
    """Without surge: outdated pods that are not available go at once, the others while at most `most` are missing."""
    step, candidates, missing = Step(), list[Object](), 0
    for place in places:
        if len(place.new) + len(place.old) != 1:
            missing += 1  # none, or one too many: the controller's main loop is at it
        elif place.new:
            missing += not available(place.new[0])
        elif available(place.old[0]):
            candidates.append(place.old[0])
        else:
            step.doomed.append(place.old[0])
            missing += 1
    step.doomed += candidates[: max(0, most - missing)]
    return step


def surging(places: Iterable[Place], most: int, desired: int, available: Available) -> Step:
    """With surge: a new pod comes first, and the old one goes once that is available."""
    step, candidates, leaving = Step(), list[str](), list[Object]()
    surged = up = 0
    for place in places:
        if len(place.new) > 1 or len(place.old) > 1:
            surged += 1
            continue
        new, old = (next(iter(pods), None) for pods in (place.new, place.old))
        first = old or new
        up += first is not None and available(first)
        if old is None:
            continue
        if new is not None:
            if available(new):
                step.doomed.append(old)
            surged += not available(new)
        elif place.wanted:
            (candidates if available(old) else step.nodes).append(place.node)
        else:
            (leaving if available(old) else step.doomed).append(old)
    step.nodes += candidates[: max(0, most - surged)]
    step.doomed += leaving[: max(0, up - desired)]
    return step
