"""Events that tell of ordinary things which are strange when they come too often: rescalings, leaders, nodes.

Warnings are few and read elsewhere. Of the Normal ones nearly all are about pods and what makes them, and are not read.
"""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.scene import Scene, Warned
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import columns
from kubesteward_tools.world.store import Key, Object

_MOST = 4000
_PASSED = ("pods", "replicasets.apps", "jobs.batch", "persistentvolumeclaims")
"""What such events are mostly about. Autoscalers and leases bear the names of workloads, so that those are read."""


def normal(scene: Scene, since: float) -> list[Warned]:
    """Those seen last at `since` (epoch seconds) or later, sorted by that."""
    found = (scene.event(event) for event in _read(scene) if event and any(event_times(event)))
    return sorted((item for item in found if item.last >= since), key=lambda item: (item.last, item.about, item.reason))


def _read(scene: Scene) -> Iterator[Object]:
    count = 0
    for resource in ("events", "events.events.k8s.io"):
        for space in scene.store.spaces(resource):
            there = columns(scene.store, resource, space)
            for name, note in zip(there.names, there.notes, strict=True):
                if note.word == "Warning" or count >= _MOST or _is_passed(scene, space, name.rpartition(".")[0]):
                    continue
                count += 1
                yield scene.get(Key(resource, space, name))


def _is_passed(scene: Scene, space: str, about: str) -> bool:
    """Events are named by what they are about and a hash."""
    return any(scene.store.facts(Key(resource, space, about)) is not None for resource in _PASSED)


def within(event: Warned, since: float) -> int:
    """How many of an event's occurrences were at `since` or later, if they came evenly: the last one surely was."""
    if event.last < since:
        return 0
    if event.first >= since or event.count < 2:
        return event.count
    return max(1, int(event.count * (event.last - since) / (event.last - event.first)))
