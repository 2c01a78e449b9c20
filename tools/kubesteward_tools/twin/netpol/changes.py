"""Who can reach whom before a change and after it, for those whom the change can matter to and nobody else.

Questions start from changed policies, and from pods and namespaces whose labels changed; their other ends are the peers
that the policies name, the neighbours in the namespace, who carries traffic of their routes, who resolves their names,
a pod of any other namespace, and all addresses outside. Their number is bounded; what was left out is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from kubesteward_tools.twin.netpol.census import Census
from kubesteward_tools.twin.netpol.ends import EVERYWHERE, Outside, Pod
from kubesteward_tools.twin.netpol.policies import POLICIES, Direction, selecting
from kubesteward_tools.twin.netpol.ports import ALL, NONE, Connections
from kubesteward_tools.twin.netpol.questions import OUTSIDE, STRANGER, Ask, Asked, Question
from kubesteward_tools.twin.netpol.reach import connections, parts
from kubesteward_tools.world.store import Key, Store

MOST_QUESTIONS = 1500
_SOMEBODY = Pod("", "", {})
"""A pod without labels in a namespace without any."""

_OTHERS = (
    "adminnetworkpolicies.policy.networking.k8s.io",
    "baselineadminnetworkpolicies.policy.networking.k8s.io",
    "clusternetworkpolicies.policy.networking.k8s.io",
    "ciliumnetworkpolicies.cilium.io",
    "ciliumclusterwidenetworkpolicies.cilium.io",
    "networkpolicies.crd.projectcalico.org",
    "globalnetworkpolicies.crd.projectcalico.org",
)
"""Policies of other APIs, which may overrule what NetworkPolicies say."""


class Shift(NamedTuple):
    """`direction` is the subject's: in "ingress" the peer speaks to it. `peer` is in words for what is no workload."""

    subject: Key
    direction: Direction
    peer: Key | str
    lost: Connections
    opened: Connections


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left_out` are sentences on what was not compared."""

    shifts: tuple[Shift, ...] = ()
    left_out: tuple[str, ...] = ()


def compare(origin: Store, now: Store, touched: Iterable[Key]) -> Comparison:
    """`touched` are the keys of whatever the change wrote to."""
    if not origin.count(POLICIES) and not now.count(POLICIES):
        return Comparison()
    asked: Asked = Ask(Census(origin), Census(now)).about(set(touched))
    if not asked.questions:
        return Comparison(left_out=tuple(asked.left_out))
    answers = _Answers(asked.before, asked.after)
    shifts = [shift for question in asked.questions[:MOST_QUESTIONS] for shift in answers.to(question)]
    return Comparison(tuple(shifts), tuple(_left_out(asked, now)))


def _left_out(asked: Asked, now: Store) -> Iterator[str]:
    yield from asked.left_out
    if (more := len(asked.questions) - MOST_QUESTIONS) > 0:
        yield f"{more} pairs of workloads were not compared for who can reach whom"
    for namespace in sorted(asked.before.crowded | asked.after.crowded):
        yield f"namespace {namespace} has too many workloads to compare all of them for who can reach whom"
    for resource in _OTHERS:
        if now.count(resource):
            yield f"{resource} may overrule NetworkPolicies and are not evaluated"


class _Answers:
    def __init__(self, before: Census, after: Census) -> None:
        self._before, self._after = before, after

    def to(self, question: Question) -> Iterator[Shift]:
        """Only those that say that something is lost or opened."""
        old, new = self._before.pods(question.subject), self._after.pods(question.subject)
        if not old or not new:
            return  # what goes with the workload, or comes with it, is no matter of policies
        if question.peer == OUTSIDE:
            yield from self._outside(question, old, new)
            return
        peers = self._peers(self._before, question.peer), self._peers(self._after, question.peer)
        if all(peers):
            shift = self._shift(question, (old, peers[0]), (new, peers[1]))
            if shift.lost or shift.opened:
                yield shift

    def _peers(self, census: Census, peer: Key | str) -> list[Pod | Outside]:
        return [_SOMEBODY] if isinstance(peer, str) else list(census.pods(peer))

    def _outside(self, question: Question, old: list[Pod], new: list[Pod]) -> Iterator[Shift]:
        """Range by range, neighbours of the same fate together."""
        policies = [
            policy
            for census, pods in ((self._before, old), (self._after, new))
            for pod in pods
            for policy in selecting(census.store, pod, question.direction)
        ]
        run: list[Shift] = []
        for piece in parts(EVERYWHERE, policies, question.direction):
            shift = self._shift(question, (old, [piece]), (new, [piece]))._replace(peer=str(piece))
            if run and run[-1][3:] == shift[3:]:
                shift = shift._replace(peer=f"{str(run.pop().peer).partition('-')[0]}-{str(piece).rpartition('-')[2]}")
            run.append(shift)
        yield from (
            shift._replace(peer=OUTSIDE if shift.peer == str(EVERYWHERE) else f"addresses {shift.peer}")
            for shift in run
            if shift.lost or shift.opened
        )

    def _shift(
        self,
        question: Question,
        before: tuple[list[Pod], list[Pod | Outside]],
        after: tuple[list[Pod], list[Pod | Outside]],
    ) -> Shift:
        least, most = _extent(self._before.store, question.direction, *before)
        least_now, most_now = _extent(self._after.store, question.direction, *after)
        return Shift(question.subject, question.direction, question.peer, least - least_now, most_now - most)


def _extent(
    store: Store, direction: Direction, pods: list[Pod], peers: Iterable[Pod | Outside]
) -> tuple[Connections, Connections]:
    """What all pairs have in common, and what any of them has. The two ways to see node networks count as pairs."""
    least, most = ALL, NONE
    for pod in pods:
        for peer in peers:
            one, two = (peer, pod) if direction == "ingress" else (pod, peer)
            found = connections(store, one, two)
            least, most = least & found, most | found
            if any(isinstance(end, Pod) and end.host_network for end in (pod, peer)):
                found = connections(store, one, two, "like_nodes")
                least, most = least & found, most | found
    return least, most


__all__ = ["OUTSIDE", "STRANGER", "Comparison", "Shift", "compare"]
