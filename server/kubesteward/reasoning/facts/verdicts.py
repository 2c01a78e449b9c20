"""What a check comes to, and what all checks begin with."""

from __future__ import annotations

from typing import Any

from kubesteward.reasoning.facts.lookup import Facts
from kubesteward.reasoning.loop.state import Claim, Culprit, Found

Verdict = tuple[Found, str]
UNKNOWN: Verdict = ("unknown", "")


def settled(right: bool, why: str) -> Verdict:
    return ("true", "") if right else ("false", why)


def subject_of(claim: Claim) -> Culprit:
    assert claim.subject is not None  # noqa: S101 - `verdict` lets no other one through
    return claim.subject


async def pods_of(claim: Claim, facts: Facts) -> list[dict[str, Any]]:
    """Raises LookupError where it has none: nothing can then be said of them."""
    found = await facts.pods(subject_of(claim))
    if not found:
        raise LookupError("no pods")
    return found
