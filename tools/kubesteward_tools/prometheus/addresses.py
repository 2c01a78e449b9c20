"""Which Prometheus is whose: one address for the current context, or `context=address` for several."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from kubesteward_tools import outgoing
from kubesteward_tools.errors import InvalidArguments

_TODO = "Write https://prometheus.example:9090, or context=https://... for each, separated by commas."


def addresses(text: str, current: str) -> dict[str, str]:
    """Base addresses by context. One without a context is that of `current`.

    Raises:
        InvalidArguments: an item is no address, or a context has two.
    """
    found: dict[str, str] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        context, equals, address = item.rpartition("=") if "=" in item.partition("://")[0] else ("", "", item)
        context = context.strip() if equals else current
        if context in found:
            raise InvalidArguments(f"KUBESTEWARD_PROMETHEUS_URL gives {_whose(context)} two addresses.", todo=_TODO)
        found[context] = checked(address.strip())
    return found


def _whose(context: str) -> str:
    return f"the context {context!r}" if context else "the current context"


def checked(address: str) -> str:
    """The address without a final slash.

    Raises:
        InvalidArguments: not HTTP, without a host, or with a query. It is not repeated: it may hold a password.
    """
    try:
        parts = urlsplit(address)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or parts.query or parts.fragment or not address.isprintable() or " " in address:
        raise InvalidArguments("KUBESTEWARD_PROMETHEUS_URL holds something that is no HTTP address.", todo=_TODO)
    outgoing.checked(parted(address)[0], "KUBESTEWARD_PROMETHEUS_URL", plain=True)  # whether plain, when it is called
    return address.rstrip("/")


def parted(address: str) -> tuple[str, str]:
    """The address without its credentials, and these as `user:password`, "" where it has none."""
    parts = urlsplit(address)
    credentials, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=host).geturl(), unquote(credentials)


def shown(address: str) -> str:
    """The address without user, password and scheme."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path}"
