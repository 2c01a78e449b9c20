"""Play a change on a fork of the world, twice: once new pods become ready, once they never do; then judge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubesteward_policies.change import ApiCall
from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.twin.failure import Failure
from kubesteward_tools.twin.findings import findings
from kubesteward_tools.twin.findings.creation import refused as refused_creations
from kubesteward_tools.twin.findings.evidence import Evidence, Run, name
from kubesteward_tools.twin.findings.scheduling import pending_pods
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.kubelet.outlook import Best, Worst
from kubesteward_tools.twin.play import Play, Undecided
from kubesteward_tools.twin.rehearsal import Admission, Availability, BlastRadius, Effects, Rehearsal, Verdict
from kubesteward_tools.twin.route import parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.unknowns import unknowns
from kubesteward_tools.twin.watcher import ready_endpoints, ready_pods
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Store

_LISTED = 40


def rehearse(
    store: Store,
    calls: Sequence[ApiCall] | Failure,
    *,
    now: float,
    seed: int | str = 0,
    user: User = ADMIN,
    unseen: Iterable[str] = (),
    kinds: Iterable[ResourceType] = (),
) -> Rehearsal:
    """What the calls would do to the cluster in `store`, which is left as it is. The same input gives the same bytes.

    `now` is in epoch seconds; `unseen` names kinds that could not be read, each of which makes the verdict unknown;
    `kinds` are those that the cluster serves, for custom resources whose definition is not in the store.
    A Failure in place of calls asks what if nodes failed; the answer is a `Hypothetical`, with nothing to execute.
    """
    if isinstance(calls, Failure):
        from kubesteward_tools.twin.hypothetical import fail

        return fail(store, nodes=calls.nodes, zone=calls.zone, now=now, seed=seed, unseen=unseen)
    best, worst, admission = _plays(Play(store, calls, Undecided(), now, seed, user, tuple(kinds)))
    evidence = Evidence(store, best, worst, tuple(_targets(calls, best.cluster.api.kinds)), admission)
    found, unknown = findings(evidence), unknowns(evidence)
    unknown += [f"{kind} could not be read; whatever depends on them is unknown" for kind in sorted(unseen)]
    blocked = any(item.severity == "block" for item in found)
    warned = any(item.severity == "warn" for item in found)
    verdict: Verdict = "blocked" if blocked else "unknown" if unknown else "warn" if warned else "safe"
    return Rehearsal(
        verdict=verdict,
        admission=admission,
        timeline=tuple(best.watcher.steps),
        effects=_effects(evidence),
        availability=tuple(_availability(evidence)),
        findings=tuple(found),
        blast_radius=_radius(evidence),
        assumptions=tuple(unknown + _enforcement(evidence)),
    )


def _plays(play: Play) -> tuple[Run, Run, tuple[Admission, ...]]:
    """The best case and the worst, which are one and the same where no pod starts."""
    other = play
    if not play.run():
        other = play.fork()
        for one, outlook in ((play, Best()), (other, Worst())):
            one.decide(outlook)
            one.run()
    best, worst = (Run(one.cluster, one.watcher, one.settled) for one in (play, other))
    return best, worst, play.answers


def _targets(calls: Sequence[ApiCall], kinds: ServedKinds) -> Iterable[Key]:
    for call in calls:
        try:
            route = parse(call.path, kinds)
        except ApiError:
            continue
        yield Key(route.kind.resource, route.namespace, route.name or _name(call.body))


def _name(body: Any) -> str:
    """The name in a body, which may be anything."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    found = metadata.get("name") if isinstance(metadata, dict) else None
    return found if isinstance(found, str) else ""


def _effects(evidence: Evidence) -> Effects:
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


def _availability(evidence: Evidence) -> Iterable[Availability]:
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


def _radius(evidence: Evidence) -> BlastRadius:
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
        dependents=tuple(services[:_LISTED]),
    )


def _enforcement(evidence: Evidence) -> list[str]:
    """What is said of reachability holds where somebody sees to it, which the API does not tell."""
    if not evidence.network.shifts:
        return []
    return ["the network plugin is assumed to enforce NetworkPolicies, for pods on their node's network either way"]
