"""When something happened, and which moment an answer speaks of: now, or for a bundle the last thing it knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from kubesteward_tools.lookup.states import conditions
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object, Store

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_LAST: WeakKeyDictionary[World, float | None] = WeakKeyDictionary()
"""Of each bundle the last thing it knows."""


def event_times(event: Object) -> Iterator[float]:
    """Epoch seconds of all that an Event (core/v1 or events.k8s.io/v1) says about its times."""
    series = event.get("series") or {}
    stamps = (
        event.get("lastTimestamp") or event.get("deprecatedLastTimestamp"),
        series.get("lastObservedTime"),
        event.get("eventTime"),
        event.get("firstTimestamp") or event.get("deprecatedFirstTimestamp"),
        event["metadata"].get("creationTimestamp"),
    )
    yield from _parsed(stamps)


def _parsed(stamps: tuple[object, ...]) -> Iterator[float]:
    for stamp in filter(None, stamps):
        try:
            yield parse_timestamp(str(stamp))
        except ValueError:
            continue


def moment(world: World, now: float) -> float:
    """`now` for a live cluster; of a bundle the newest event, pod or heartbeat: ages mean what they meant then."""
    if world.writable:
        return now
    if world not in _LAST:  # a bundle does not change
        _LAST[world] = max(_times(world.store), default=None)
    last = _LAST[world]
    return now if last is None else min(last, now)


def _times(store: Store) -> Iterator[float]:
    for _, event in store.items("events"):
        yield from event_times(event)
    for _, pod in store.items("pods"):
        yield from _parsed((pod["metadata"].get("creationTimestamp"), (pod.get("status") or {}).get("startTime")))
    for _, node in store.items("nodes"):
        yield from _parsed(tuple(item.get("lastHeartbeatTime") for item in conditions(node)))
