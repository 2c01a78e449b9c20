"""Chooses the fewest ancestors that explain the failures: a greedy set cover over evidence, coverage and specificity.

The score of an ancestor is `weight x coverage x specificity`: coverage is its share of all failing objects that are not
explained yet, specificity the share of what hangs on it that fails. What the failures' own words name, or what is ill
itself, needs less of a pattern than what is only shared: there at least three workloads must fail in one way, at about
one time, nearly all that hang on it, and more than chance would have it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import comb
from typing import Literal

from kubesteward_tools.correlation.ailments import Ailment, ailment, servers
from kubesteward_tools.correlation.ancestors import Ancestor, Ties, of_key, ties
from kubesteward_tools.correlation.failures import Failure
from kubesteward_tools.correlation.families import DEPTH, EXPLAINS
from kubesteward_tools.correlation.populations import Populations
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key

Evidence = Literal["named", "ill", "shared"]
WEIGHTS: Mapping[Evidence, float] = {"named": 1.0, "ill": 0.9, "shared": 0.6}
SLACK = 120.0
"""Seconds by which the sign of a cause may come after what it causes: a node is given up 40 s after its last word."""
SPREAD = 600.0
"""Seconds within which failures count as beginning together where nothing but what they share speaks for a cause."""
SOON = 3600.0
"""Seconds after a roll-out within which what fails may come from it."""
_LEAST: Mapping[Evidence, float] = {"named": 0.0, "ill": 0.3, "shared": 0.6}
"""Specificity that is asked for."""
_LIKELY = 0.01
"""Above this chance, what is shared says nothing."""
_ALIKE = 3
"""Workloads that have to fail alike where nothing but what they share speaks for a cause."""
_HOPS = 4
_ACTIVE = frozenset({"admission", "capacity", "registry", "class"})
"""What only new pods meet; for these the words of the failures are not enough."""
_IN_PODS = frozenset({"node", "zone", "admission", "capacity", "registry"})
"""Of which pods are counted rather than workloads."""


@dataclass(frozen=True)
class Incident:
    """`failures` are what the `culprit` explains; `hanging` objects or workloads hang on it, `failing` of them fail.

    `chance` is the probability that so many of those would fail if it had nothing to do with it, where that was asked.
    """

    culprit: Ancestor
    evidence: Evidence
    failures: tuple[Failure, ...]
    hanging: int
    failing: int
    coverage: float
    score: float
    ailment: Ailment | None = None
    chance: float | None = None

    @property
    def specificity(self) -> float:
        return self.failing / self.hanging if self.hanging else 1.0


@dataclass(frozen=True)
class _Option:
    """`direct` are the failures that hang on it themselves."""

    ancestor: Ancestor
    evidence: Evidence
    direct: frozenset[int]
    ill: Ailment | None
    hanging: frozenset[Key]
    chance: float | None


class Cover:
    """Of the failures of one scene. Their order does not matter."""

    def __init__(self, scene: Scene, failures: Sequence[Failure]) -> None:
        self._scene = scene
        self._failures = sorted(failures, key=lambda one: (one.unit, one.family, one.node, one.reason, one.objects))
        self._ties = [ties(scene, one) for one in self._failures]
        self._total = sum(one.count for one in self._failures)
        self._populations = Populations(scene)
        self._by_unit: dict[Key, list[Failure]] = {}
        for one in self._failures:
            self._by_unit.setdefault(one.unit, []).append(one)

    def incidents(self) -> tuple[list[Incident], list[Failure]]:
        """The ancestors that explain several failures, the highest score first, and the failures that stay alone."""
        left, found = set(range(len(self._failures))), list[Incident]()
        options = self._options
        while left and (best := self._best(options, left)) is not None:
            option, reached = best
            found.append(self._incident(option, reached))
            left -= reached
        alone = [self._failures[number] for number in sorted(left)]
        return sorted(found, key=lambda one: (-one.score, one.culprit.kind, one.culprit.name)), alone

    def _best(self, options: Sequence[_Option], left: set[int]) -> tuple[_Option, set[int]] | None:
        ranked = [(option, self._reach(option, left)) for option in options]
        worth = [(option, reached) for option, reached in ranked if self._is_pattern(option, reached)]
        return max(worth, key=lambda item: self._rank(*item), default=None)

    def _rank(self, option: _Option, reached: set[int]) -> tuple[float, int, int, str]:
        near = -DEPTH.index(option.ancestor.kind)
        deeper = int(option.ancestor.kind == "node" and option.evidence == "ill")
        name = option.ancestor.name
        return round(self._score(option, reached), 9), deeper, near, "".join(chr(0x10FFFF - ord(at)) for at in name)

    def _score(self, option: _Option, reached: Collection[int]) -> float:
        return WEIGHTS[option.evidence] * self._coverage(reached) * self._specificity(option, reached)

    def _specificity(self, option: _Option, reached: Collection[int]) -> float:
        failing, hanging = self._counted(option, reached)
        return failing / hanging if hanging else 1.0

    def _coverage(self, reached: Collection[int]) -> float:
        return sum(self._failures[number].count for number in reached) / self._total

    def _is_pattern(self, option: _Option, reached: set[int]) -> bool:
        """Something in common takes two: two workloads, or what is ill and one that suffers from it."""
        kind, evidence = option.ancestor.kind, option.evidence
        least = _LEAST["shared"] if kind in _ACTIVE else _LEAST[evidence]
        if not reached or self._specificity(option, reached) < least:
            return False
        if evidence == "shared":
            return len(self._units(reached & option.direct)) >= _ALIKE
        return len(self._units(reached)) >= 2

    def _units(self, numbers: Collection[int]) -> set[Key]:
        return {self._failures[number].unit for number in numbers}

    def _reach(self, option: _Option, left: set[int]) -> set[int]:
        """What it explains of what is left: what hangs on it, itself, and who calls those that fail because of it."""
        reached = set(option.direct & left)
        if not reached:
            return reached
        key = option.ancestor.key
        reached |= {number for number in left if self._failures[number].unit == key}
        if option.ancestor.kind == "zone":
            reached |= self._nodes_in(option.ancestor) & left
        for _ in range(_HOPS if self._callers & (left - reached) else 0):
            down = self._whole_units(option.direct | reached)
            more = {number for number in self._callers & (left - reached) if self._suffers(number, down)}
            if not more:
                break
            reached |= more
        return reached

    def _nodes_in(self, zone: Ancestor) -> set[int]:
        label, _, value = zone.name.partition("=")
        found = set[int]()
        for number, one in enumerate(self._failures):
            facts = self._scene.store.facts(one.unit) if one.family == "node" else None
            if facts is not None and facts.labels.get(label) == value:
                found.add(number)
        return found

    def _whole_units(self, numbers: Collection[int]) -> dict[Key, float | None]:
        """Workloads all of whose failures are among these, and when the first of them began."""
        there = {id(self._failures[number]) for number in numbers}
        units = {self._failures[number].unit for number in numbers}
        found: dict[Key, float | None] = {}
        for unit in units:
            if all(id(one) in there for one in self._by_unit[unit]):
                found[unit] = min((one.began for one in self._by_unit[unit] if one.began is not None), default=None)
        return found

    def _suffers(self, number: int, down: Mapping[Key, float | None]) -> bool:
        failure = self._failures[number]
        return any(
            unit in down and unit != failure.unit and _is_in_time(down[unit], failure)
            for service in self._ties[number].upstream
            for unit in self._servers.get(service, ())
        )

    @cached_property
    def _callers(self) -> set[int]:
        """Failures of those who call a Service that fails too, and may therefore."""
        return {
            number
            for number, item in enumerate(self._ties)
            if self._failures[number].family in EXPLAINS["workload"]
            and any(self._servers[service] for service in item.upstream)
        }

    @cached_property
    def _servers(self) -> dict[Key, list[Key]]:
        services = {service for item in self._ties for service in item.upstream}
        return {service: servers(self._scene, service, self._by_unit) for service in sorted(services)}

    @cached_property
    def _options(self) -> list[_Option]:
        found: dict[Ancestor, set[int]] = {}
        for number, item in enumerate(self._ties):
            for ancestor in item.ancestors:
                found.setdefault(ancestor, set()).add(number)
            for service in item.upstream:
                for unit in self._servers[service]:
                    if unit != self._failures[number].unit:
                        found.setdefault(of_key("workload", unit), set()).add(number)
        made = (self._option(ancestor, frozenset(found[ancestor])) for ancestor in sorted(found, key=_place))
        return [option for option in made if option is not None]

    def _option(self, ancestor: Ancestor, numbers: frozenset[int]) -> _Option | None:
        """Whether an ancestor can be blamed, by the best evidence that there is against it."""
        ill = ailment(self._scene, ancestor, self._by_unit)
        named = frozenset(number for number in numbers if ancestor in self._ties[number].named)
        if ill is not None:
            in_time = frozenset(number for number in numbers if _is_in_time(ill.since, self._failures[number]))
            kind: Evidence = "named" if named else "ill"
            return self._measured(ancestor, kind, in_time | named if ill.since is None else in_time, ill)
        if named:
            return self._measured(ancestor, "named", named, None)
        if ancestor.kind == "rollout":
            numbers = frozenset(number for number in numbers if self._came_with_it(self._failures[number]))
        return self._shared(ancestor, numbers)

    def _came_with_it(self, failure: Failure) -> bool:
        """Whether the failure began soon after the workload's newest template came."""
        rolled = self._populations.rolled_out(failure.unit)
        return rolled is not None and failure.began is not None and -SLACK <= failure.began - rolled <= SOON

    def _measured(
        self, ancestor: Ancestor, evidence: Evidence, numbers: frozenset[int], ill: Ailment | None
    ) -> _Option | None:
        if not numbers or (len(self._units(numbers)) == 1 and ill is None):
            return None
        return _Option(ancestor, evidence, numbers, ill, self._hanging(ancestor, numbers), None)

    def _hanging(self, ancestor: Ancestor, numbers: Collection[int]) -> frozenset[Key]:
        return self._populations.of(ancestor, [self._failures[number] for number in numbers])

    def _counted(self, option: _Option, reached: Collection[int]) -> tuple[int, int]:
        """How much of what hangs on it is among these failures, and how much hangs on it."""
        chosen = [self._failures[number] for number in option.direct & set(reached)]
        kind, objects = option.ancestor.kind, {key for one in chosen for key in one.objects}
        units = {one.unit for one in chosen}
        if kind in {"node", "zone", "class"}:
            return len((objects | units) & option.hanging), len(option.hanging)
        failing = objects if kind in _IN_PODS else units
        return len(failing), len(option.hanging) + len(failing - option.hanging)

    def _shared(self, ancestor: Ancestor, numbers: frozenset[int]) -> _Option | None:
        """Only that it is shared speaks against it: the largest group that fails alike, at about one time."""
        groups: dict[str, list[int]] = {}
        for number in sorted(numbers):
            groups.setdefault(self._failures[number].family, []).append(number)
        options = [self._group(ancestor, group) for group in groups.values()]
        there = [one for one in options if one is not None]
        return max(there, key=lambda one: (len(one.direct), sorted(one.direct)), default=None)

    def _group(self, ancestor: Ancestor, numbers: list[int]) -> _Option | None:
        together = frozenset(_together(self._failures, numbers))
        units = {self._failures[number].unit for number in together}
        if len(units) < _ALIKE or (ancestor.kind == "node" and not self._is_elsewhere_well(ancestor, units)):
            return None
        option = _Option(ancestor, "shared", together, None, self._hanging(ancestor, together), None)
        if self._specificity(option, together) < _LEAST["shared"]:
            return None  # asked first, for the chance of what very many hang on is dear
        chance = self._chance(ancestor, together, units)
        return replace(option, chance=chance) if chance <= _LIKELY else None

    def _is_elsewhere_well(self, node: Ancestor, units: Collection[Key]) -> bool:
        """Whether the same workloads' pods on other nodes mostly work."""
        name = node.name.rpartition("/")[2]
        bad = sum(one.count for unit in units for one in self._by_unit[unit] if one.node != name)
        pods = [key for unit in units for key in self._scene.pod_keys(unit)]
        others = sum((facts := self._scene.store.facts(key)) is not None and facts.node != name for key in pods)
        return bad * 2 <= others or not bad

    def _chance(self, ancestor: Ancestor, numbers: Collection[int], units: Collection[Key]) -> float:
        """That so many of the workloads that hang on it are among the failing ones of the family, by chance."""
        family = next(self._failures[number].family for number in numbers)
        failing = {one.unit for one in self._failures if one.family == family}
        hanging = self._hanging(ancestor, numbers)
        on_it = {self._scene.owner(key) for key in hanging} | set(units)
        everything = max(self._populations.units, len(on_it | failing))
        return tail(everything, len(failing), len(on_it), len(units))

    def _incident(self, option: _Option, reached: set[int]) -> Incident:
        chosen = tuple(self._failures[number] for number in sorted(reached))
        failing, hanging = self._counted(option, reached)
        return Incident(
            option.ancestor,
            option.evidence,
            chosen,
            hanging,
            failing,
            self._coverage(reached),
            self._score(option, reached),
            option.ill,
            option.chance,
        )


def tail(everything: int, marked: int, drawn: int, hits: int) -> float:
    """The chance of at least `hits` marked ones among `drawn` of `everything` (hypergeometric)."""
    most = min(marked, drawn)
    ways = sum(comb(marked, hit) * comb(everything - marked, drawn - hit) for hit in range(hits, most + 1))
    return ways / comb(everything, drawn)


def _is_in_time(since: float | None, failure: Failure) -> bool:
    return since is None or failure.began is None or since <= failure.began + SLACK


def _together(failures: Sequence[Failure], numbers: Sequence[int]) -> list[int]:
    """The most of them that began within SPREAD; when others began nothing tells."""
    timed = sorted((began, number) for number in numbers if (began := failures[number].began) is not None)
    best: list[int] = []
    start = 0
    for end, (began, _) in enumerate(timed):
        while began - timed[start][0] > SPREAD:
            start += 1
        if end + 1 - start > len(best):
            best = [number for _, number in timed[start : end + 1]]
    return best


def _place(ancestor: Ancestor) -> tuple[int, str]:
    return DEPTH.index(ancestor.kind), ancestor.name


__all__ = ["SLACK", "SPREAD", "WEIGHTS", "Cover", "Evidence", "Incident", "Ties", "tail"]
