"""What came of a change, before anybody judges it: effects, availability and blast radius."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kubesteward_tools.twin.findings.creation import refused as refused_creations
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.findings.scheduling import pending_pods
from kubesteward_tools.twin.rehearsal import Availability, BlastRadius, Effects
from kubesteward_tools.twin.watcher import ready_endpoints, ready_pods
from kubesteward_tools.world.store import Key

_LISTED = 40


def effects(evidence: Evidence) -> Effects:
    watcher = evidence.best.watcher
    by_word: dict[str, list[str]] = {"created": [], "changed": [], "deleted": []}
    for key, word in sorted(watcher.touched.items()):
        if word and key.resource != "pods":
            by_word[word].append(name(key))
    refused = [item.message for item in refused_creations(evidence)]
    return Effects(
        **{word: tuple(names[:_LISTED]) for word, names in by_word.items()},
        pods_started=len(watcher.started),
        pods_stopped=len(watcher.stopped),
        pending=tuple(pending_pods(evidence, evidence.best)[:_LISTED]),
        blocked=tuple(refused),
    )


def availability(evidence: Evidence) -> Iterable[Availability]:
    best, worst = evidence.best, evidence.worst
    for key in sorted({*best.watcher.lowest, *worst.watcher.lowest}):
        measure = ready_endpoints if key.resource == "services" else ready_pods
        before = measure(evidence.origin, key)
        lowest = best.watcher.lowest.get(key, before)
        yield Availability(
            object=name(key),
            before=before,
            best_min=lowest,
            best_after=measure(best.cluster.store, key),
            worst_min=min(lowest, worst.watcher.lowest.get(key, before)),  # pods that never start also stay longer
            worst_after=measure(worst.cluster.store, key),
        )


def _spread(started: Iterable[Key], stopped: Iterable[Key]) -> dict[str, int]:
    came, went = (Counter(key.namespace for key in keys) for keys in (started, stopped))
    return {space: max(came[space], went[space]) for space in sorted({*came, *went})}


def radius(evidence: Evidence) -> BlastRadius:
    watcher = evidence.best.watcher
    touched = {key for key, word in watcher.touched.items() if word}
    spaces = {key.namespace for key in touched if key.namespace}
    around = sum(evidence.origin.count("pods", space) for space in spaces)
    total, stopped = evidence.origin.count("pods"), len(watcher.stopped)
    services = sorted(name(key) for key in watcher.lowest if key.resource == "services")
    return BlastRadius(
        objects=len(touched),
        pods=len(watcher.started | set(watcher.stopped)),
        share_of_namespace=round(stopped / around, 4) if around else 0.0,
        share_of_cluster=round(stopped / total, 4) if total else 0.0,
        spread=_spread(watcher.started, watcher.stopped),
        dependents=tuple(services[:_LISTED]),
    )
