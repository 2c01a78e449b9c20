"""User guardrails as data: what a rule is for, when it applies, what follows, and who is excepted until when.

`documents` reads them from YAML, `judge` applies them. A set of rules is named by the digest of the texts it was read
from, so that what judged a change can always be shown again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from kubesteward_policies.digest import digest

NAMES = frozenset(
    {
        "change",
        "call",
        "object",
        "oldObject",
        "namespaceObject",
        "rehearsal",
        "request",
        "cluster",
        "now",
        "autonomy",
    }
)
"""The variables of a condition; `docs/policies.md` says what is in them."""
_REHEARSAL = re.compile(r"\brehearsal\b")


class Effect(StrEnum):
    """From mild to strict, as they are listed here."""

    WARN = "warn"
    REQUIRE_APPROVAL = "require_approval"
    REQUIRE_TWO = "require_two"
    DENY = "deny"

    @property
    def rank(self) -> int:
        return list(Effect).index(self)


class RulesInvalid(ValueError):
    """A file of rules cannot be used; the text begins with `file:line:`."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which calls a rule looks at: empty means any. Patterns take `*` and `?`; of several one has to fit.

    `labels` are those of the object (key and pattern of the value), all of which have to fit.
    """

    tools: tuple[str, ...] = ()
    tiers: tuple[int, ...] = ()
    verbs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Exemption:
    """Where a rule is waived: for a written reason, by somebody, and never for ever."""

    match: Match
    justification: str
    granted_by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Rule:
    """`conditions` are CEL; the effect follows when all of them hold for a call that `match` fits."""

    id: str
    effect: Effect
    message: str
    remediation: str
    description: str = ""
    match: Match = Match()
    conditions: tuple[str, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    source: str = ""
    line: int = 0

    @property
    def rehearsed(self) -> bool:
        """Whether it wants to know what the rehearsal found, and so has to wait for it."""
        return any(_REHEARSAL.search(condition) for condition in self.conditions)


@dataclass(frozen=True)
class RuleSet:
    """Rules in the order of their files, and the texts: pairs of a name and what stands in it."""

    rules: tuple[Rule, ...]
    sources: tuple[tuple[str, str], ...]

    @cached_property
    def digest(self) -> str:
        return digest_of(self.sources)


def digest_of(sources: tuple[tuple[str, str], ...]) -> str:
    """The name of a set: the digest of its texts in their order."""
    return digest({"sources": [list(pair) for pair in sources]})
