"""Where a brain is, and whether what it is told stays on the premises.

An address that somebody configured is judged as every outgoing one, and more narrowly: a brain is on this machine, or
on a private network where the operator said so, or on the public internet behind TLS. Nothing else is connected to,
whatever the name stands for when it is resolved; so `local` is a fact and not a hope.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from kubesteward.reasoning.brains.base import BrainMisconfigured
from kubesteward_tools import outgoing
from kubesteward_tools.errors import InvalidArguments

Reach = Literal["here", "private", "public"]


@dataclass(frozen=True, slots=True)
class Address:
    """`reach`: the only kind of address that the name in `url` may stand for."""

    url: str
    reach: Reach

    @property
    def proxy(self) -> str | None:
        """The environment's proxy, for public addresses only: what stays here passes through nobody."""
        return outgoing.Outgoing(self.url).proxy if self.reach == "public" else None

    def objection(self, found: str) -> str:
        """Why an IP address that the name stands for is not connected to, "" if it is."""
        encrypted = self.url.startswith("https://")
        if why := outgoing.objection(found, encrypted=encrypted):
            return why
        address = ipaddress.ip_address(found.partition("%")[0])
        meant = outgoing.embedded(address) or [address]
        if self.reach == "here":
            return "" if all(one.is_loopback for one in meant) else "is not on this machine"
        if self.reach == "private":
            private = all(one.is_private for one in meant)
            return "" if private else "is not on a private network, as the brain was said to be"
        public = all(one.is_global and not _is_site_local(one) for one in meant)
        return "" if public else "is a private address, which was not allowed for this brain"


def _is_site_local(one: outgoing.Address) -> bool:
    """Of a private network by a rule that was given up: RFC 3879."""
    return isinstance(one, ipaddress.IPv6Address) and one.is_site_local


def address(url: str, *, private: bool = False) -> Address:
    """A base address out of a configuration.

    Raises:
        BrainMisconfigured: it is no address, is never called, or wants an allowance; without repeating it.
    """
    try:
        checked = outgoing.checked(url, "The address of the brain")
    except InvalidArguments as error:
        raise BrainMisconfigured(error.message, error.todo) from None
    found = Address(checked.url, _reach(urlsplit(checked.url).hostname or "", private=private))
    _check_literal(found)
    return found


def _reach(host: str, *, private: bool) -> Reach:
    if _is_loopback(host):
        return "here"
    return "private" if private else "public"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


def _check_literal(found: Address) -> None:
    """What is an IP address already can be judged before anything is connected."""
    host = urlsplit(found.url).hostname or ""
    try:
        why = found.objection(host if ":" in host else outgoing.numeric(host))
    except OSError:  # a name: judged when it is resolved
        why = ""
    if not why and found.reach == "public" and not found.url.startswith("https://"):
        why = "is called without encryption"
    if why:
        todo = "Give an https address; for one on your own network add --private."
        raise BrainMisconfigured(f"The address of the brain is refused: {host} {why}.", todo)
