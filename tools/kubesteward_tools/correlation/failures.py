"""What fails in a scene within a window: pods by workload, state and node, and what else is in trouble.

Pods of one workload that are in one state on one node are one Failure; a few of them are read for all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from kubesteward_tools.correlation.families import Family, family, plain
from kubesteward_tools.diagnosis import reading
from kubesteward_tools.diagnosis.reading import at, mapping, text
from kubesteward_tools.diagnosis.scene import WORKLOADS, Scene
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.notes import Note, columns, everywhere, of
from kubesteward_tools.world.store import Key, Object

_STARTING = 120.0
"""Seconds that a pod may take to start, or to end, before it counts as failing."""
_READ_OF_ONE = 2
_MOST_READ = 1500
_TOLD = 4
_SHAPES = (AttributeError, KeyError, TypeError, ValueError)
"""What objects of a shape that they should not have raise when they are read."""
_PLAIN = frozenset({"Running", "Pending", "ContainerCreating", "PodInitializing", "NotReady"})
_CREATING = "FailedCreate"
_VOLUMES = frozenset({"FailedMount", "FailedAttachVolume", "FailedMapVolume"})
_SANDBOXES = frozenset({"FailedCreatePodSandBox", "NetworkNotReady"})


@dataclass(frozen=True, slots=True)
class Failure:
    """`unit` is the workload (or the object itself), `objects` what fails of it: alike pods, or itself.

    `began` in epoch seconds, None where nothing tells. `told` is what the cluster says of it. `pod` stands for all.
    """

    unit: Key
    family: Family
    reason: str
    objects: tuple[Key, ...]
    began: float | None = None
    told: tuple[str, ...] = ()
    node: str = ""
    pod: Key | None = None

    @property
    def count(self) -> int:
        return len(self.objects)


@dataclass(frozen=True, slots=True)
class Looked:
    """How much was looked at. `unread`: restarted pods that were too many to read; their restarts are not counted."""

    pods: int
    workloads: int
    nodes: int
    warnings: int
    logs: int
    unread: int = 0

    def as_json(self) -> dict[str, int]:
        names = ("pods", "workloads", "nodes", "warnings", "logs", "unread")
        return {name: getattr(self, name) for name in names}


class _Group(NamedTuple):
    """Pods that look alike."""

    unit: Key
    word: str
    node: str


@dataclass(slots=True)
class _Span:
    """The window, and how much may still be read."""

    since: float
    until: float
    left: int = _MOST_READ
    unread: int = 0


def failures(scene: Scene, window: float, namespace: str = "") -> tuple[list[Failure], Looked]:
    """Everything that failed at some moment of the last `window` seconds, sorted; and what was looked at."""
    span = _Span(scene.now - window, scene.now)
    found = [*_pods(scene, span, namespace), *_nodes(scene)]
    troubled = {one.unit for one in found}
    found += _never_made(scene, span, namespace)
    found += _claims(scene, span, namespace)
    found += _speaking(scene, namespace, troubled)
    looked = Looked(
        scene.store.count("pods", namespace or None),
        sum(scene.store.count(resource, namespace or None) for resource in WORKLOADS),
        scene.store.count("nodes"),
        sum(map(len, scene.warnings.values())),
        len(scene.logs),
        span.unread,
    )
    return sorted(found, key=lambda one: (one.unit, one.family, one.node, one.reason)), looked


def _pods(scene: Scene, span: _Span, namespace: str) -> Iterator[Failure]:
    groups: dict[_Group, list[Key]] = {}
    restarted: list[Key] = []
    for space in [namespace] if namespace else scene.store.spaces("pods"):
        there = columns(scene.store, "pods", space)
        for name, facts, note in zip(there.names, there.facts, there.notes, strict=True):
            key = Key("pods", space, name)
            if note.ready is False:
                groups.setdefault(
                    _Group(scene.owner(key), plain(text(note.word), "NotReady"), text(facts.node)), []
                ).append(key)
            elif note.restarts:
                restarted.append(key)
    silent = {key.name for key, note in everywhere(scene.store, "nodes") if note.ready is False}
    for group, keys in sorted(groups.items(), key=lambda item: item[0].node in silent):
        yield from _alike(scene, span, group, keys)
    for key in restarted:
        if span.left <= 0:
            span.unread += 1
            continue
        span.left -= 1
        with suppress(*_SHAPES):
            yield from _restarted(scene, span, key)


def _alike(scene: Scene, span: _Span, group: _Group, keys: list[Key]) -> Iterator[Failure]:
    """Pods that look alike; they may differ in more than their word shows, so some are read."""
    read = keys[: _READ_OF_ONE if span.left > 0 else 0]
    span.left -= len(read)
    made = [_read(scene, span, group, key) for key in read]
    unit, word, node = group
    there = [one for one in made if one is not None]
    if read and not there:
        return
    if not there:
        silent = word == "Running" and (seen := of(scene.store, Key("nodes", "", node))) and seen.ready is False
        yield Failure(unit, "lost" if silent else family(word), word, tuple(keys), None, (), node, keys[0])
        return
    first = min(there, key=lambda one: (one.began is None, one.began or 0.0, one.objects))
    told = tuple(dict.fromkeys(line for one in there for line in one.told))
    objects = tuple(keys) if len(there) == len(read) else tuple(one.objects[0] for one in there)
    yield Failure(unit, first.family, first.reason, objects, first.began, told, node, first.pod)


def _read(scene: Scene, span: _Span, group: _Group, key: Key) -> Failure | None:
    """A saved pod may be of any shape: what cannot be read counts by its state."""
    try:
        return _failing(scene, span, group, key)
    except _SHAPES:
        return Failure(group.unit, family(group.word), group.word, (key,), None, (), group.node, key)


def _failing(scene: Scene, span: _Span, group: _Group, key: Key) -> Failure | None:
    """None for a pod that is still starting or ending, or that was over before the window."""
    unit, word, node = group
    pod = scene.get(key)
    began = _began(pod)
    warned = [item for item in scene.warnings.get(key, ()) if item.last >= span.since]
    kind, reason = _manner(pod, word, {item.reason for item in warned})
    age = span.until - began if began is not None else span.until
    if reading.phase(pod) == "Failed" and began is not None and began < span.since:
        return None
    deleted = reading.seconds(mapping(pod.get("metadata")).get("deletionTimestamp"))
    if deleted is not None and span.until - deleted < _STARTING:
        return None
    if kind == "unready" and word in _PLAIN and age < _STARTING and not warned:
        return None
    told = tuple(dict.fromkeys(filter(None, (states.why(pod), *(item.message for item in warned)))))[:_TOLD]
    return Failure(unit, kind, reason, (key,), began, told, node, key)


def _manner(pod: Object, word: str, warned: set[str]) -> tuple[Family, str]:
    """Its family and reason; what holds a pod back that only waits is told by its conditions and events."""
    if states.condition(pod, "PodScheduled").get("status") == "False":
        return "schedule", plain(text(states.condition(pod, "PodScheduled").get("reason")), "Unschedulable")
    last = {text(reading.ended(item).get("reason")) for item in states.containers(pod)}
    found = family(word)
    if found == "crash" and "OOMKilled" in last:
        return "memory", "OOMKilled"
    if found == "lost" and word == "Terminating":
        return "lost", word
    if found != "unready":
        return found, word
    for reasons, kind in ((_VOLUMES, "volume"), (_SANDBOXES, "sandbox")):
        if reasons & warned:
            return kind, min(reasons & warned)  # type: ignore[return-value]  # both words are families
    statuses = reading.mappings(mapping(pod.get("status")).get("containerStatuses"))
    if word == "Running" and statuses and all(item.get("ready") for item in statuses):
        return "lost", "NodeNotReady"  # its containers were ready when the kubelet was heard last
    return "unready", "NotReady" if word == "Running" else word


def _began(pod: Object) -> float | None:
    """When it stopped being ready; of what ended, when; of what was never scheduled or ready, when it was made."""
    if reading.phase(pod) == "Failed":
        ends = [reading.seconds(reading.ended(item).get("finishedAt")) for item in states.containers(pod)]
        known = [end for end in ends if end is not None]
        if known:
            return max(known)
    for kind in ("PodScheduled", "Ready"):
        found = reading.condition(pod, kind)
        if found.get("status") not in {None, "True"} and (since := reading.seconds(found.get("lastTransitionTime"))):
            return since
    return reading.seconds(mapping(pod.get("metadata")).get("creationTimestamp"))


def _restarted(scene: Scene, span: _Span, key: Key) -> Iterator[Failure]:
    """A pod that is well again and was not at some moment of the window, once."""
    pod = scene.get(key)
    for item in states.containers(pod):
        end = at(item, "lastState", "terminated")
        ended = reading.seconds(end.get("finishedAt"))
        if ended is not None and ended >= span.since and end.get("exitCode"):
            reason = plain(text(end.get("reason")), "Error")
            told = (f"{text(item.get('name'))}: exit {end.get('exitCode')} {reason}, and was restarted",)
            node = text(mapping(pod.get("spec")).get("nodeName"))
            unit, shown = scene.owner(key), f"restarted after {reason}"
            yield Failure(unit, family(reason), shown, (key,), ended, told, node, key)
            return


def _nodes(scene: Scene) -> Iterator[Failure]:
    for key, note in everywhere(scene.store, "nodes"):
        if note.ready is False or note.alarm:
            obj = scene.get(key)
            kind = "Ready" if note.ready is False else note.alarm.split(",", maxsplit=1)[0]
            found = states.condition(obj, kind)
            since = reading.seconds(found.get("lastTransitionTime"))
            word = "NotReady" if note.ready is False else plain(note.alarm, "Alarm")
            yield Failure(key, "node", word, (key,), since, tuple(filter(None, [reading.message_of(found)])), key.name)


def _never_made(scene: Scene, span: _Span, namespace: str) -> Iterator[Failure]:
    """Workloads for which no pod could be made."""
    for unit, items in scene.warned_workloads.items():
        refused = [item for item in items if item.reason == _CREATING and item.last >= span.since]
        if refused and namespace in {"", unit.namespace} and _lacks(of(scene.store, unit)):
            told = tuple(dict.fromkeys(item.message for item in refused))[:_TOLD]
            began = min(item.first for item in refused)
            yield Failure(unit, "create", _CREATING, (unit,), began, told)


def _lacks(note: Note | None) -> bool:
    return note is not None and note.ready is not True


def _claims(scene: Scene, span: _Span, namespace: str) -> Iterator[Failure]:
    """Claims that are not bound and are warned about: many others wait for their first consumer, and are well."""
    for key, note in everywhere(scene.store, "persistentvolumeclaims"):
        if note.ready or (namespace and key.namespace != namespace):
            continue
        warned = [item for item in scene.warnings.get(key, ()) if item.last >= span.since]
        if warned:
            told = tuple(dict.fromkeys(item.message for item in warned))
            yield Failure(
                key, "volume", plain(warned[0].reason, "Warning"), (key,), min(item.first for item in warned), told
            )


def _speaking(scene: Scene, namespace: str, troubled: set[Key]) -> Iterator[Failure]:
    """Workloads that run and whose logs tell that they cannot reach somebody."""
    for unit, said in scene.spoken.items():
        reach = [(pod, sign) for pod, _, sign in said if sign.kind in PEERS and sign.peer and sign.last]
        if reach and unit not in troubled and namespace in {"", unit.namespace}:
            pods = tuple(dict.fromkeys(pod for pod, _ in reach))
            told = tuple(dict.fromkeys(sign.line for _, sign in reach))
            yield Failure(unit, "reach", "cannot reach a peer", pods, None, told, "", pods[0])


PEERS = frozenset({"connection", "timeout", "dns", "http"})
"""Kinds of signs in a log that name a peer."""
