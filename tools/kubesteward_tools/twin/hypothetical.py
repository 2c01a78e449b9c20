"""What if a node or a zone failed? The answer to a question, not a change: it holds nothing that could be executed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from kubesteward_tools.twin import outcome
from kubesteward_tools.twin.failure import NOTICED_AFTER, Failure, held_nodes, is_followed, played
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.findings.failures import Lost, failures, stranded, stuck
from kubesteward_tools.twin.kubelet.outlook import Best, Worst
from kubesteward_tools.twin.rehearsal import Rehearsal, Verdict
from kubesteward_tools.twin.unknowns import unknowns
from kubesteward_tools.twin.worlds import store_of

_LISTED = 40


class Hypothetical(Rehearsal):
    """A rehearsal of something that nobody does. `admission` is empty: no call was made, and none follows from it.

    `best_min` and `worst_min` of `availability` are what is left right after the failure, `best_after` and
    `worst_after` what there is once everything has been evicted and started again. `failed_nodes` stopped answering;
    `stuck` are pods that stay Terminating on them until somebody deletes them by force; `stranded` are volumes that no
    node left can reach. `verdict` is "safe" where nothing is lost but some redundancy.
    """

    hypothetical: Literal[True] = True
    hypothesis: str
    failed_nodes: tuple[str, ...]
    stuck: tuple[str, ...] = ()
    stranded: tuple[str, ...] = ()

    def render(self) -> str:
        """A compact page for people and models."""
        nodes = f"{len(self.failed_nodes)} node{'s' * (len(self.failed_nodes) != 1)}"
        title = f"Hypothetical, nothing to execute: failure of {self.hypothesis} ({nodes})"
        lines = [title, super().render().replace("Rehearsal:", "Verdict:", 1)]
        lines += [f"  stuck Terminating: {', '.join(self.stuck[:10])}"] if self.stuck else []
        lines += [f"  out of reach: {', '.join(self.stranded[:10])}"] if self.stranded else []
        return "\n".join(lines)


def fail(
    world: Any,
    *,
    nodes: Iterable[str] = (),
    zone: str = "",
    now: float,
    seed: int | str = 0,
    unseen: Iterable[str] = (),
) -> Hypothetical:
    """What would be left right after these nodes have failed, and after everything that can has moved elsewhere.

    Args:
        world: a Store, a World, or a list of Kubernetes objects; it is left as it is.
        nodes: names of nodes. zone: all nodes with this label topology.kubernetes.io/zone. Either or both.
        now: epoch seconds. The same input gives the same bytes.
        unseen: kinds that could not be read, each of which makes the verdict unknown.

    Raises:
        ValueError: there is no such node or zone, or none is named.
    """
    store, failure = store_of(world), Failure(tuple(sorted(nodes)), zone)
    names = failure.among(store)
    held, followed = held_nodes(store, names), is_followed(store, names)
    still = held if followed else frozenset(names)
    best, worst = (played(store, names, still, outlook, now, seed) for outlook in (Best(), Worst()))
    evidence = Evidence(store, best, worst, (), ())
    lost = Lost.of(evidence, names, followed=followed)
    found, unknown = failures(lost), [*unknowns(evidence), *lost.unknowns()]
    unknown += [f"{kind} could not be read; whatever depends on them is unknown" for kind in sorted(unseen)]
    severities = {item.severity for item in found}
    verdict: Verdict = (
        "blocked" if "block" in severities else "unknown" if unknown else "warn" if "warn" in severities else "safe"
    )
    return Hypothetical(
        hypothesis=str(failure),
        failed_nodes=names,
        verdict=verdict,
        admission=(),
        timeline=tuple(sorted(best.watcher.steps, key=lambda step: step.t)),
        effects=outcome.effects(evidence),
        availability=tuple(outcome.availability(evidence)),
        findings=tuple(found),
        blast_radius=outcome.radius(evidence),
        assumptions=(*unknown, *_assumed(held)),
        stuck=tuple(name(key) for key in stuck(lost))[:_LISTED],
        stranded=tuple(name(key) for key in stranded(lost))[:_LISTED],
    )


def _assumed(held: frozenset[str]) -> Iterable[str]:
    yield f"for up to {NOTICED_AFTER:g} s, until the failure is noticed, Services still send traffic to the lost pods"
    yield "no node comes back and none is added (an autoscaler of nodes may add some)"
    if held:
        yield f"so much of the zone has failed that nothing is evicted from {', '.join(sorted(held)[:5])}"
