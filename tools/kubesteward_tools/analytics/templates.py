"""Records that differ only in numbers and ids are one template, with a count: the shape of a long log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from kubesteward_tools.analytics.records import Level, Record

_SHOWN = 300
_STAMP = re.compile(
    r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s*"
    r"|^[IWEFD]\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ "
)
_PARTS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # UUID
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"  # IPv4
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*"
    r"|\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b"
    r"|\b\d+(?:\.\d+)?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Template:
    """`shape` has `*` for what varies; `level` is the worst of its records."""

    shape: str
    count: int
    level: Level
    example: str


@dataclass(frozen=True, slots=True)
class Spike:
    """A minute (epoch seconds of its start) with far more errors than usual."""

    minute: float
    errors: int
    usual: float


def shape(text: str) -> str:
    return _PARTS.sub("*", _STAMP.sub("", text.partition("\n")[0][: 2 * _SHOWN]))[:_SHOWN].strip()


def templates(found: Sequence[Record]) -> list[Template]:
    """The worst first, then the most frequent."""
    counts, newest, worst = Counter[str](), dict[str, Record](), dict[str, Level]()
    for record in found:
        of = shape(record.text)
        counts[of] += 1
        newest[of] = record
        worst[of] = max(record.level, worst.get(of, Level.DEBUG))
    every = [Template(of, count, worst[of], newest[of].first.text[:_SHOWN]) for of, count in counts.items()]
    return sorted(every, key=lambda item: (-item.level, -item.count, item.shape))


def spikes(found: Sequence[Record]) -> list[Spike]:
    """Minutes with at least five errors and three times as many as the median minute."""
    errors = Counter(int(item.first.at // 60) for item in found if item.level >= Level.ERROR and item.first.at)
    minutes = {int(item.first.at // 60) for item in found if item.first.at}
    if len(minutes) < 3:
        return []
    usual = median(errors.get(minute, 0) for minute in range(min(minutes), min(max(minutes), min(minutes) + 10080) + 1))
    return [
        Spike(minute * 60.0, count, usual)
        for minute, count in sorted(errors.items())
        if count >= 5 and count >= 3 * max(usual, 1)
    ]
