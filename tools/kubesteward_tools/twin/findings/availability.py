"""Ready pods of workloads: how few on the way, and how many at the end."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.disruption import standing_of
from kubesteward_tools.twin.findings.evidence import IF_NOT_READY, Evidence, Run, name
from kubesteward_tools.twin.findings.progress import WORKLOADS, wanted
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import keys_under, ready_pods
from kubesteward_tools.world.store import Key, Store

_SIMULATED = {*WORKLOADS, "replicasets.apps"}
"""Of other workloads it is unknown how many pods come back."""


_WATCH = "Watch the roll-out; undo it if it stalls."


def lost(evidence: Evidence) -> Iterator[Concern]:
    """In the worst case: none left is too few, fewer than before is worth knowing."""
    for key, lowest in _workloads(evidence):
        before, target = ready_pods(evidence.origin, key), _wanted(evidence, key)
        if before and lowest < before and _released(evidence, key):
            yield Concern(
                rule="availability.released",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would let go of ready pods, which stay ({before} now, {lowest} of them its own)",
                remedy="See who looks after them from then on.",
            )
        elif before and not lowest and target:
            yield Concern(
                rule="availability.none",
                severity="block",
                object=name(key),
                message=f"{name(key)} would have no ready pod{IF_NOT_READY} ({before} now)",
                remedy="Roll with maxUnavailable 0, or scale up first.",
            )
        elif lowest < min(before, target or before):
            yield Concern(
                rule="availability.reduced",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would go from {before} to {lowest} ready pods{_unless(evidence, key, lowest)}",
                remedy=_WATCH if target else "Ask who still needs it first.",
            )


def not_restored(evidence: Evidence) -> Iterator[Concern]:
    for key, _ in _workloads(evidence):
        before, after = ready_pods(evidence.origin, key), ready_pods(evidence.best.store, key)
        target = _wanted(evidence, key)
        if target and after < min(before, target):
            yield Concern(
                rule="availability.not_restored",
                severity="block",
                object=name(key),
                message=f"{name(key)} would end with {after} of {target} pods ready, even in the best case",
                remedy="See what keeps the pods from running.",
            )


def _unless(evidence: Evidence, key: Key, lowest: int) -> str:
    """Where it comes to this in the best case too, nothing depends on the new pods."""
    return "" if evidence.best.watcher.lowest.get(key) == lowest and not _wanted(evidence, key) else IF_NOT_READY


def _released(evidence: Evidence, key: Key) -> bool:
    """None of its ready pods stops: they only change hands."""
    pods = [pod for pod in keys_under(evidence.origin, key) if _is_healthy(evidence.origin, pod)]
    return all(_stays(run, pod) for run, _ in evidence.runs() for pod in pods)


def _stays(run: Run, pod: Key) -> bool:
    return pod not in run.watcher.stopped and _is_healthy(run.store, pod)


def _is_healthy(store: Store, pod: Key) -> bool:
    found = standing_of(store, pod)
    return found is not None and found.healthy


def _workloads(evidence: Evidence) -> Iterator[tuple[Key, int]]:
    """The fewest in either case."""
    lowest = dict(evidence.best.watcher.lowest)
    for key, count in evidence.worst.watcher.lowest.items():
        lowest[key] = min(lowest.get(key, count), count)
    return ((key, count) for key, count in sorted(lowest.items()) if key.resource in _SIMULATED)


def _wanted(evidence: Evidence, key: Key) -> int:
    return wanted(evidence.best.store.get(key))
