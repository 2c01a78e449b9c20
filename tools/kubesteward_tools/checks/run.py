"""Runs checks over objects. What cannot be judged is told as such, and never as fine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from kubesteward_policies import checking
from kubesteward_policies import checks as shipped
from kubesteward_policies.cel import Failed, Invalid, Undecided
from kubesteward_policies.check import UNITS, WORKLOAD, Check, Severity, read
from kubesteward_policies.checking import Situation
from kubesteward_policies.ref import Ref
from kubesteward_tools.checks.ignoring import reason_for
from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.natives import NATIVES, Told
from kubesteward_tools.checks.related import related
from kubesteward_tools.checks.units import Path, at, containers
from kubesteward_tools.plans.documents import Place
from kubesteward_tools.twin.cel import compiled

EXEMPT = "exemptImages"
"""A parameter of every check of containers: patterns (`*`, `?`) of images that it passes over."""

_MALFORMED = (AttributeError, TypeError, KeyError, ValueError)
"""What code meets in an object that no server has looked at. The other checks, and the other objects, go on."""
_TYPE = "a field of it, or of what it belongs with, is not of the type that it should be"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check that one object fails. `ignored` is the reason somebody gave for living with it, or ""."""

    check: Check
    severity: Severity
    object: Ref
    message: str
    path: Path = ()
    place: Place | None = None
    ignored: str = ""
    details: Mapping[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """`spec.containers[0].image`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).removeprefix(".")


@dataclass(frozen=True)
class Asked:
    """Which checks are to run. `target` is a minor version of Kubernetes; None means the newest known."""

    frameworks: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    ignored: Mapping[str, str] = field(default_factory=dict)
    target: int | None = None
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def chosen(self, check: Check) -> bool:
        if not all(self.settings(check).get(name) for name in check.needs):
            return False
        if self.only:
            return check.id in self.only
        if self.frameworks:
            return not self.frameworks.isdisjoint(check.frameworks)
        return not check.optional or check.id in self.params

    def settings(self, check: Check) -> dict[str, Any]:
        return {**check.params, **self.params.get(check.id, {})}


@dataclass(frozen=True)
class Report:
    """`outcomes` by object, the gravest first; `problems` say what could not be judged."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[str, ...]
    objects: int
    checks: int

    @property
    def open(self) -> tuple[Outcome, ...]:
        """Those that nobody chose to live with."""
        return tuple(item for item in self.outcomes if not item.ignored)


@cache
def catalogue() -> tuple[Check, ...]:
    """Every check that is shipped, by id."""
    return tuple(read(name, text) for name, text in shipped.texts())


def run(
    inventory: Inventory,
    asked: Asked,
    *,
    checks: Sequence[Check] | None = None,
    about: Iterable[Subject] | None = None,
) -> Report:
    """The checks asked for over every object that no controller made; `about` names the only ones to check."""
    chosen = [item for item in (catalogue() if checks is None else checks) if asked.chosen(item)]
    subjects = [item for item in inventory.subjects if not item.owned] if about is None else list(about)
    outcomes: list[Outcome] = []
    problems: list[str] = []
    for subject in subjects:
        one = _One(subject, inventory, asked)
        for check in chosen:
            if _looks_at(check, subject):
                try:
                    outcomes += one.outcomes(check)
                except (Failed, Invalid, Undecided) as error:
                    problems.append(f"{subject.ref}: {check.id} could not be judged: {error}")
                except _MALFORMED:
                    problems.append(f"{subject.ref}: {check.id} could not be judged: {_TYPE}")
    outcomes.sort(key=lambda item: (item.object, -item.severity.rank, item.check.id, item.path and str(item.path)))
    return Report(tuple(outcomes), tuple(problems), len(subjects), len(chosen))


def _looks_at(check: Check, subject: Subject) -> bool:
    if WORKLOAD in check.kinds and subject.part is not None:
        return True
    return subject.ref.kind in check.kinds or "*" in check.kinds


class _One:
    """One object with what its checks share."""

    def __init__(self, subject: Subject, inventory: Inventory, asked: Asked) -> None:
        self._subject = subject
        self._inventory = inventory
        self._asked = asked
        self._related: dict[str, list[Any]] = {}
        part = subject.part
        self._base: Situation = {
            "object": subject.obj,
            "kind": subject.ref.kind,
            "workload": part is not None,
            "pod": part.spec if part else {},
            "metadata": part.metadata if part else {},
            "container": {},
            "role": "",
            "item": None,
            "whole": inventory.whole,
            "target": asked.target or 0,
        }

    def outcomes(self, check: Check) -> Iterator[Outcome]:
        """Raises Failed, Invalid, Undecided."""
        base = {**self._base, "params": self._asked.settings(check), "related": self._relations(check)}
        for path, situation in self._units(check, base):
            if checking.concerns(check, situation, compiled):
                for told in _told(check, situation, self._subject, self._asked):
                    yield self._outcome(check, path, situation, told)

    def _relations(self, check: Check) -> Mapping[str, list[Any]]:
        missing = check.related.difference(self._related)
        self._related.update(related(missing, self._subject, self._inventory))
        return {name: self._related[name] for name in check.related}

    def _units(self, check: Check, base: Situation) -> Iterator[tuple[Path, Situation]]:
        part = self._subject.part
        if check.each in {"container", "main"}:
            exempt = base["params"].get(EXEMPT) or ()
            for path, container in containers(part, main=check.each == "main") if part else ():
                if any(fnmatchcase(str(container.get("image", "")), pattern) for pattern in exempt):
                    continue
                yield path, {**base, "container": container, "role": _ROLES[str(path[-2])]}
        elif check.each in {"pod", "template"}:
            if part is not None:
                yield (*part.path, *(("spec",) if check.each == "pod" else ())), base
        elif check.each in UNITS:
            yield (), base
        else:
            for number, item in enumerate(checking.items(check, base, compiled)):
                yield _item_path(check.each, number, self._subject), {**base, "item": item}

    def _outcome(self, check: Check, path: Path, situation: Situation, told: Told) -> Outcome:
        full = (*path, *(told.path or _steps(check.field)))
        name = (situation["container"] or {}).get("name")
        message = f"container {name}: {told.message}" if name else told.message
        place = self._subject.place(full)
        severity = told.severity or check.severity
        ignored = self._asked.ignored.get(check.id) or reason_for(check.id, self._subject)
        return Outcome(check, severity, self._subject.ref, message, full, place, ignored, told.details)


_ROLES = {"containers": "main", "initContainers": "init", "ephemeralContainers": "ephemeral"}


def _told(check: Check, situation: Situation, subject: Subject, asked: Asked) -> Iterable[Told]:
    if check.native:
        return NATIVES[check.native](situation, subject, asked.target)
    if checking.fails(check, situation, compiled):
        return [Told(checking.message(check, situation, compiled))]
    return []


def _item_path(each: str, number: int, subject: Subject) -> Path:
    """Where an item stands, as far as the expression is a plain path: `object.?spec.?rules.orValue([])`."""
    plain = each.replace("?", "").replace(".orValue([])", "")
    steps = tuple(plain.split("."))[1:] if all(part.isidentifier() for part in plain.split(".")) else ()
    root = (*subject.part.path, "spec") if subject.part and plain.startswith("pod.") else ()
    path = (*root, *steps)
    return (*path, number) if steps and isinstance(at(subject.obj, path), list) else ()


def _steps(field: str) -> Path:
    return tuple(field.split(".")) if field else ()
