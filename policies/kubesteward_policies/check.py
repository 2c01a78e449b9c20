"""A check as data: what it looks at, when an object fails it, and what somebody should know and do then.

Guardrails (`rules`) judge changes; checks judge objects as they stand. A check's text is read strictly: a key that is
not known is refused, for a misspelt one would be a check that never speaks.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from kubesteward_policies.cel import Compile, Invalid, Undecided

NAMES = frozenset(
    {
        "object",
        "kind",
        "workload",
        "pod",
        "metadata",
        "container",
        "role",
        "item",
        "params",
        "related",
        "whole",
        "target",
    }
)
"""The variables of an expression; `docs/checks.md` says what is in them."""
CATEGORIES = ("security", "access", "reliability", "efficiency", "network", "lifecycle", "hygiene")
FRAMEWORKS = ("cis", "nsa", "mitre", "pss", "kubescape")
UNITS = ("object", "pod", "container", "main", "template")
"""`main` are the containers that go on running, `container` also init and ephemeral ones; `template` is a pod's
metadata and spec together. Anything else is an expression for a list, each of whose values becomes `item`."""
WORKLOAD = "Workload"
"""As a kind: whatever runs pods by a template, and a bare Pod."""
_HOLE = re.compile(r"\{\{(.+?)\}\}", re.DOTALL)
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RELATED = re.compile(r"\brelated\.\??([a-zA-Z]+)")


class Severity(StrEnum):
    """From mild to grave, as they are listed here."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class CheckInvalid(ValueError):
    """The text is no check; the message begins with its name."""


@dataclass(frozen=True)
class Check:
    """`fails` is an expression that is true of what is wrong, or "" where `native` names the code that tells.

    `kinds` are those it looks at, `each` is one of UNITS or an expression, `field` the path of what is wrong from the
    unit on. `message` may hold `{{expressions}}`. `optional` ones run only when they are asked for by name, by a
    framework or by parameters; one without its `needs` never does.
    """

    id: str
    title: str
    category: str
    severity: Severity
    kinds: tuple[str, ...]
    why: str
    fix: str
    message: str
    fails: str = ""
    native: str = ""
    each: str = "object"
    when: str = ""
    field: str = ""
    optional: bool = False
    needs: tuple[str, ...] = ()
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    frameworks: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    cases: Mapping[str, tuple[Any, ...]] = dataclasses.field(default_factory=dict)

    @cached_property
    def expressions(self) -> tuple[str, ...]:
        each = () if self.each in UNITS else (self.each,)
        return tuple(filter(None, (*each, self.when, self.fails, *_HOLE.findall(self.message))))

    @cached_property
    def related(self) -> frozenset[str]:
        """What it wants to know of other objects."""
        return frozenset(name for text in self.expressions for name in _RELATED.findall(text))


_REQUIRED = ("title", "category", "severity", "kinds", "why", "fix", "message", "cases")
_TEXTS = ("title", "category", "severity", "why", "fix", "message", "fails", "native", "each", "when", "field")
_OTHERS = ("kinds", "optional", "needs", "params", "frameworks", "cases")


def read(name: str, text: str, compiled: Compile | None = None) -> Check:
    """The check of one file; `name` is the file's without its ending. With `compiled`, its expressions are tried.

    Raises:
        CheckInvalid: it cannot be used.
    """
    found = _loaded(name, text)
    for key in _REQUIRED:
        if not found.get(key):
            raise CheckInvalid(f"{name}: {key!r} is missing")
    if bool(found.get("fails")) == bool(found.get("native")):
        raise CheckInvalid(f"{name}: it needs either `fails` or `native`")
    _check_words(name, found)
    check = _made(name, found)
    if compiled is not None:
        _try(check, compiled)
    return check


def _made(name: str, found: Mapping[str, Any]) -> Check:
    rest: dict[str, Any] = {key: found[key].strip() for key in _TEXTS if key in found and key != "severity"}
    return Check(
        id=name,
        severity=Severity(found["severity"]),
        kinds=tuple(found["kinds"]),
        needs=tuple(found.get("needs", ())),
        optional=bool(found.get("optional")),
        params=found.get("params") or {},
        frameworks={key: tuple(map(str, value)) for key, value in (found.get("frameworks") or {}).items()},
        cases={key: tuple(value) for key, value in found["cases"].items()},
        **rest,
    )


def _loaded(name: str, text: str) -> dict[str, Any]:
    import yaml

    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - the safe one, in C
    except yaml.YAMLError as error:
        raise CheckInvalid(f"{name}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, dict):
        raise CheckInvalid(f"{name}: a check is a mapping")
    for key, value in found.items():
        if key not in {*_TEXTS, *_OTHERS}:
            raise CheckInvalid(f"{name}: a check has no {key!r}")
        if key in _TEXTS and not isinstance(value, str):
            raise CheckInvalid(f"{name}: {key!r} is a text")
    return found


def _check_words(name: str, found: Mapping[str, Any]) -> None:
    if not _ID.fullmatch(name):
        raise CheckInvalid(f"{name}: no id: lower-case words joined by -")
    if found["category"] not in CATEGORIES:
        raise CheckInvalid(f"{name}: category is one of {', '.join(CATEGORIES)}")
    if found["severity"] not in list(Severity):
        raise CheckInvalid(f"{name}: severity is one of {', '.join(Severity)}")
    for framework in found.get("frameworks") or {}:
        if framework not in FRAMEWORKS:
            raise CheckInvalid(f"{name}: frameworks are {', '.join(FRAMEWORKS)}")
    if set(found["cases"]) != {"pass", "fail"} or not all(isinstance(item, list) for item in found["cases"].values()):
        raise CheckInvalid(f"{name}: cases are two lists, `pass` and `fail`")


def _try(check: Check, compiled: Compile) -> None:
    for expression in check.expressions:
        try:
            compiled(expression, NAMES)
        except (Invalid, Undecided) as error:
            raise CheckInvalid(f"{check.id}: {expression!r}: {str(error).splitlines()[0]}") from None
