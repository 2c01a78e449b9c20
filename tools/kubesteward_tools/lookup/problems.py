"""What is wrong in a cluster at first sight: states that no healthy object is in. Causes are for others to find."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import Note, columns, everywhere, of
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.ages import ago
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.store import Key, Object, Store

WORKLOADS = ("deployments.apps", "statefulsets.apps", "daemonsets.apps")
_NEARLY_FULL = 0.9
_RECENT = 3600.0

Detail = str | Callable[[], str]
Found = tuple[str, str, Detail]
"""The words of a Problem as they came; what has to be read for the last is read when it is shown."""
Problem = dict[str, Any]
"""`object`, `problem` and `detail`, each one clean line."""


def problems(store: Store, now: float, most: int) -> tuple[int, list[Problem]]:
    """How many there are, and `most` of them. `now` is in epoch seconds.

    The widest come first: nodes, pods, workloads, storage, quotas, budgets, warnings.
    """
    groups = _groups(store)
    found = [*_nodes(store), *_pods(store, groups), *_workloads(store, groups)]
    for look in (_claims, _quotas, _budgets):
        found += look(store)
    found += _warnings(store, now)
    return len(found), [_shown(*item) for item in found[:most]]


def _shown(name: str, problem: str, detail: Detail) -> Problem:
    said = detail() if callable(detail) else detail
    return {"object": sentence(name, 160), "problem": sentence(problem, 120), "detail": sentence(said, 200)}


def _problem(name: str, problem: str, detail: Detail = "") -> Found:
    return name, problem, detail


def _nodes(store: Store) -> Iterator[Found]:
    for key, note in everywhere(store, "nodes"):
        if note.ready and not note.alarm:
            continue
        node, name = store.get(key) or {}, f"Node/{key.name}"
        if not note.ready:
            yield _problem(name, "not ready", states.condition(node, "Ready").get("message", ""))
        for kind in states.pressures(node):
            yield _problem(name, kind, states.condition(node, kind).get("message", ""))


Group = tuple[str, str, str]
"""Namespace, topmost owner and state of alike pods."""


def _groups(store: Store) -> dict[Group, list[tuple[Key, Note]]]:
    """The pods that are not ready. Of those with the same owners one is read."""
    groups: dict[Group, list[tuple[Key, Note]]] = {}
    owners: dict[tuple[str, tuple[str, ...]], str] = {}
    for space in store.spaces("pods"):
        there = columns(store, "pods", space)
        for name, facts, note in zip(there.names, there.facts, there.notes, strict=True):
            if note.ready is True:
                continue
            key, place = Key("pods", space, name), (space, facts.owners or (name,))
            if place not in owners:
                owners[place] = top_owner(store, store.get(key) or {})
            groups.setdefault((space, owners[place], note.word), []).append((key, note))
    return groups


def _pods(store: Store, groups: Mapping[Group, list[tuple[Key, Note]]]) -> Iterator[Found]:
    """Pods that are not ready, one line for each owner and state."""
    failing = {group: pods for group, found in groups.items() if (pods := [item for item in found if _fails(item[1])])}
    for (namespace, owner, word), pods in sorted(failing.items(), key=lambda item: (-len(item[1]), item[0])):
        kind, _, name = owner.partition("/")
        restarts = sum(note.restarts for _, note in pods)
        shown = "not ready" if word == "Running" else word
        count = f"{len(pods)} pods {shown}" if len(pods) > 1 else shown
        again = f", {restarts} restarts" if restarts else ""
        yield _problem(f"{kind}/{namespace}/{name}", count + again, partial(_why, store, pods[0][0]))


def _why(store: Store, pod: Key) -> str:
    return states.why(store.get(pod) or {})


def _fails(note: Note) -> bool:
    return note.ready is False


def _workloads(store: Store, groups: Iterable[Group]) -> Iterator[Found]:
    """Those short of pods though none of their pods is in trouble: what they lack was never made."""
    troubled = {(namespace, owner) for namespace, owner, _ in groups}
    for resource in WORKLOADS:
        for key, note in everywhere(store, resource):
            obj = store.get(key) if note.ready is False else None
            if obj is not None and (key.namespace, f"{obj.get('kind')}/{key.name}") not in troubled:
                ready, wanted = states.counts(obj)
                failing = [item for item in states.conditions(obj) if _failing(item)]
                detail = failing[0].get("message", "") if failing else ""
                named = f"{obj.get('kind')}/{key.namespace}/{key.name}"
                yield _problem(named, f"{ready}/{wanted} ready, {note.word}", detail)


def _failing(condition: dict[str, Any]) -> bool:
    return (condition.get("status") == "True") == (condition.get("type") == "ReplicaFailure")


def _claims(store: Store) -> Iterator[Found]:
    for key, note in everywhere(store, "persistentvolumeclaims"):
        if not note.ready:
            yield _problem(f"PersistentVolumeClaim/{_path(key)}", note.word or "no phase")


def _quotas(store: Store) -> Iterator[Found]:
    for key, quota in store.items("resourcequotas"):
        hard, used = states.status(quota).get("hard") or {}, states.status(quota).get("used") or {}
        full = [name for name in hard if name in used and _share(used[name], hard[name]) >= _NEARLY_FULL]
        if full:
            detail = ", ".join(f"{name} {used[name]}/{hard[name]}" for name in sorted(full))
            yield _problem(f"ResourceQuota/{_path(key)}", "nearly used up", detail)


def _share(used: str, hard: str) -> float:
    try:
        most = quantity(hard)
        return float(quantity(used) / most) if most else 0.0
    except ValueError:
        return 0.0


def _budgets(store: Store) -> Iterator[Found]:
    for key, note in everywhere(store, "poddisruptionbudgets.policy"):
        if note.ready is False:
            found = states.status(store.get(key) or {})
            detail = f"{found.get('currentHealthy', 0)} healthy, {found['desiredHealthy']} wanted"
            yield _problem(f"PodDisruptionBudget/{_path(key)}", "broken", detail)


def _warnings(store: Store, now: float) -> Iterator[Found]:
    """Warnings of the last hour by reason, without those about pods that are listed above for their state."""
    groups: dict[tuple[str, str], list[tuple[float, Object]]] = {}
    warnings = (store.get(key) for key, note in everywhere(store, "events") if note.word == "Warning")
    for event in filter(None, warnings):
        last = max(event_times(event), default=0.0)
        if now - last <= _RECENT and not _told(store, event):
            about = event.get("involvedObject") or {}
            groups.setdefault((str(about.get("kind")), str(event.get("reason"))), []).append((last, event))
    for (kind, reason), events in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        last, event = max(events, key=lambda item: item[0])
        about, count = event.get("involvedObject") or {}, sum(int(item.get("count") or 1) for _, item in events)
        name = f"{about.get('namespace', '')}/{about.get('name')}".lstrip("/")
        yield _problem(f"{kind}/{name}", f"event {reason} x{count}, {ago(now - last)} ago", event.get("message", ""))


def _told(store: Store, event: Object) -> bool:
    about = event.get("involvedObject") or {}
    key = Key("pods", str(about.get("namespace", "")), str(about.get("name")))
    return about.get("kind") == "Pod" and (note := of(store, key)) is not None and note.ready is False


def _path(key: Key) -> str:
    return f"{key.namespace}/{key.name}".lstrip("/")
