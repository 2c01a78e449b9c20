"""Formats of strings that the API server checks in custom resources; others say nothing.

Docs: "Validation" of CustomResourceDefinitions; names as in k8s.io/apiextensions-apiserver.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DURATION = re.compile(r"(\d+(\.\d+)?\s*(ns|us|µs|ms|s|m|h|d|w|hours?|minutes?|seconds?|days?|weeks?)\s*)+")


def fits(name: str, text: str) -> bool:
    """Whether a string is of the format `name`."""
    check = _FORMATS.get(name.replace("-", ""))
    if check is None:
        return True
    try:
        return bool(check(text))
    except (ValueError, binascii.Error):
        return False


def _matches(pattern: str, longest: int = 1 << 20) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: len(text) <= longest and compiled.fullmatch(text) is not None


def _uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme or text.startswith("/")) and " " not in text


def _moment(text: str) -> bool:
    return re.match(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", text) is not None and bool(
        datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    )


def _ip(version: int) -> Callable[[str], bool]:
    return lambda text: ipaddress.ip_address(text).version == version


_UUID = _matches(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_FORMATS: dict[str, Callable[[str], object]] = {
    "datetime": _moment,
    "date": date.fromisoformat,
    "duration": lambda text: _DURATION.fullmatch(text.strip()),
    "byte": lambda text: base64.b64decode(text, validate=True) is not None,
    "uri": _uri,
    "email": _matches(r"[^@\s<>]+@[^@\s<>]+"),
    "hostname": _matches(rf"(?i){_LABEL}(\.{_LABEL})*\.?", 255),
    "ipv4": _ip(4),
    "ipv6": _ip(6),
    "cidr": lambda text: "/" in text and ipaddress.ip_network(text, strict=False) is not None,
    "mac": _matches(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}"),
    "uuid": _UUID,
    "uuid3": _UUID,
    "uuid4": _UUID,
    "uuid5": _UUID,
    "hexcolor": _matches(r"(?i)#?([0-9a-f]{3}|[0-9a-f]{6})"),
    "bsonobjectid": _matches(r"(?i)[0-9a-f]{24}"),
    "k8sshortname": _matches(_LABEL, 63),
    "k8slongname": _matches(rf"{_LABEL}(\.{_LABEL})*", 253),
}
"""By name without hyphens, which the server does not compare."""
