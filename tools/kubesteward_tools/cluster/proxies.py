"""Whom a proxy of the environment is for, as kubectl takes it: NO_PROXY may name hosts, domains, blocks and ports."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies


def proxy_for(url: str, proxy: str | None, no_proxy: str | None) -> str | None:
    """The proxy to reach `url` through. A proxy that only the kubeconfig names is meant for this very server."""
    if not proxy or proxy not in getproxies().values():
        return proxy or None
    return None if _direct(url, no_proxy or "") else proxy


def _direct(url: str, no_proxy: str) -> bool:
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    return any(_names(item.strip().lower(), host, port, address) for item in no_proxy.split(","))


def _names(item: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bool:
    """Whether one item of NO_PROXY names the server."""
    name, colon, wanted = item.rpartition(":")
    if colon and wanted.isdecimal() and (":" not in name or name.endswith("]")):
        if int(wanted) != port:
            return False
        item = name
    item = item.strip("[]").lstrip(".")
    if address is None:
        return item == "*" or (bool(item) and (host == item or host.endswith(f".{item}")))
    try:
        return item == "*" or address in ipaddress.ip_network(item, strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
