"""What workloads, nodes, storage, quotas, budgets, events and missing objects tell of trouble."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import pods
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import Note, of
from kubesteward_tools.lookup.problems import WORKLOADS
from kubesteward_tools.overlay.podsigns import RECENT, pod_signs
from kubesteward_tools.overlay.score import Sign
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.graph import Connection
from kubesteward_tools.world.store import Key, Object, Store

_FULL = 0.9
_SPOKEN_FOR = frozenset({*WORKLOADS, "nodes", "persistentvolumeclaims", "poddisruptionbudgets.policy", "jobs.batch"})
"""Kinds that have a rule of their own, also where they are what is asked about."""


def signs(store: Store, subject: Subject, now: float) -> Iterator[Sign]:
    """Every sign that a store shows of a subject at `now` (epoch seconds), in no particular order."""
    for rule in (_workloads, _nodes, _jobs, _claims, _quotas, _budgets):
        yield from rule(store, subject)
    yield from pod_signs(store, subject, now)
    yield from _warnings(store, subject, now)
    yield from _missing(store, subject)
    yield from _itself(store, subject)


def name_of(store: Store, key: Key) -> str:
    """`Deployment/shop/web`. What is not there is named by its resource."""
    kind = str((store.get(key) or {}).get("kind") or key.resource.partition(".")[0])
    return "/".join(part for part in (kind, key.namespace, key.name) if part)


def _workloads(store: Store, subject: Subject) -> Iterator[Sign]:
    for resource in WORKLOADS:
        for key, note in subject.notes(store, resource):
            obj = store.get(key) if note.ready is False else None
            if obj is not None:
                yield _workload(name_of(store, key), obj, note)


def _workload(name: str, obj: Object, note: Note) -> Sign:
    ready, wanted = states.counts(obj)
    said = f"{ready}/{wanted} pods ready"
    if ready >= wanted:
        return Sign("stalled", name, f"{said}, {note.word}")
    if not ready:
        return Sign("unavailable", name, said)
    return Sign("degraded", name, said, (wanted - ready) / wanted)


def _nodes(store: Store, subject: Subject) -> Iterator[Sign]:
    for key, note in subject.notes(store, "nodes"):
        name = f"Node/{key.name}"
        if not note.ready:
            yield Sign("node_not_ready", name, states.condition(store.get(key) or {}, "Ready").get("message") or "")
        if note.alarm:
            yield Sign("node_pressure", name, note.alarm)
        if note.word.endswith("SchedulingDisabled"):
            yield Sign("cordoned", name)


def _jobs(store: Store, subject: Subject) -> Iterator[Sign]:
    for key, note in subject.notes(store, "jobs.batch"):
        if note.ready is False:
            failed = states.condition(store.get(key) or {}, "Failed")
            yield Sign("failed", name_of(store, key), str(failed.get("message") or failed.get("reason") or ""))


def _claims(store: Store, subject: Subject) -> Iterator[Sign]:
    for key, note in subject.notes(store, "persistentvolumeclaims"):
        if not note.ready:
            yield Sign("claim", name_of(store, key), note.word or "no phase")


def _quotas(store: Store, subject: Subject) -> Iterator[Sign]:
    for key, quota in subject.objects(store, "resourcequotas"):
        hard, used = states.status(quota).get("hard") or {}, states.status(quota).get("used") or {}
        shares = {name: _share(used[name], hard[name]) for name in hard if name in used}
        full = sorted(name for name, share in shares.items() if share >= _FULL)
        if full:
            detail = ", ".join(f"{name} {used[name]}/{hard[name]}" for name in full)
            yield Sign("quota", name_of(store, key), detail)


def _share(used: Any, hard: Any) -> float:
    try:
        most = quantity(str(hard))
        return float(quantity(str(used)) / most) if most else 0.0
    except ValueError:
        return 0.0


def _budgets(store: Store, subject: Subject) -> Iterator[Sign]:
    for key, budget in subject.objects(store, "poddisruptionbudgets.policy"):
        found = states.status(budget)
        wanted, healthy = found.get("desiredHealthy") or 0, found.get("currentHealthy") or 0
        detail = f"{healthy} healthy, {wanted} wanted"
        if found.get("expectedPods") and healthy < wanted:
            yield Sign("budget", name_of(store, key), detail)
        elif found.get("expectedPods") and not found.get("disruptionsAllowed"):
            yield Sign("tight_budget", name_of(store, key), f"{detail}, no eviction allowed")


def _missing(store: Store, subject: Subject) -> Iterator[Sign]:
    wanting: dict[Key, list[Connection]] = {}
    for edge in subject.missing:
        wanting.setdefault(edge.target, []).append(edge)
    for target, edges in wanting.items():
        sources = sorted({edge.source for edge in edges})
        where = next((f" ({edge.detail})" for edge in edges if edge.detail), "")
        more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        name = "/".join(part for part in (subject.kinds[target.resource], target.namespace, target.name) if part)
        yield Sign("missing", name, f"needed by {name_of(store, sources[0])}{more}{where}")


def _warnings(store: Store, subject: Subject, now: float) -> Iterator[Sign]:
    """By object and reason. Those about pods that are not ready are told with the pods."""
    latest: dict[tuple[str, str], tuple[float, str]] = {}
    for event in _warning_events(store, subject):
        about, at = event.get("involvedObject") or event.get("regarding") or {}, max(event_times(event), default=0.0)
        names = (about.get("kind"), about.get("namespace"), about.get("name"))
        mark = "/".join(str(part) for part in names if part), str(event.get("reason"))
        if now - at <= RECENT and not _told(store, about) and _is_of(store, subject, about):
            latest[mark] = max(latest.get(mark, (0.0, "")), (at, str(event.get("message") or event.get("note") or "")))
    for (name, reason), (at, message) in latest.items():
        yield Sign("warnings", name, f"{reason}, last at {timestamp(at)}: {message}")


def _warning_events(store: Store, subject: Subject) -> Iterator[Object]:
    place = Subject(namespace=subject.namespace) if subject.namespace else Subject()
    for key, note in place.notes(store, "events"):
        if note.word == "Warning" and (event := store.get(key)) is not None:
            yield event


def _is_of(store: Store, subject: Subject, about: dict[str, Any]) -> bool:
    if subject.start is None:
        return True
    wanted = str(about.get("kind")), str(about.get("namespace") or ""), str(about.get("name"))
    return any((key.namespace, key.name) == wanted[1:] and _kind(store, key) == wanted[0] for key in subject.own)


def _kind(store: Store, key: Key) -> str:
    return str((store.get(key) or {}).get("kind"))


def _told(store: Store, about: dict[str, Any]) -> bool:
    key = Key("pods", str(about.get("namespace", "")), str(about.get("name")))
    return about.get("kind") == "Pod" and (note := of(store, key)) is not None and note.ready is False


def _itself(store: Store, subject: Subject) -> Iterator[Sign]:
    """What is asked about may be no workload and should be ready all the same: a pod, a custom resource, a Service."""
    start = subject.start
    obj = store.get(start) if start is not None else None
    if start is None or obj is None or start.resource in _SPOKEN_FOR:
        return
    if start.resource == "services":
        yield from _service(store, start, obj)
    elif (note := of(store, start)) is not None and note.ready is False and note.phase != "Failed":
        yield Sign("unavailable", name_of(store, start), note.word)


def _service(store: Store, key: Key, service: Object) -> Iterator[Sign]:
    if (service.get("spec") or {}).get("selector"):
        behind = pods(store, key)
        ready = sum(states.pod_ready(pod) is True for pod in behind)
        if not ready:
            yield Sign("unavailable", name_of(store, key), f"0 of the {len(behind)} pods that it selects are ready")
        elif ready < len(behind):
            share = (len(behind) - ready) / len(behind)
            yield Sign("degraded", name_of(store, key), f"{ready}/{len(behind)} pods ready", share)
