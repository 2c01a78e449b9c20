"""After the writing: does the cluster come to where the rehearsal said it would?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward.execution.snapshot import key_of
from kubesteward_policies.change import ApiCall, Change
from kubesteward_tools.twin.rehearsal import Availability, Rehearsal
from kubesteward_tools.twin.watcher import ready_endpoints, ready_pods
from kubesteward_tools.world.store import Key, Object, Store
from kubesteward_tools.world.world import World

DEADLINE = 60.0
GRACE = 3.0
"""Seconds for Services to follow their pods before the rehearsal is said to have been wrong."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`reached`: the cluster came to the rehearsed end state in time. `misses`: where the rehearsal was wrong."""

    reached: bool
    reason: str
    misses: tuple[str, ...] = ()


async def verify(
    world: World,
    change: Change,
    answers: Iterable[Mapping[str, Any]],
    rehearsal: Rehearsal | None,
    deadline: float = DEADLINE,
) -> Verified:
    """Wait until the cluster has reached the rehearsed end state, at most `deadline` seconds, and compare.

    `answers` are what the server answered to the change's calls: the objects that the world has to catch up with.
    """
    landing = _Landing(world, change, tuple(answers), rehearsal)
    moved = asyncio.Event()
    stop = world.store.subscribe(lambda _: moved.set())
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline
    try:
        while waiting := landing.unfinished():
            if not await _within(moved, end - loop.time()):
                return Verified(False, f"not reached within {deadline:.0f} s: {waiting}", tuple(landing.misses()))
        end = min(end, loop.time() + GRACE)
        while (misses := tuple(landing.misses())) and await _within(moved, end - loop.time()):
            pass
    finally:
        stop()
    reason = f"the rehearsal was wrong about {misses[0]}" if misses else "the cluster has reached the rehearsed state"
    return Verified(True, reason, misses)


async def _within(moved: asyncio.Event, seconds: float) -> bool:
    """Whether something moved within so many seconds from now."""
    moved.clear()
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await moved.wait()
    except TimeoutError:
        return False
    return True


class _Landing:
    """Where the change is to come down."""

    def __init__(
        self, world: World, change: Change, answers: tuple[Mapping[str, Any], ...], rehearsal: Rehearsal | None
    ) -> None:
        self._store = world.store
        last = {call.target: (call, answer) for call, answer in zip(change.calls, answers, strict=False)}
        self._calls = tuple(last.values())
        self._keys = {call.target: key for call in change.calls if (key := key_of(world, call.target))}
        self._expected = dict(_expected(world, rehearsal))

    def unfinished(self) -> str:
        """What is still to come, "" when nothing is."""
        late = (self._late(call, answer) for call, answer in self._calls)
        found = (_lacking(self._store.get(key), self._expected.get(key)) for key in self._keys.values())
        return next(filter(None, (*late, *found)), "")

    def _late(self, call: ApiCall, answer: Mapping[str, Any]) -> str:
        """The world is a mirror: it shows what was written only after a while."""
        key = self._keys.get(call.target)
        if key is None:
            return ""
        obj = self._store.get(key)
        if call.verb == "delete" or call.evicts:
            return f"{call.target} is still there" if _same(obj, answer) else ""
        written = str((answer.get("metadata") or {}).get("resourceVersion", ""))
        if written and (obj is None or _older(str(obj["metadata"].get("resourceVersion", "")), written)):
            return f"{call.target} has not been seen as it was written"
        return ""

    def misses(self) -> Iterable[str]:
        """Where fewer are ready than in the worst case, or more than in the best."""
        for key, item in self._expected.items():
            seen = _ready(self._store, key)
            low, high = sorted((item.worst_after, item.best_after))
            if not low <= seen <= high:
                yield f"{item.object}: {seen} ready, {low} to {high} rehearsed"


def _expected(world: World, rehearsal: Rehearsal | None) -> Iterable[tuple[Key, Availability]]:
    """What the rehearsal says about workloads and Services, by key. It names them `deployment shop/web`."""
    words = {kind.plural.removesuffix("s"): kind.resource for kind in reversed(world.kinds.all())}
    for item in rehearsal.availability if rehearsal else ():
        word, _, path = item.object.partition(" ")
        namespace, _, name = path.rpartition("/")
        if word in words:
            yield Key(words[word], namespace, name), item


def _ready(store: Store, key: Key) -> int:
    return ready_endpoints(store, key) if key.resource == "services" else ready_pods(store, key)


def _same(obj: Object | None, answer: Mapping[str, Any]) -> bool:
    """Whether it is the object that was deleted: a StatefulSet's next pod has the same name."""
    uid = (answer.get("metadata") or {}).get("uid") or ((answer.get("details") or {}).get("uid"))
    return obj is not None and (not uid or obj["metadata"].get("uid") == uid)


def _older(seen: str, written: str) -> bool:
    """resourceVersions can be compared as numbers (KEP-5504); any other is only equal or not."""
    if seen.isdigit() and written.isdigit():
        return int(seen) < int(written)
    return seen != written


def _lacking(obj: Object | None, expected: Availability | None) -> str:
    """What a workload still lacks, "" when it is done or is none."""
    if obj is None or not isinstance((obj.get("spec") or {}).get("replicas"), int):
        return ""
    name, status, wanted = obj["metadata"]["name"], obj.get("status") or {}, obj["spec"]["replicas"]
    if status.get("observedGeneration", 0) < obj["metadata"].get("generation", 0):
        return f"the controller has not seen the change of {name} yet"
    ready = wanted if expected is None else min(wanted, expected.best_after)
    if status.get("readyReplicas", 0) < ready:
        return f"{name}: readyReplicas {status.get('readyReplicas', 0)} of {ready}"
    if ready < wanted:  # the rehearsal saw that not all would come
        return ""
    counts = {"replicas": wanted, "availableReplicas": wanted}
    if obj.get("kind") == "Deployment":
        counts["updatedReplicas"] = wanted
    short = [
        f"{field} {status.get(field, 0)} of {count}" for field, count in counts.items() if status.get(field, 0) != count
    ]
    return f"{name}: {', '.join(short)}" if short else ""
