"""Ages and spans of time in the short form of kubectl: 45s, 5m, 3h, 2d."""

from __future__ import annotations

import re

from kubesteward_tools.errors import InvalidArguments

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)([smhd])", re.ASCII)


def ago(seconds: float) -> str:
    """`seconds` in the largest unit that fits once or more, rounded down; a negative age is 0s."""
    whole = max(int(seconds), 0)
    for unit in ("d", "h", "m"):
        if whole >= _UNITS[unit]:
            return f"{whole // _UNITS[unit]}{unit}"
    return f"{whole}s"


def seconds(text: str) -> float:
    """The seconds in a span such as 90s, 15m, 2h, 1d or 1h30m; raises InvalidArguments for anything else."""
    span = text.strip()
    parts = _SPAN.findall(span)
    if not parts or "".join(number + unit for number, unit in parts) != span:
        raise InvalidArguments(
            f"{text[:40]!r} is no span of time.", todo="Write a number and a unit: 90s, 15m, 2h or 1d."
        )
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))
