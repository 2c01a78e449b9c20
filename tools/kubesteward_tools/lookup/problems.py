"""What is wrong in a cluster at first sight: states that no healthy object is in. Causes are for others to find."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.ages import ago
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.store import Key, Object, Store

WORKLOADS = ("deployments.apps", "statefulsets.apps", "daemonsets.apps")
_NEARLY_FULL = 0.9
_RECENT = 3600.0

Problem = dict[str, Any]
"""`object`, `problem` and `detail`, each one clean line."""


def problems(store: Store, now: float) -> list[Problem]:
    """The widest first: nodes, pods, workloads, storage, quotas, budgets, warnings. `now` is in epoch seconds."""
    found: list[Problem] = []
    for look in (_nodes, _pods, _workloads, _claims, _quotas, _budgets):
        found += look(store)
    return [*found, *_warnings(store, now)]


def _problem(name: str, problem: str, detail: Any = "") -> Problem:
    return {"object": sentence(name, 160), "problem": sentence(problem, 120), "detail": sentence(detail, 200)}


def _nodes(store: Store) -> Iterator[Problem]:
    for node in store.objects("nodes"):
        name = f"Node/{node['metadata']['name']}"
        if not states.is_ready(node):
            yield _problem(name, "not ready", states.condition(node, "Ready").get("message", ""))
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure"):
            found = states.condition(node, kind)
            if found.get("status") == "True":
                yield _problem(name, kind, found.get("message", ""))


def _pods(store: Store) -> Iterator[Problem]:
    """Pods that are not ready, one line for each owner and state."""
    groups: dict[tuple[str, str, str], list[Object]] = {}
    for pod in store.objects("pods"):
        if states.pod_ready(pod) is False:
            groups.setdefault((_space(pod), top_owner(store, pod), states.pod_word(pod)), []).append(pod)
    for (namespace, owner, word), pods in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        kind, _, name = owner.partition("/")
        restarts = sum(map(states.restarts, pods))
        shown = "not ready" if word == "Running" else word
        count = f"{len(pods)} pods {shown}" if len(pods) > 1 else shown
        again = f", {restarts} restarts" if restarts else ""
        yield _problem(f"{kind}/{namespace}/{name}", count + again, states.why(pods[0]))


def _workloads(store: Store) -> Iterator[Problem]:
    """Those short of pods though none of their pods is in trouble: what they lack was never made."""
    troubled = {(_space(pod), top_owner(store, pod)) for pod in store.objects("pods") if not states.pod_ready(pod)}
    for resource in WORKLOADS:
        for obj in store.objects(resource):
            name = obj["metadata"]["name"]
            if states.is_ready(obj) is False and (_space(obj), f"{obj.get('kind')}/{name}") not in troubled:
                ready, wanted = states.counts(obj)
                failing = [item for item in states.conditions(obj) if _failing(item)]
                detail = failing[0].get("message", "") if failing else ""
                named = f"{obj.get('kind')}/{_space(obj)}/{name}"
                yield _problem(named, f"{ready}/{wanted} ready, {states.word(obj)}", detail)


def _failing(condition: dict[str, Any]) -> bool:
    return (condition.get("status") == "True") == (condition.get("type") == "ReplicaFailure")


def _space(obj: Object) -> str:
    return str(obj["metadata"].get("namespace", ""))


def _claims(store: Store) -> Iterator[Problem]:
    for claim in store.objects("persistentvolumeclaims"):
        if not states.is_ready(claim):
            yield _problem(f"PersistentVolumeClaim/{_path(claim)}", states.word(claim) or "no phase")


def _quotas(store: Store) -> Iterator[Problem]:
    for quota in store.objects("resourcequotas"):
        hard, used = states.status(quota).get("hard") or {}, states.status(quota).get("used") or {}
        full = [name for name in hard if name in used and _share(used[name], hard[name]) >= _NEARLY_FULL]
        if full:
            detail = ", ".join(f"{name} {used[name]}/{hard[name]}" for name in sorted(full))
            yield _problem(f"ResourceQuota/{_path(quota)}", "nearly used up", detail)


def _share(used: str, hard: str) -> float:
    try:
        most = quantity(hard)
        return float(quantity(used) / most) if most else 0.0
    except ValueError:
        return 0.0


def _budgets(store: Store) -> Iterator[Problem]:
    for budget in store.objects("poddisruptionbudgets.policy"):
        found = states.status(budget)
        if found.get("expectedPods") and found.get("currentHealthy", 0) < found.get("desiredHealthy", 0):
            detail = f"{found.get('currentHealthy', 0)} healthy, {found['desiredHealthy']} wanted"
            yield _problem(f"PodDisruptionBudget/{_path(budget)}", "broken", detail)


def _warnings(store: Store, now: float) -> Iterator[Problem]:
    """Warnings of the last hour by reason, without those about pods that are listed above for their state."""
    groups: dict[tuple[str, str], list[tuple[float, Object]]] = {}
    for event in store.objects("events"):
        last = max(event_times(event), default=0.0)
        if event.get("type") == "Warning" and now - last <= _RECENT and not _told(store, event):
            about = event.get("involvedObject") or {}
            groups.setdefault((str(about.get("kind")), str(event.get("reason"))), []).append((last, event))
    for (kind, reason), events in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        last, event = max(events, key=lambda item: item[0])
        about, count = event.get("involvedObject") or {}, sum(int(item.get("count") or 1) for _, item in events)
        name = f"{about.get('namespace', '')}/{about.get('name')}".lstrip("/")
        yield _problem(f"{kind}/{name}", f"event {reason} x{count}, {ago(now - last)} ago", event.get("message", ""))


def _told(store: Store, event: Object) -> bool:
    about = event.get("involvedObject") or {}
    pod = store.get(Key("pods", str(about.get("namespace", "")), str(about.get("name"))))
    return about.get("kind") == "Pod" and pod is not None and states.pod_ready(pod) is False


def _path(obj: Object) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}".lstrip("/")
