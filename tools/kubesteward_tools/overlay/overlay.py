"""The overlay of a cluster or an object as a client reads it: score, anomalies and one sentence, always under 5 KB."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubesteward_tools.lookup.problems import WORKLOADS
from kubesteward_tools.lookup.scope import Scope, one, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.overlay.lately import changes
from kubesteward_tools.overlay.score import Anomaly, score
from kubesteward_tools.overlay.signs import name_of, signs
from kubesteward_tools.overlay.subject import Subject, of_cluster, of_object
from kubesteward_tools.world import relations
from kubesteward_tools.world.history import UNRECORDED
from kubesteward_tools.world.store import Event, Store
from kubesteward_tools.world.world import TWIN_RESOURCES

if TYPE_CHECKING:
    from kubesteward_tools.tool import Desk
    from kubesteward_tools.world.world import World

MOST_BYTES = 4800
"""Of the overlay as indented JSON. It is under 5,000 on the wire, whatever its frame adds."""
_READ = tuple(dict.fromkeys((*TWIN_RESOURCES, *relations.resources(), "events")))
_QUIET = UNRECORDED - {"events", "events.events.k8s.io"}
"""What is written all the time and no sign is read from."""
_WITHOUT_NAMESPACE = frozenset({"-", "_"})


@dataclass(frozen=True, slots=True)
class _Room:
    """Longest detail, name and reason, how many other objects of an anomaly and kinds not seen, longest summary."""

    detail: int
    name: int
    others: int
    reason: int
    kinds: int
    summary: int


_ROOMS = (
    _Room(200, 120, 5, 200, 12, 400),
    _Room(120, 120, 3, 120, 8, 400),
    _Room(80, 80, 1, 80, 4, 300),
    _Room(40, 60, 0, 40, 2, 200),
    _Room(0, 30, 0, 0, 0, 100),
    _Room(0, 8, 0, 0, 0, 40),
)
"""Tried in turn. The last one holds whatever is in the cluster."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """`data` is what is shown; `mark` is the same as long as nothing but the time has passed."""

    world: World
    data: dict[str, Any]
    mark: str
    namespace: str = ""

    def listen(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Have `changed` called on every write that may make a difference, until the returned function is called."""

        def hear(event: Event) -> None:
            key = event.key
            if key.resource not in _QUIET and (not self.namespace or key.namespace in {"", self.namespace}):
                changed()

        return self.world.store.subscribe(hear)


async def cluster_overlay(desk: Desk, cluster: str = "") -> Overlay:
    """How well a cluster is ("": the current one).

    Raises:
        UnknownCluster, ClusterUnreachable: it cannot be asked.
    """
    world = await one(desk, cluster)
    scope = Scope([world])
    await seen(scope, _READ)
    return await _made(desk, scope, world, of_cluster(world), world.cluster)


async def object_overlay(desk: Desk, kind: str, namespace: str, name: str, cluster: str = "") -> Overlay:
    """How well one object is. The namespace of a kind without namespaces is "-", "_" or "".

    Raises:
        UnknownKind, ObjectNotFound, Forbidden, InvalidArguments: there is no such object to be seen.
        UnknownCluster, ClusterUnreachable: the cluster cannot be asked.
    """
    world = await one(desk, cluster)
    space = "" if namespace in _WITHOUT_NAMESPACE else namespace
    scope = Scope([world], space)
    await seen(scope, _READ)
    found = await find(world, kind, name, space)
    scope.namespace = found.key.namespace
    return await _made(desk, scope, world, of_object(world, found), name_of(world.store, found.key))


async def _made(desk: Desk, scope: Scope, world: World, subject: Subject, label: str) -> Overlay:
    now = scope.moments(desk.now())[world.cluster]
    lately = list(changes(world, subject, now))
    store = world.store.fork()
    found = await asyncio.to_thread(lambda: list(signs(store, subject, now)))
    health, anomalies = score([*found, *lately], many=subject.many)
    shown = [_clean(anomaly) for anomaly in anomalies]
    core = {
        "object": sentence(label, 160),
        "health_score": health,
        "summary": sentence(f"{label}: {_counts(store, subject)}; {_worst(anomalies)}", 400),
    }
    staleness = world.staleness()
    mark = json.dumps([core, [item.data() for item in shown], bool(staleness), sorted(scope.not_seen)])
    return Overlay(world, fitted(core, shown, scope), mark, subject.namespace)


def _clean(anomaly: Anomaly) -> Anomaly:
    also = tuple(sentence(name, 120) for name in anomaly.also)
    detail = sentence(anomaly.detail, 240)
    return Anomaly(
        anomaly.code, anomaly.severity, sentence(anomaly.object, 120), detail, anomaly.points, anomaly.count, also
    )


def _counts(store: Store, subject: Subject) -> str:
    parts = [_ready(store, subject, ("pods",), "pods")]
    if subject.many:
        parts = [_ready(store, subject, ("nodes",), "nodes"), _ready(store, subject, WORKLOADS, "workloads"), *parts]
    return ", ".join(filter(None, parts)) or "no pods"


def _ready(store: Store, subject: Subject, resources: Iterable[str], word: str) -> str:
    notes = [note for resource in resources for _, note in subject.notes(store, resource) if note.ready is not None]
    return f"{sum(note.ready is True for note in notes)}/{len(notes)} {word} ready" if notes else ""


def _worst(anomalies: list[Anomaly]) -> str:
    if not anomalies:
        return "nothing is wrong"
    worst = anomalies[0]
    count = sum(anomaly.count for anomaly in anomalies)
    return f"{count} {'anomaly' if count == 1 else 'anomalies'}, the worst: {worst.object} {worst.code}"


def fitted(core: dict[str, Any], anomalies: list[Anomaly], scope: Scope) -> dict[str, Any]:
    """Everything in at most `MOST_BYTES`. Words go before anomalies, for these explain the score."""
    data: dict[str, Any] = {}
    for room in _ROOMS:
        data = {
            **core,
            "object": sentence(core["object"], room.name + 40),
            "summary": sentence(core["summary"], room.summary),
            "anomalies": [_short(anomaly.data(), room) for anomaly in anomalies],
            "scope": _scope(scope, room),
        }
        if size(data) <= MOST_BYTES:
            break
    return data


def size(data: dict[str, Any]) -> int:
    """Bytes of the JSON that is sent."""
    return len(json.dumps(data, indent=1, ensure_ascii=False).encode())


def _short(anomaly: dict[str, Any], room: _Room) -> dict[str, Any]:
    anomaly["object"] = sentence(anomaly["object"], room.name)
    anomaly["detail"] = sentence(anomaly["detail"], room.detail) if room.detail else ""
    others = anomaly.pop("also", [])[: room.others]
    return anomaly | ({"also": [sentence(name, room.name) for name in others]} if others else {})


def _scope(scope: Scope, room: _Room) -> dict[str, Any]:
    found = scope.data()
    missed = sorted(scope.not_seen.items())
    shown = {sentence(what, 80): sentence(why, room.reason) for what, why in missed[: room.kinds]}
    more = {"not_seen_more": len(missed) - len(shown)} if len(missed) > len(shown) else {}
    return {**found["clusters"][0], "namespace": found["namespace"], "not_seen": shown, **more}
