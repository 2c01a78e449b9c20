"""Every address that an operator configures and this server calls (Prometheus, an OAuth issuer, webhooks) passes here.

Who can set a name's address could otherwise make the server ask its cloud's metadata service, or send a token in the
clear. The address is judged where the socket is made, for a name may stand for another one a moment later; redirections
lead nowhere; answers end after some bytes and seconds. Nothing that a model or a cluster says ever becomes an address.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from kubesteward_tools.cluster.proxies import proxy_for
from kubesteward_tools.errors import AskAgain, AskDifferently, InvalidArguments, Refused

if TYPE_CHECKING:
    import aiohttp

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_TIMEOUT = 3.0
TOTAL_TIMEOUT = 10.0
LARGEST = 2**20
"""Bytes of an answer."""

_NEVER = tuple(
    map(
        ipaddress.ip_network,
        (
            "0.0.0.0/8",  # "this network": Linux connects it to itself
            "169.254.0.0/16",  # link-local: the metadata services of AWS, Google, Azure, DigitalOcean, OpenStack
            "100.100.100.200/32",  # Alibaba
            "168.63.129.16/32",  # Azure's host
            "192.0.0.192/32",  # Oracle
            "224.0.0.0/4",
            "255.255.255.255/32",
            "::/128",
            "fe80::/10",
            "fd00:ec2::254/128",  # AWS
            "fd20:ce::254/128",  # Google
            "ff00::/8",
        ),
    )
)
_NAT64 = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::ffff:0:0:0/96", "::/96")))
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data", "instance-data.ec2.internal"})


class ForbiddenAddress(OSError):
    """A name stands for an address that is never called. An OSError: that is what connecting raises."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One configured address that may be called. `plain`: unencrypted even where others may listen."""

    url: str
    plain: bool = False

    @property
    def _parts(self) -> SplitResult:
        return urlsplit(self.url)

    def socket(self, found: Any) -> socket.socket:
        """What aiohttp makes its sockets with: the address is the one that is connected to.

        Raises:
            ForbiddenAddress: it is never called, or not without encryption.
        """
        family, kind, protocol, _, where = found
        why = objection(str(where[0]), encrypted=self.plain or self._parts.scheme == "https")
        if why:
            raise ForbiddenAddress(f"{self._parts.hostname} {why}")
        return socket.socket(family, kind, protocol)

    def session(self, **options: Any) -> aiohttp.ClientSession:
        """A session for this address and no other: it takes no cookies and no proxy of its own accord."""
        import aiohttp

        connector = aiohttp.TCPConnector(socket_factory=self.socket)
        limits = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=TOTAL_TIMEOUT)
        made = {"timeout": limits, "cookie_jar": aiohttp.DummyCookieJar(), **options}
        return aiohttp.ClientSession(connector=connector, trust_env=False, **made)

    @property
    def proxy(self) -> str | None:
        """The proxy of the environment, unless NO_PROXY names the server. It resolves names, by rules of its own."""
        proxies = getproxies()
        return proxy_for(self.url, proxies.get(self._parts.scheme), proxies.get("no"))


def checked(url: str, setting: str, *, plain: bool = False) -> Outgoing:
    """An address out of a setting, without a final slash.

    Raises:
        InvalidArguments: it is no plain http or https address, or is never called. It is not repeated, for it may hold
            a password.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        fits = parts.scheme in {"http", "https"} and bool(host) and parts.port != 0
    except ValueError:
        fits, host = False, ""
    if not fits or not url.isprintable() or not url.isascii() or any(sign in url for sign in " \\#?"):
        raise InvalidArguments(f"{setting} holds something that is no HTTP address.", todo="Write https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise InvalidArguments(f"{setting} holds a user or a password.", todo="Leave what stands before the @ away.")
    why = (
        "is a name of a metadata service"
        if host.rstrip(".").lower() in _METADATA_NAMES
        else _literal(host, parts, plain)
    )
    if why:
        raise InvalidArguments(f"{setting} is refused: {host} {why}.", todo="Give an https address of a server.")
    return Outgoing(url.rstrip("/"), plain)


def _literal(host: str, parts: SplitResult, plain: bool) -> str:
    """What speaks against a host that is an address already, in any way of writing that the system understands."""
    try:
        return objection(host, encrypted=plain or parts.scheme == "https")
    except ValueError:
        pass
    try:
        return objection(numeric(host), encrypted=plain or parts.scheme == "https")
    except OSError:
        return ""


def numeric(host: str) -> str:
    """The IPv4 address that a host is in a way of writing of the system's: `127.1`, `0x7f000001`, `2130706433`.

    Raises:
        OSError: it is a name.
    """
    return socket.inet_ntoa(socket.inet_aton(host))


def objection(address: str, *, encrypted: bool) -> str:
    """Why an IP address is not called, "" if it is.

    Raises:
        ValueError: it is none.
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    for meant in (found, *embedded(found)):
        if any(meant in network for network in _NEVER if network.version == meant.version):
            return "stands for an address that is never called (link-local, metadata or no host's)"
    meant = next(iter(embedded(found)), found)
    if not encrypted and meant.is_global:
        return "is a public address, and nothing is sent there without encryption"
    return ""


def embedded(address: Address) -> list[Address]:
    """The IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64 (RFC 4291, 3056, 4380, 6052,
    2765)."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    teredo = address.teredo[1] if address.teredo else None
    found: list[Address] = [item for item in (address.ipv4_mapped, address.sixtofour, teredo) if item is not None]
    if int(address) > 1 and any(address in network for network in _NAT64):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return found


async def fetch(
    outgoing: Outgoing,
    what: str,
    headers: Mapping[str, str] | None = None,
    *,
    method: str = "GET",
    data: bytes | None = None,
    largest: int = LARGEST,
) -> tuple[int, bytes]:
    """Status and body of one request. `what` names the other side in errors.

    Raises:
        AskAgain: `what` does not answer. Refused: it must not be called. AskDifferently: it redirects or never ends.
    """
    import aiohttp

    try:
        async with (
            outgoing.session() as session,
            session.request(
                method, outgoing.url, data=data, headers=headers, proxy=outgoing.proxy, allow_redirects=False
            ) as answer,
        ):
            if 300 <= answer.status < 400:
                raise AskDifferently(f"{what} answered with a redirection, which is not followed.")
            body = await read(answer, largest)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise unanswered(what, error) from None
    if len(body) > largest:
        raise AskDifferently(f"the answer of {what} is too large.")
    return answer.status, body


async def read(answer: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body, or a little more than `largest` bytes of it."""
    body = bytearray()
    async for chunk in answer.content.iter_chunked(2**16):
        body += chunk
        if len(body) > largest:
            break
    return bytes(body)


def unanswered(what: str, error: BaseException) -> AskAgain | Refused:
    """One sentence for all the ways of not answering."""
    inner = getattr(error, "os_error", error)
    while isinstance(inner, BaseException):
        if isinstance(inner, ForbiddenAddress):
            return Refused(f"{what} is not called: {inner}.", todo="Give the address of another server.")
        inner = inner.__cause__ or inner.__context__
    why = (str(error).partition("\n")[0] or type(error).__name__)[:200]
    return AskAgain(f"{what} does not answer ({why}).")
