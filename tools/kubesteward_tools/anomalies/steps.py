"""What the history shows of an object's states within the window, one after the other, read within a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from kubesteward_tools.anomalies.view import View
from kubesteward_tools.world.store import Key, Object

_MOST = 3000
"""Versions that are read for one answer."""


@dataclass(frozen=True, slots=True)
class Step:
    """One write: the object before and after it."""

    at: float
    before: Object
    after: Object


def steps(view: View, wanted: Callable[[Key], bool], fewest: int) -> Iterator[tuple[Key, list[Step]]]:
    """Of every object that `wanted` says yes to and that was written `fewest` times or more, its writes, oldest first.

    Those written most often come first; when there are too many, `view` is told.
    """
    if view.history is None:
        return
    counts = Counter(
        version.key
        for version in view.history.versions(view.since, view.now)
        if version.before is not None and version.after is not None
    )
    often = [(key, count) for key, count in counts.items() if count >= fewest and wanted(key)]
    chosen, left = dict[Key, list[Step]](), _MOST
    for key, count in sorted(often, key=lambda item: (-item[1], item[0])):
        if count <= left:
            chosen[key] = []
            left -= count
    if len(chosen) < len(often):
        view.cannot(f"states that come and go: the writes of {len(often) - len(chosen)} objects were too many to read")
    for version in view.history.versions(view.since, view.now):
        if version.key in chosen and version.before is not None and version.after is not None:
            before, after = (view.store.read(version.key, item) for item in (version.before, version.after))
            chosen[version.key].append(Step(version.at, before, after))
    for key in sorted(chosen):
        yield key, chosen[key][::-1]


def losses(states: list[tuple[float, bool | None]]) -> list[float]:
    """The moments at which something went from ready to not ready."""
    return [at for (_, was), (at, now) in pairwise(states) if was is True and now is False]


def reversals(values: list[float]) -> int:
    """How often a number that went up comes down next, or the other way round; staying the same is neither."""
    moves = [b > a for a, b in pairwise(values) if a != b]
    return sum(a != b for a, b in pairwise(moves))
