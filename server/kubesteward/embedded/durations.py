"""Spans of time as kubectl writes them."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """45s, 5m3s, 59m, 3h12m, 26h, 2d5h, 100d, 2y3d, 9y: two units only where the first is small."""
    total = max(0, int(seconds))
    minutes, hours, days, years = total // 60, total // 3600, total // 86400, total // (86400 * 365)
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return _two(minutes, "m", total % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"


def _two(first: int, unit: str, second: int, smaller: str) -> str:
    return f"{first}{unit}{second}{smaller}" if second else f"{first}{unit}"
