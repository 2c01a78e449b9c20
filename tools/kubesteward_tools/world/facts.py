"""What a store knows of an object without reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kubesteward_tools.twin.demand import Demand
from kubesteward_tools.twin.gist import Gist
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.standing import Standing


class Facts(NamedTuple):
    """What the indexes know of an object, so that questions about many need not read them all.

    `owners` are the UIDs of its owner references. `node` is a pod's `spec.nodeName` ("" without one), None for other
    kinds; `address` a pod's `status.podIP`, or ""; `repels` says whether a pod has a required anti-affinity. `gist` is
    what the twin asks of all of its kind, `note` what the store's owner makes of it.
    """

    uid: str
    version: str
    created: str
    labels: Mapping[str, str]
    owners: tuple[str, ...]
    node: str | None
    address: str
    repels: bool
    gist: Gist | None
    note: Any

    def is_indexed_as(self, other: Facts) -> bool:
        """Whether nothing has changed that an index is made of: of most writes, which change a status."""
        same = self.labels is other.labels or self.labels == other.labels
        there = self.node == other.node and self.repels == other.repels
        counts = self.gist == other.gist if self.node is None else self.demand is other.demand
        return same and there and counts and self.owners == other.owners

    @property
    def standing(self) -> Standing | None:
        """A pod's."""
        return self.gist if type(self.gist) is Standing else None

    @property
    def demand(self) -> Demand | None:
        """What a pod takes up where it is."""
        return self.gist.demand if type(self.gist) is Standing else None


class Columns:
    """Names, sorted, and the facts in the same order; for reading only. A write makes new ones."""

    __slots__ = ("_alike", "_created", "_notes", "facts", "names")

    def __init__(self, names: Sequence[str], facts: Sequence[Facts]) -> None:
        self.names = names
        self.facts = facts
        self._notes: Sequence[Any] | None = None
        self._created: Sequence[str] | None = None
        self._alike: Sequence[tuple[Mapping[str, str], Sequence[int]]] | None = None

    @property
    def notes(self) -> Sequence[Any]:
        if self._notes is None:
            self._notes = [facts.note for facts in self.facts]
        return self._notes

    @property
    def created(self) -> Sequence[str]:
        if self._created is None:
            self._created = [facts.created for facts in self.facts]
        return self._created

    @property
    def alike(self) -> Sequence[tuple[Mapping[str, str], Sequence[int]]]:
        """Labels, and the numbers of the objects that share this one mapping of them."""
        if self._alike is None:
            found: dict[int, tuple[Mapping[str, str], list[int]]] = {}
            for number, facts in enumerate(self.facts):
                found.setdefault(id(facts.labels), (facts.labels, []))[1].append(number)
            self._alike = list(found.values())
        return self._alike


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether what a Service or budget selects by, as its gist has it, matches."""
    try:
        return matches(selector, labels)
    except (AttributeError, TypeError, KeyError):  # a selector of a bundle that is none
        return False


def repels(pod: Mapping[str, Any]) -> bool:
    try:
        rules = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
        return bool(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
    except AttributeError:  # as above
        return False
