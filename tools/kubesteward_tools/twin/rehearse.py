"""Play a change on a fork of the world, twice: once new pods become ready, once they never do; then judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kubesteward_policies.change import ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_tools.twin import outcome
from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.twin.failure import Failure
from kubesteward_tools.twin.findings import findings
from kubesteward_tools.twin.findings.evidence import Evidence, Run
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.kubelet.outlook import Best, Worst
from kubesteward_tools.twin.play import Play, Undecided
from kubesteward_tools.twin.rehearsal import Admission, Rehearsal, Verdict
from kubesteward_tools.twin.route import parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.unknowns import unknowns
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
    paced: bool = False,
    between: Callable[[], None] | None = None,
) -> Rehearsal:
    """What the calls would do to the cluster in `store`, which is left as it is. The same input gives the same bytes.

    `now` is in epoch seconds; `unseen` names kinds that could not be read, each of which makes the verdict unknown;
    `kinds` are those that the cluster serves, for custom resources whose definition is not in the store. `paced` says
    that evictions of one workload's pods go out one by one, as the executor makes them and `kubectl drain` does not.
    `between` is called again and again on the way, and may wait.
    A Failure in place of calls asks what if nodes failed; the answer is a `Hypothetical`, with nothing to execute.
    """
    if isinstance(calls, Failure):
        from kubesteward_tools.twin.hypothetical import fail

        return fail(store, nodes=calls.nodes, zone=calls.zone, now=now, seed=seed, unseen=unseen)
    play = Play(store, calls, Undecided(), now, seed, user, tuple(kinds), paced=paced)
    play.cluster.engine.between = between
    best, worst, admission = _plays(play)
    evidence = Evidence(store, best, worst, tuple(_targets(calls, best.cluster.api.kinds)), admission)
    found, unknown = findings(evidence), [*_inside(calls), *unknowns(evidence)]
    unknown += [f"{kind} could not be read; whatever depends on them is unknown" for kind in sorted(unseen)]
    blocked = any(item.severity == "block" for item in found)
    warned = any(item.severity == "warn" for item in found)
    verdict: Verdict = "blocked" if blocked else "unknown" if unknown else "warn" if warned else "safe"
    return Rehearsal(
        verdict=verdict,
        admission=admission,
        timeline=tuple(best.watcher.steps),
        effects=outcome.effects(evidence),
        availability=tuple(outcome.availability(evidence)),
        findings=tuple(found),
        blast_radius=outcome.radius(evidence),
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


def _inside(calls: Sequence[ApiCall]) -> list[str]:
    """Commands that are run in containers: the API's objects stay as they are, and that is all there is to know."""
    return [
        f"{call.target}: the command's effects inside the container are unknown" for call in calls if runs_command(call)
    ]


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


def _enforcement(evidence: Evidence) -> list[str]:
    """What is said of reachability holds where somebody sees to it, which the API does not tell."""
    if not evidence.network.shifts:
        return []
    return ["the network plugin is assumed to enforce NetworkPolicies, for pods on their node's network either way"]
