"""Who counts as a person of their own where two have to agree.

Names come from several doors: `local:alice` from a terminal, `token:alice` from a token. The same name behind two doors
is taken for one person, and so are two names on one account of the operating system: it is safer to ask once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ANONYMOUS = frozenset({"", "http:loopback"})
"""Principals behind which anybody may stand."""


@dataclass(frozen=True, slots=True)
class Person:
    """`account` is the operating system's, "" where it is not known, as of somebody who came with a token."""

    principal: str
    account: str = ""


def same(one: Person, other: Person) -> bool:
    """Whether both may be one person."""
    named = _name(one.principal) == _name(other.principal)
    return named or bool(one.account and one.account == other.account)


def objection(needed: int, requester: Person, agreed: Sequence[Person], newcomer: Person) -> str:
    """Why the yes of `newcomer` does not count after those of `agreed`, "" where it does.

    One person may be anybody whom the channel lets decide. Of two, the second is neither the first nor the requester.
    """
    if needed < 2:
        return ""
    if newcomer.principal in ANONYMOUS:
        return f"two persons have to agree, and nobody knows who {newcomer.principal or 'that'!r} is"
    if any(same(newcomer, item) for item in agreed):
        return f"{newcomer.principal!r} has agreed already: the second has to be somebody else"
    if agreed and same(newcomer, requester):
        return f"{newcomer.principal!r} asked for it and cannot be the second to agree"
    return ""


def _name(principal: str) -> str:
    """Without the door before it and the realm behind it: `oidc:alice@example.com` and `local:alice` are one."""
    name = principal.partition(":")[2] if ":" in principal else principal
    return name.strip().rpartition("\\")[2].partition("@")[0].casefold()
