"""Schedules of CronJobs: the five fields of cron, names and shorthands, and the next time that they match.

API doc: batch/v1 CronJobSpec; Kubernetes docs, "CronJob: schedule syntax". A time of day that a change of the clock
skips does not come on that day; one that comes twice comes twice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

_SHORTHANDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s)", re.ASCII)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_LOOKAHEAD = timedelta(days=5 * 366).total_seconds()


class _Field(NamedTuple):
    low: int
    high: int
    names: dict[str, int]


_FIELDS = (
    _Field(0, 59, {}),
    _Field(0, 23, {}),
    _Field(1, 31, {}),
    _Field(1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field(0, 6, {name: number for number, name in enumerate(_WEEKDAYS)}),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that match, field by field; or a distance in seconds, whatever the clock says."""

    minutes: frozenset[int] = frozenset()
    hours: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    months: frozenset[int] = frozenset()
    weekdays: frozenset[int] = frozenset()
    any_day: bool = True
    every: float | None = None

    def next_after(self, moment: float, zone: tzinfo) -> float | None:
        """The first match later than `moment`, in epoch seconds; None when there is none in five years."""
        if self.every is not None:
            return float(int(moment + self.every))
        at = float(int(moment // 60 + 1) * 60)
        while at - moment < _LOOKAHEAD:
            local = datetime.fromtimestamp(at, zone)
            step = self._step(local)
            if not step:
                return at
            at += step
        return None

    def _step(self, local: datetime) -> float:
        """Seconds that can be skipped from a time that does not match; 0 when it does."""
        if local.month not in self.months or not self._is_day(local):
            midnight = local.replace(hour=0, minute=0, fold=0) + timedelta(days=1)
            return max(60.0, midnight.timestamp() - local.timestamp())
        if local.hour not in self.hours:
            return (60 - local.minute) * 60.0
        return 0.0 if local.minute in self.minutes else 60.0

    def _is_day(self, local: datetime) -> bool:
        """When both the day of the month and that of the week are restricted, either will do."""
        of_month, of_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return (of_month and of_week) if self.any_day else (of_month or of_week)


@lru_cache(maxsize=512)
def parse(text: str) -> Schedule:
    """The schedule that `text` describes.

    Raises:
        ValueError: with what is wrong, as the API server says it.
    """
    if not text:
        raise ValueError("empty spec string")
    if text.startswith("@every "):
        return Schedule(every=_duration(text.removeprefix("@every ")))
    if text.startswith("@") and text not in _SHORTHANDS:
        raise ValueError(f"unrecognized descriptor: {text}")
    parts = _SHORTHANDS.get(text, text).split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(parts)}: [{' '.join(parts)}]")
    found = [_field(part, field) for part, field in zip(parts, _FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = (values for values, _ in found)
    return Schedule(minutes, hours, days, months, weekdays, any_day=found[2][1] or found[4][1])


def _field(text: str, field: _Field) -> tuple[frozenset[int], bool]:
    """The values of a comma-separated list, and whether one of its items stands for all."""
    values: set[int] = set()
    wild = False
    for item in filter(None, text.split(",")):
        chosen, all_of_them = _range(item, field)
        values |= set(chosen)
        wild = wild or all_of_them
    return frozenset(values), wild


def _range(text: str, field: _Field) -> tuple[range, bool]:
    """number, number-number or *, each perhaps with /step."""
    span, *steps = text.split("/")
    first, *lasts = span.split("-")
    if len(lasts) > 1:
        raise ValueError(f"too many hyphens: {text}")
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {text}")
    wild = first in {"*", "?"}
    start = field.low if wild else _number(first, field.names)
    end = field.high if wild else _number(lasts[0], field.names) if lasts else field.high if steps else start
    step = _number(steps[0], {}) if steps else 1
    _check_bounds(text, field, start, end, step)
    return range(start, end + 1, step), wild and step == 1


def _check_bounds(text: str, field: _Field, start: int, end: int, step: int) -> None:
    if start < field.low:
        raise ValueError(f"beginning of range ({start}) below minimum ({field.low}): {text}")
    if end > field.high:
        raise ValueError(f"end of range ({end}) above maximum ({field.high}): {text}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {text}")
    if not step:
        raise ValueError(f"step of range should be a positive number: {text}")


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    return int(text)


def _duration(text: str) -> float:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f'failed to parse duration @every {text}: time: invalid duration "{text}"')
    return max(1.0, float(int(sum(float(number) * _SECONDS[unit] for number, unit in parts))))
