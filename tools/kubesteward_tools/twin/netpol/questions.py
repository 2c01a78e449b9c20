"""Which pairs a change can matter to: from what it wrote to the questions that `changes` then answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from kubesteward_tools.twin.netpol.census import Census, Mark, group_of, mark
from kubesteward_tools.twin.netpol.gateways import carriers, resolvers, routed
from kubesteward_tools.twin.netpol.policies import (
    DIRECTIONS,
    POLICIES,
    Direction,
    has,
    names_pod,
    namespace_labels,
    peers,
    rules,
    selects,
)
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.relations.reading import label_selector, mapping, mappings, text
from kubesteward_tools.world.store import Key, Object

OUTSIDE = "addresses outside the cluster"
STRANGER = "pods of any other namespace"
MOST_NAMESPACES = 100


class Question(NamedTuple):
    """Can the peer reach the subject ("ingress"), or the subject the peer ("egress"), as before?"""

    subject: Key
    direction: Direction
    peer: Key | str


@dataclass(slots=True)
class Asked:
    before: Census
    after: Census
    questions: list[Question] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class Ask:
    """The questions of one change, between the census before it and the one after."""

    def __init__(self, before: Census, after: Census) -> None:
        self._before, self._after = before, after
        self._left_out: dict[str, None] = {}

    def about(self, touched: set[Key]) -> Asked:
        found = dict.fromkeys(
            [
                *(item for key in sorted(touched) if key.resource == POLICIES for item in self._policy(key)),
                *(item for group, names in self._relabelled(touched).items() for item in self._pods(group, names)),
                *(item for key in sorted(touched) if key.resource == "namespaces" for item in self._namespace(key)),
            ]
        )
        mine = [item for item in found if item.subject != item.peer]
        return Asked(self._before, self._after, mine, list(self._left_out))

    def _policy(self, key: Key) -> Iterator[Question]:
        """A policy that came, went or says something else: for all whom it isolates."""
        old, new = self._before.store.get(key), self._after.store.get(key)
        if old is not None and new is not None and old.get("spec") == new.get("spec"):
            return
        versions = [policy for policy in (old, new) if policy is not None]
        for direction in DIRECTIONS:
            if any(has(policy, direction) for policy in versions):
                subjects = dict.fromkeys(group for policy in versions for group in self._selected(policy))
                for subject in subjects:
                    for peer in self._peers(subject, direction, versions):
                        yield Question(subject, direction, peer)

    def _pods(self, group: Key, names: set[str]) -> Iterator[Question]:
        """A workload some of whose labels (`names`) are others than before: policies may isolate it, and name it."""
        for direction in DIRECTIONS:
            old, new = (self._isolating(census, group, direction) for census in (self._before, self._after))
            if {item["metadata"]["name"] for item in old} != {item["metadata"]["name"] for item in new}:
                for peer in self._peers(group, direction, [*old, *new]):
                    yield Question(group, direction, peer)
        for policy in self._after.store.objects(POLICIES):
            for direction in DIRECTIONS:
                listed = [peer for peer in _selectors(policy, direction) if not names.isdisjoint(_labels_in(peer))]
                if listed and self._named(self._before, policy, listed, group) != self._named(
                    self._after, policy, listed, group
                ):
                    yield from (Question(subject, direction, group) for subject in self._selected(policy))

    def _namespace(self, key: Key) -> Iterator[Question]:
        """A namespace with other labels than before: policies anywhere may name its pods."""
        old, new = (namespace_labels(census.store, key.name) for census in (self._before, self._after))
        if old == new:
            return
        for policy in self._after.store.objects(POLICIES):
            for direction in DIRECTIONS:
                for peer in _selectors(policy, direction):
                    chosen = label_selector(peer.get("namespaceSelector"))
                    if matches(chosen, old) != matches(chosen, new):
                        others = self._groups_in(key.name, peer)
                        subjects = self._selected(policy)
                        yield from (Question(one, direction, two) for one in subjects for two in others)

    def _relabelled(self, touched: Iterable[Key]) -> dict[Key, set[str]]:
        """Workloads whose pods went or changed while others, or the same, are there with other labels: with which."""
        marks: dict[Key, tuple[set[Mark], set[Mark]]] = {}
        groups: dict[tuple[str, ...], Key] = {}
        for key in sorted(item for item in touched if item.resource == "pods"):
            for number, store in enumerate((self._before.store, self._after.store)):
                if (facts := store.facts(key)) is not None:
                    group = groups.get(facts.owners) or group_of(store, key, store.get(key) or {"metadata": {}})
                    groups.update({facts.owners: group} if facts.owners else {})
                    marks.setdefault(group, (set(), set()))[number].add(mark(facts.labels))
        return {
            group: {name for name, _ in frozenset.union(*old, *new) - frozenset.intersection(*old, *new)}
            for group, (old, new) in marks.items()
            if old and new and new - old
        }

    def _isolating(self, census: Census, group: Key, direction: Direction) -> list[Object]:
        found = census.store.objects(POLICIES, group.namespace)
        pods = census.pods(group)
        return [item for item in found if has(item, direction) and any(selects(item, pod) for pod in pods)]

    def _named(self, census: Census, policy: Object, listed: list[Object], group: Key) -> list[bool]:
        labels, home = namespace_labels(census.store, group.namespace), policy["metadata"].get("namespace", "default")
        return [any(names_pod(peer, home, pod, labels) for pod in census.pods(group)) for peer in listed]

    def _selected(self, policy: Object) -> list[Key]:
        """Who is selected, before or after."""
        home = policy["metadata"].get("namespace", "default")
        found = dict[Key, None]()
        for census in (self._before, self._after):
            for group, pods in census.groups(home).items():
                if any(selects(policy, pod) for pod in pods):
                    found[group] = None
        return list(found)

    def _peers(self, subject: Key, direction: Direction, policies: list[Object]) -> Iterator[Key | str]:
        """Neighbours, those whom the policies name, those whose traffic matters most, and the rest of the world."""
        yield from self._before.groups(subject.namespace)
        for policy in policies:
            for peer in _selectors(policy, direction):
                if not _is_everybody(peer):  # a stranger and the neighbours stand for all of them
                    for namespace in self._namespaces(peer, policy):
                        yield from self._groups_in(namespace, peer)
        if direction == "ingress":
            for route in routed(self._before.store, self._before.pods(subject)):
                yield from carriers(self._before.store, route)
        else:
            yield from resolvers(self._before.store)
        yield from (STRANGER, OUTSIDE)

    def _namespaces(self, peer: Object, policy: Object) -> list[str]:
        spaces = peer.get("namespaceSelector")
        if spaces is None:
            return [policy["metadata"].get("namespace", "default")]
        chosen, store = label_selector(spaces), self._before.store
        named = [name for name in store.spaces("pods") if matches(chosen, namespace_labels(store, name))]
        if len(named) > MOST_NAMESPACES:
            self._left_out["policies name pods of more namespaces than were compared"] = None
        return named[:MOST_NAMESPACES]

    def _groups_in(self, namespace: str, peer: Object) -> list[Key]:
        """The workloads of a namespace that a peer's podSelector takes, before or after."""
        pods = peer.get("podSelector")
        selector = {} if pods is None else label_selector(pods)
        found = dict[Key, None]()
        for census in (self._before, self._after):
            if census.store.selected("pods", namespace, selector):
                for group, ones in census.groups(namespace).items():
                    if any(matches(selector, pod.labels) for pod in ones):
                        found[group] = None
        return list(found)


def _labels_in(peer: Object) -> set[str]:
    """The names of labels that a peer's podSelector asks for."""
    selector = mapping(peer.get("podSelector"))
    return {*mapping(selector.get("matchLabels")), *(text(item.get("key")) for item in _expressions(selector))}


def _expressions(selector: Object) -> list[Object]:
    return mappings(selector.get("matchExpressions"))


def _is_everybody(peer: Object) -> bool:
    return peer.get("namespaceSelector") == {} and not peer.get("podSelector")


def _selectors(policy: Object, direction: Direction) -> Iterator[Object]:
    """The peers that are pods."""
    for rule in rules(policy, direction):
        yield from (peer for peer in peers(rule, direction) if peer.get("ipBlock") is None)
