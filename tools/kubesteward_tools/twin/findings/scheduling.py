"""Pods that no node takes, and pods that have to go so that others fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.rehearsal import Concern, Pending
from kubesteward_tools.twin.watcher import top_controller
from kubesteward_tools.world.store import Key, Object, Store


def pending(evidence: Evidence) -> Iterator[Concern]:
    """Also when they only wait because the old ones stay: then the worst case shows them."""
    for run in (evidence.best, evidence.worst):
        found = pending_pods(evidence, run)
        if found:
            worst = run is evidence.worst
            more = _unplaced(run.store) - _unplaced(evidence.origin)
            yield Concern(
                rule="scheduling.pending",
                severity="block" if more and not worst else "warn",
                object=_where(evidence, run, found[0].pod),
                message=f"{len(found)} new pods stay Pending{_words(worst=worst)}: {found[0].message}",
                remedy="Free or add capacity, or ask for less.",
            )
            return


def _where(evidence: Evidence, run: Run, pod: str) -> str:
    namespace, _, pod_name = pod.partition("/")
    return name(evidence.known(run, Key("pods", namespace, pod_name)))


def _words(*, worst: bool) -> str:
    return " if those before them do not become ready" if worst else ""


def pending_pods(evidence: Evidence, run: Run) -> list[Pending]:
    """Pods that are unschedulable now and were not there before."""
    found = []
    for key in run.store.pods_on(""):
        pod = run.store.get(key)
        if pod is not None and evidence.origin.get(key) is None and (message := _unschedulable(pod)):
            found.append(Pending(pod=f"{key.namespace}/{key.name}", message=message))
    return found


def _unplaced(store: Store) -> Counter[object]:
    """How many of each workload wait for a node: one that takes the place of another makes it no worse."""
    pods = ((key, store.get(key)) for key in store.pods_on(""))
    return Counter(top_controller(store, pod) or key for key, pod in pods if pod and _unschedulable(pod))


def _unschedulable(pod: Object) -> str:
    for item in (pod.get("status") or {}).get("conditions") or ():
        if item["type"] == "PodScheduled" and item["status"] == "False":
            return str(item.get("message") or item.get("reason"))
    return ""
