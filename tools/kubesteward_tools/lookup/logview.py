"""A log as it is shown: what repeats is folded into one line, what does not fit is counted, errors go last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesteward_tools.analytics.records import Level, Record
from kubesteward_tools.analytics.templates import Template, templates
from kubesteward_tools.lookup.logtrim import Trim, nowhere
from kubesteward_tools.twin.clock import timestamp

_MARKS = 2 + 8 + 1 + 1
"""Characters of the mark of context, the word for the level, a blank and the line's end."""

_GAP = 75
"""Characters of the longest sentence about a gap, nearly."""


@dataclass(frozen=True, slots=True)
class Style:
    """`room`, `line` in characters; `frames` are lines of a stack trace; alike records from `fold` on are folded."""

    room: int
    line: int
    frames: int
    fold: int


STYLES = {"concise": Style(4_800, 400, 8, 5), "detailed": Style(24_000, 1_500, 40, 50)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, or several that are alike. `place` is that of the first in the log, `lines` how many it stands for."""

    place: int
    text: str
    level: Level
    first: float
    last: float
    sources: tuple[str, ...]
    count: int = 1
    lines: int = 1
    context: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """Records that are left out for want of room."""

    entries: tuple[Entry, ...]

    @property
    def lines(self) -> int:
        return sum(entry.lines for entry in self.entries)

    @property
    def errors(self) -> int:
        return sum(entry.count for entry in self.entries if entry.level >= Level.ERROR)


@dataclass(frozen=True, slots=True)
class View:
    """`names` are the short names of sources by path, `days` says that the log is of several.
    Every line of the chosen records is in exactly one part."""

    parts: tuple[Entry | Gap, ...]
    names: Mapping[str, str] = field(default_factory=dict)
    days: bool = False

    @property
    def shown(self) -> int:
        return sum(part.lines for part in self.parts if isinstance(part, Entry) and part.count == 1)

    @property
    def folded(self) -> int:
        return sum(part.lines for part in self.parts if isinstance(part, Entry) and part.count > 1)

    @property
    def left_out(self) -> int:
        return sum(part.lines for part in self.parts if isinstance(part, Gap))

    def text(self) -> str:
        return "\n".join(_told(part, self.names, self.days) for part in self.parts)

    def data(self) -> list[dict[str, Any]]:
        return [_datum(part, self.names) for part in self.parts]


def view(
    found: Sequence[Record],
    chosen: Mapping[int, bool],
    names: Mapping[str, str],
    style: Style,
    focus: Callable[[str], int] = nowhere,
) -> View:
    """`chosen` are places of records; False marks those that are only context to the others. `focus` says where in a
    line stands what was asked for."""
    trim = Trim(style.line, style.frames, focus)
    groups = [[place for place, fits in chosen.items() if fits is wanted] for wanted in (True, False)]
    alike = [(places, templates(found[place] for place in places)) for places in groups]
    days = len({found[place].first.at // 86400 for place in chosen if found[place].first.at}) > 1
    for least in (style.fold, 2):
        entries = [
            entry
            for (places, shapes), context in zip(alike, (False, True), strict=True)
            for entry in _entries(found, places, shapes, least, context=context, trim=trim)
        ]
        entries.sort(key=lambda entry: entry.place)
        costs = [_cost(entry, names, days) for entry in entries]
        if sum(costs) <= style.room or not any(least > shape.count > 1 for _, shapes in alike for shape in shapes):
            break
    parts = entries if sum(costs) <= style.room else _fitted(entries, costs, style.room)
    return View(tuple(parts), names, days)


def _cost(entry: Entry, names: Mapping[str, str], days: bool) -> int:
    """The characters of its line, to be had without making it: there may be tens of thousands."""
    clock = (15 if days else 9) if entry.last else 0
    count = len(str(entry.count)) + 2 if entry.count > 1 else 0
    return len(entry.text) + clock * (1 + (entry.count > 1)) + count + len(_who(entry.sources, names)) + _MARKS


def _entries(
    found: Sequence[Record],
    places: Sequence[int],
    shapes: Iterable[Template],
    least: int,
    *,
    context: bool,
    trim: Trim,
) -> Iterable[Entry]:
    for shape in shapes:
        own = [places[at] for at in shape.places]
        if len(own) >= least or (len(own) > 1 and shape.places[-1] - shape.places[0] + 1 == len(own)):
            yield _folded([found[place] for place in own], own[0], shape.shape, trim, context=context)
        else:
            yield from (_single(found[place], place, trim, context=context) for place in own)


def _single(record: Record, place: int, trim: Trim, *, context: bool) -> Entry:
    text = "\n".join([*record.shown.split("\n"), *(line.text for line in record.more)])
    at, source = record.first.at, (record.first.source,)
    return Entry(place, trim.text(text), record.level, at, at, source, 1, record.lines, context)


def _folded(alike: list[Record], place: int, shape: str, trim: Trim, *, context: bool) -> Entry:
    last = alike[-1]
    text = shape
    if last.more or "\n" in last.shown:
        head = shape.removesuffix(f" {last.raised}")  # it stands in the trace, too
        text = "\n".join([head, *last.shown.split("\n")[1:], *(line.text for line in last.more)])
    times = [record.first.at for record in alike if record.first.at] or [0.0]
    sources = tuple(dict.fromkeys(record.first.source for record in alike))
    lines = sum(record.lines for record in alike)
    return Entry(place, trim.text(text), last.level, min(times), max(times), sources, len(alike), lines, context)


def _fitted(entries: Sequence[Entry], costs: Sequence[int], room: int) -> list[Entry | Gap]:
    """Errors first, the worst and rarest, in at most half the room; then what the question picks, from both ends."""
    taken, left = set[int](), room - _GAP
    for order, share in ((_worst(entries), room // 2), (_both_ends(entries), room)):
        reserve = room - share
        for at in order:
            # A gap is split by what is taken from its middle, and closed by what fills it.
            cost = costs[at] + _GAP * (1 - _is_border(at - 1, taken, entries) - _is_border(at + 1, taken, entries))
            if at not in taken and cost <= left - reserve:
                taken.add(at)
                left -= cost
    return list(_with_gaps(entries, taken))


def _is_border(at: int, taken: set[int], entries: Sequence[Entry]) -> bool:
    return at in taken or at < 0 or at >= len(entries)


def _worst(entries: Sequence[Entry]) -> list[int]:
    bad = [at for at, entry in enumerate(entries) if entry.level >= Level.ERROR and not entry.context]
    return sorted(bad, key=lambda at: (-entries[at].level, entries[at].count, -at))


def _both_ends(entries: Sequence[Entry]) -> list[int]:
    """Two from the end for one from the start; context after all that it is context to."""
    order = list[int]()
    for context in (False, True):
        places = [at for at, entry in enumerate(entries) if entry.context is context]
        start, end = 0, len(places)
        while start < end:
            order += places[max(end - 2, start) : end][::-1]
            end -= 2
            order += places[start : min(start + 1, end)]
            start += 1
    return order


def _with_gaps(entries: Sequence[Entry], taken: set[int]) -> Iterable[Entry | Gap]:
    missing = list[Entry]()
    for at, entry in enumerate(entries):
        if at not in taken:
            missing.append(entry)
            continue
        if missing:
            yield Gap(tuple(missing))
            missing = []
        yield entry
    if missing:
        yield Gap(tuple(missing))


def _clock(at: float, *, days: bool) -> str:
    stamp = timestamp(at)
    return f"{stamp[5:10]} {stamp[11:19]}" if days else stamp[11:19]


def _span(first: float, last: float, *, days: bool) -> str:
    if not last:
        return ""
    start, end = _clock(first, days=days), _clock(last, days=days)
    return start if start == end else f"{start}-{end}"


def _told(part: Entry | Gap, names: Mapping[str, str], days: bool) -> str:
    if isinstance(part, Gap):
        span = _span(part.entries[0].first, max(entry.last for entry in part.entries), days=days)
        errors = f", {part.errors} errors" if part.errors else ""
        return f"[... {', '.join(filter(None, (f'{part.lines} lines left out{errors}', span)))}]"
    head = [
        _span(part.first, part.last, days=days),
        f"x{part.count}" if part.count > 1 else "",
        _who(part.sources, names),
        _word(part),
    ]
    return f"{'~ ' if part.context else ''}{' '.join(filter(None, (*head, part.text)))}"


def _who(sources: Sequence[str], names: Mapping[str, str]) -> str:
    first = names.get(sources[0], "")
    return f"{first}+{len(sources) - 1}" if len(sources) > 1 else first


def _word(entry: Entry) -> str:
    """The level, where it is worth saying and the line does not say it."""
    name = "WARN" if entry.level is Level.WARNING else entry.level.name
    return "" if entry.level < Level.WARNING or name in entry.text[:120].upper() else name


def _datum(part: Entry | Gap, names: Mapping[str, str]) -> dict[str, Any]:
    if isinstance(part, Gap):
        return {"left_out": part.lines} | ({"errors": part.errors} if part.errors else {})
    found: dict[str, Any] = {"at": timestamp(part.first)} if part.first else {}
    found |= {"count": part.count, "until": timestamp(part.last)} if part.count > 1 and part.last else {}
    found |= {"count": part.count} if part.count > 1 else {}
    found |= {"source": who} if (who := _who(part.sources, names)) else {}
    found |= {"level": part.level.name} if part.level >= Level.WARNING else {}
    found |= {"context": True} if part.context else {}
    return found | {"text": part.text}
