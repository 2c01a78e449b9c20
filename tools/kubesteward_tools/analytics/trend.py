"""Where a course is going and when it will meet its limit, as far as its samples can tell, which is often not at all.

A line is fitted over an hour, a day and a week. The longest window that shows a clear one is believed, unless a shorter
one shows that it has ended; a shorter one is believed against a longer one only where it leads to what that has never
seen. Pure arithmetic on samples: no clock, no cluster.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

from kubesteward_tools.analytics.lines import EXACT, Crossing, Line, Points, fit, median, spaced, thinned
from kubesteward_tools.analytics.resets import resets
from kubesteward_tools.analytics.seasons import Days, without_days

HOUR, DAY, WEEK = 3600.0, 86400.0, 604800.0
WINDOWS = (WEEK, DAY, HOUR)
FEWEST = 12
"""Samples that a line is fitted to at the least."""
SHORTEST = 300.0
"""Seconds that they must cover."""
REACH = 24.0
"""How many times the span of its samples a line is followed: an hour of them says something about a day at most."""
_LAGS = 3.0
"""Deviations of its noise that the newest samples may stay behind a line."""
_MOST = 400
_FITTED = 200
_FURTHER = 1.5
_TEETH = 3
"""Falls from which on a course is called a saw-tooth; two are enough where they are alike."""
_SAME = 0.15
"""Share of the height by which such falls may differ."""
_PARTS = (0.5, 0.25)
_MOSTLY = 0.75
"""Shares of the window that are looked at for themselves, and of their growth that has to be without example."""
_FLOORS = 5
_TOP = 0.9
"""Share of the limit; teeth that end above it are ended by it."""

Verdict = Literal["full", "exhausting", "growing", "recurring", "steady", "falling", "unknown"]


@dataclass(frozen=True, slots=True)
class Trend:
    """`full`: at its limit now. `exhausting`: clearly on its way there within the horizon. `growing`: clearly, but
    not within the horizon, or without a limit, or further than samples reach. `recurring`: it has come and gone before.

    `value` is the last sample, `slope` per hour; `crossing` in the samples' seconds, set for `exhausting` and, as far
    as the samples reach, for `growing`. `notes` are sentences.
    """

    verdict: Verdict
    value: float
    points: int
    span: float
    line: Line | None = None
    crossing: Crossing | None = None
    falls: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def slope(self) -> float | None:
        return None if self.line is None else self.line.slope * HOUR


@dataclass(frozen=True, slots=True)
class _Window:
    """`lag` is by how much the newest twentieth of its samples stays behind the line; `days` what was taken out."""

    length: float
    line: Line
    lag: float = 0.0
    notes: tuple[str, ...] = field(default=())
    days: Days | None = None


def trend(points: Points, limit: float | None, horizon: float) -> Trend:
    """Of (epoch seconds, value) in order of time. `limit` is None where there is none, `horizon` in seconds."""
    if not points:
        return Trend("unknown", 0.0, 0, 0.0, notes=("not a single sample",))
    whole = Trend("unknown", points[-1][1], len(points), points[-1][0] - points[0][0])
    if limit is not None and _at_limit(points, limit):
        return replace(whole, verdict="full", notes=("at its limit now",))
    starts = resets(thinned(points, _MOST))
    fewer = thinned(points, _MOST)
    falls = tuple(fewer[number][0] for number in starts)
    found = replace(whole, falls=falls)
    if len(falls) >= _TEETH or _alike(fewer, starts):
        return _sawtooth(found, fewer, starts, limit, horizon)
    since = [point for point in points if point[0] >= falls[-1]] if falls else points
    notes = (f"fell back {_times(len(falls))}: fitted since the last time",) if falls else ()
    return _line_of(replace(found, notes=notes), since, limit, horizon)


def _alike(points: Points, starts: Sequence[int]) -> bool:
    """Whether it fell twice from about the same height to about the same depth, having risen in between."""
    if len(starts) != 2:
        return False
    (high, again), (low, lower) = ([points[number - back][1] for number in starts] for back in (1, 0))
    apart = _SAME * max(high, again)
    return abs(high - again) <= apart and abs(low - lower) <= apart and again - low > 2 * apart


def _at_limit(points: Points, limit: float) -> bool:
    """Not by one wild sample alone."""
    return median([value for _, value in points[-3:]]) >= limit


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"


def _line_of(found: Trend, points: Points, limit: float | None, horizon: float) -> Trend:
    span = points[-1][0] - points[0][0]
    if len(points) < FEWEST or span < SHORTEST:
        short = f"{len(points)} sample{'s' * (len(points) != 1)} over {span / 60:.0f} min are too few for a line"
        return replace(found, verdict="unknown", notes=(*found.notes, short))
    windows = _windows(points)
    if not windows:
        return replace(found, verdict="unknown", notes=(*found.notes, "its samples make no line"))
    return _told(found, points, windows, limit, horizon)


def _windows(points: Points) -> list[_Window]:
    """The longest first. One that reaches hardly further back than the next shorter one is left out."""
    end, found = points[-1][0], list[_Window]()
    for length, shorter in zip(WINDOWS, (*WINDOWS[1:], 0.0), strict=True):
        part = [point for point in points if point[0] >= end - length]
        covered = part[-1][0] - part[0][0]
        if covered > _FURTHER * shorter and len(part) >= FEWEST and covered >= SHORTEST:
            made = _fitted(length, part)
            found += [made] if made else []
    return found


def _fitted(length: float, part: Points) -> _Window | None:
    few = spaced(part, _FITTED)
    seasonal = without_days(few)
    if seasonal is None:
        line = fit(few)
        return _Window(length, line, _lag(line, few)) if line else None
    line = fit(seasonal.rest)
    if line is None:
        return None
    fewer = replace(line, independent=max(line.independent * seasonal.share, 1.0))
    lag = math.inf if _has_ended(fewer, seasonal.rest) else _lag(fewer, seasonal.rest)
    notes = ("its daily course is taken out", "its daily peak is what meets the limit")
    return _Window(length, fewer, lag, notes, seasonal)


def _has_ended(line: Line, points: Points) -> bool:
    """Whether its second half or last third, where no shorter window is long enough to tell, has surely less than half
    of its slope.
    """
    for share in (2, 3):
        late = fit(points[-(len(points) // share) :])
        low, high = late.slopes() if late is not None else (-math.inf, math.inf)
        if (line.slope > 0 and high < line.slope / 2) or (line.slope < 0 and low > line.slope / 2):
            return True
    return False


def _parts(points: Points) -> list[_Window]:
    """The last half and the last quarter of the shortest window: what began or bent there makes no line of it all."""
    end, found = points[-1][0], list[_Window]()
    whole = min(end - points[0][0], HOUR)
    for share in _PARTS:
        part = [point for point in points if point[0] >= end - share * whole]
        if len(part) >= FEWEST and end - part[0][0] >= SHORTEST:
            made = _fitted(share * whole, part)
            found += [made] if made else []
    return found


def _begun(windows: Sequence[_Window], points: Points) -> _Window | None:
    """A clear growth of late that is faster than all of it together, for else it levels off, and most of which leads to
    where it never was, for else it wanders.
    """
    overall = max(windows[-1].line.slope, 0.0)
    for part in _parts(points):
        line, risen = part.line, part.line.slope * part.line.span
        earlier = max(value for at, value in points if at < line.first)
        away = line.at(line.last) - earlier > _MOSTLY * risen
        if line.clear and line.slopes()[0] > overall and not _lags(part) and away:
            return part
    return None


def _lag(line: Line, points: Points) -> float:
    """Positive where what rises has not risen, or what falls has not fallen, as the line says."""
    newest = points[-max(len(points) // 20, 3) :]
    behind = median([line.at(at) - value for at, value in newest])
    return behind if line.slope > 0 else -behind


def _lags(window: _Window) -> bool:
    return window.lag > max(_LAGS * window.line.sigma, EXACT * abs(window.line.at(window.line.last)))


def _told(found: Trend, points: Points, windows: Sequence[_Window], limit: float | None, horizon: float) -> Trend:
    chosen = next((item for item in windows if item.line.clear and not _ended(item, windows)), None)
    chosen = chosen or _begun(windows, points)
    if chosen is None:
        past = any(item.line.clear for item in windows)
        ended = ["the growth of a longer window has ended"] if past else []
        return replace(found, verdict="steady", line=windows[0].line, notes=(*found.notes, *ended))
    steeper = _steeper(chosen, windows, points)
    chosen = steeper or chosen
    notes = (*found.notes, *chosen.notes)
    found = replace(found, line=chosen.line, notes=notes)
    if chosen.line.slope < 0:
        return replace(found, verdict="falling")
    if chosen is not windows[0] and not _is_new(chosen, points):
        note = (
            f"the longer window of {_length(windows[0].line.span)} has seen as much before and shows no lasting growth"
        )
        return replace(found, verdict="recurring", notes=(*notes, note))
    if chosen is not windows[0]:
        note = f"new: the {_length(windows[0].line.span)} before have seen nothing like it"
        found = replace(found, notes=(*notes, note))
    if found.span < 2 * DAY:
        note = f"only {_length(found.span)} are known: what a load does every day looks the same"
        found = replace(found, notes=(*found.notes, note))
    return _against(found, chosen.line, limit, horizon, chosen.days)


def _ended(window: _Window, windows: Sequence[_Window]) -> bool:
    """Whether a shorter window is sure that it has less than half of the growth, or the newest samples have left the
    line backwards.
    """
    slope = window.line.slope
    if _lags(window):
        return True
    for other in windows:
        if other.length < window.length:
            low, high = other.line.slopes()
            if (slope > 0 and high < slope / 2) or (slope < 0 and low > slope / 2):
                return True
    return False


def _steeper(chosen: _Window, windows: Sequence[_Window], points: Points) -> _Window | None:
    """A shorter window in which it surely grows twice as fast, to where it never was."""
    for other in reversed(windows):
        twice = other.line.slopes()[0] > 2 * max(chosen.line.slopes()[1], 0.0)
        if other.length < chosen.length and other.line.clear and twice and _is_new(other, points):
            return other
    return None


def _is_new(window: _Window, points: Points) -> bool:
    """Whether it has left, by its noise at least, the range of all that was seen before the window."""
    earlier = [value for at, value in points if at < window.line.first]
    now = window.line.at(window.line.last)
    return not earlier or now > max(earlier) + window.line.sigma


def _against(found: Trend, line: Line, limit: float | None, horizon: float, days: Days | None = None) -> Trend:
    if limit is None:
        return replace(found, verdict="growing")
    met = line.crossing(limit - (days.high if days else 0.0))
    if met is None or met.at <= line.last:
        next_one = line.last + ((days.high_at - line.last) % DAY if days else 0.0)
        met = Crossing(line.last, next_one, max(next_one, met.latest)) if met else None
    if met is None:
        return replace(found, verdict="steady", notes=(*found.notes, "growth within its noise"))
    ahead = met.at - line.last
    if ahead > REACH * line.span:
        note = f"further off than {_length(line.span)} of samples can tell ({_length(REACH * line.span)})"
        return replace(found, verdict="growing", notes=(*found.notes, note))
    return replace(found, verdict="exhausting" if ahead <= horizon else "growing", crossing=met)


def _sawtooth(found: Trend, points: Points, starts: Sequence[int], limit: float | None, horizon: float) -> Trend:
    """Teeth are judged by their floors, and the last one by how long teeth are."""
    floors = [min(points[number : number + 3], key=lambda point: point[1]) for number in starts]
    risen = fit(floors) if len(floors) >= _FLOORS else None
    if risen is not None and risen.clear and risen.slope > 0:
        notes = (f"a saw-tooth ({_times(len(starts))}) whose floors rise: the line is theirs",)
        return _against(replace(found, line=risen, notes=notes), risen, limit, horizon)
    tooth = median([b - a for a, b in pairwise(found.falls)])
    peaks = [points[number - 1][1] for number in starts]
    often = f"a saw-tooth: fell back {_times(len(starts))}, about every {_length(tooth)}"
    found = replace(found, notes=(often,))
    last = _line_of(found, points[starts[-1] :], limit, horizon)
    due = found.falls[-1] + tooth
    if limit is not None and median(peaks) >= _TOP * limit:
        return _at_each_end(last, points[-1][0], due, horizon)
    if last.crossing is not None and last.crossing.at < min(due, points[-1][0] + tooth):
        return last
    return replace(last, verdict="recurring", crossing=None, notes=(*last.notes, "it falls back before its limit"))


def _at_each_end(last: Trend, now: float, due: float, horizon: float) -> Trend:
    """Of teeth that end at the limit: where the last one makes no line, it ends when it is as long as the others."""
    last = replace(last, notes=(*last.notes, "each tooth ends at the limit"))
    if last.crossing is not None or last.verdict == "full":
        return last
    lengths = sorted(b - a for a, b in pairwise(last.falls))
    ends = (max(last.falls[-1] + length, now) for length in (lengths[0], due - last.falls[-1], lengths[-1]))
    met = Crossing(*ends)
    return replace(last, verdict="exhausting" if met.at - now <= horizon else "growing", crossing=met)


def _length(seconds: float) -> str:
    for unit, word in ((DAY, "d"), (HOUR, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds:.0f} s"
