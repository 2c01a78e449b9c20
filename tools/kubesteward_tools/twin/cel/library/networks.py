"""Addresses, networks and URLs. API doc: CEL, Kubernetes IP address, CIDR and URL libraries."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from kubesteward_tools.twin.cel.library.function import Function, free, member, typed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Interface | ipaddress.IPv6Interface
_IP, _CIDR, _URL = "ip", "cidr", "url"


def _ip(text: str) -> dict[str, str]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f'IP Address "{text}" parse error during conversion from string') from None
    if address.version == 6 and (address.ipv4_mapped or "%" in text):
        raise ValueError(f'IP Address "{text}" with a zone or mapped from IPv4 is not allowed')
    return {"type": _IP, "value": str(address)}


def _cidr(text: str) -> dict[str, str]:
    wrong = ValueError(f'network address parse error during conversion from string: "{text}"')
    if "/" not in text:
        raise wrong
    try:
        return {"type": _CIDR, "value": str(ipaddress.ip_interface(text))}
    except ValueError:
        raise wrong from None


def _holds(make: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            make(text)
        except ValueError:
            return False
        return True

    return check


def _address(value: Any) -> Address:
    return ipaddress.ip_address(typed(value, _IP))


def _interface(value: Any) -> Network:
    return ipaddress.ip_interface(typed(value, _CIDR))


def _contains_ip(network: Any, address: Any) -> bool:
    found = _address(_ip(address) if isinstance(address, str) else address)
    return found in _interface(network).network


def _contains_cidr(network: Any, inner: Any) -> bool:
    outer, other = _interface(network).network, _interface(_cidr(inner) if isinstance(inner, str) else inner).network
    return outer.version == other.version and other.subnet_of(outer)  # type: ignore[arg-type] # of one version


def _masked(network: Any) -> dict[str, str]:
    return {"type": _CIDR, "value": str(_interface(network).network)}


def _is_global(address: Address) -> bool:
    """As Go has it: private addresses are global unicast too."""
    limited = address == ipaddress.ip_address("255.255.255.255")
    return not (
        limited or address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    )


def _link_local_multicast(address: Address) -> bool:
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ipaddress.ip_network(network)


def _url(text: str) -> dict[str, str]:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid') from None
    if not parts.scheme and not text.startswith("/"):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    return {"type": _URL, "value": text}


def _of(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: read(urlsplit(typed(value, _URL)))


def _host_name(parts: Any) -> str:
    return str(parts.netloc.rpartition("@")[2].rpartition("]")[0].lstrip("[") or (parts.hostname or ""))


FUNCTIONS: tuple[Function, ...] = (
    free("ip", "string", "map", _ip),
    free("isIP", "string", "bool", _holds(_ip)),
    free("ip.isCanonical", "string", "bool", lambda text: _ip(text)["value"] == text),
    member("family", "map", "int", lambda value: _address(value).version),
    member("isUnspecified", "map", "bool", lambda value: _address(value).is_unspecified),
    member("isLoopback", "map", "bool", lambda value: _address(value).is_loopback),
    member("isLinkLocalMulticast", "map", "bool", lambda value: _link_local_multicast(_address(value))),
    member("isLinkLocalUnicast", "map", "bool", lambda value: _address(value).is_link_local),
    member("isGlobalUnicast", "map", "bool", lambda value: _is_global(_address(value))),
    free("cidr", "string", "map", _cidr),
    free("isCIDR", "string", "bool", _holds(_cidr)),
    member("containsIP", "map string", "bool", _contains_ip),
    member("containsIP", "map map", "bool", _contains_ip),
    member("containsCIDR", "map string", "bool", _contains_cidr),
    member("containsCIDR", "map map", "bool", _contains_cidr),
    member("ip", "map", "map", lambda value: _ip(str(_interface(value).ip))),
    member("masked", "map", "map", _masked),
    member("prefixLength", "map", "int", lambda value: _interface(value).network.prefixlen),
    free("url", "string", "map", _url),
    free("isURL", "string", "bool", _holds(_url)),
    member("getScheme", "map", "string", _of(lambda parts: parts.scheme)),
    member("getHost", "map", "string", _of(lambda parts: parts.netloc.rpartition("@")[2])),
    member("getHostname", "map", "string", _of(_host_name)),
    member("getPort", "map", "string", _of(lambda parts: str(parts.port or ""))),
    member("getEscapedPath", "map", "string", _of(lambda parts: quote(parts.path, safe="/%:@!$&'()*+,;=~"))),
    member("getQuery", "map", "map", _of(lambda parts: parse_qs(parts.query, keep_blank_values=True))),
)
