"""A forecast as one SVG: what was measured, the line through it, its doubt, and the limit it is going to meet.

In the style of a rehearsal's picture: nothing is loaded from anywhere, dark and light.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubesteward_tools.analytics.lines import Line
from kubesteward_tools.forecasting.shown import amount, duration, known, used_up
from kubesteward_tools.forecasting.subjects import Forecast
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.pictures.escapes import shortened, xml
from kubesteward_tools.pictures.svg import STYLE

_WIDTH, _HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 90, 30, 66, 40
_TICKS = 4
_BAND = 24
_CHARACTER = 6.6
_DRAWN = 600
_OWN = """
.course{fill:none;stroke:#0969da;stroke-width:1.5}.fit{stroke:#9a6700;stroke-width:1.5;stroke-dasharray:6 4}
.band{fill:#bf8700;fill-opacity:.18}.limit{stroke:#cf222e;stroke-width:1.5}.met{fill:#cf222e}
@media (prefers-color-scheme:dark){.course{stroke:#4493f8}.fit{stroke:#d29922}.band{fill:#d29922}
.limit{stroke:#f85149}.met{fill:#f85149}}
""".replace("\n", "")


@dataclass(frozen=True, slots=True)
class _Frame:
    """From seconds and values to places."""

    start: float
    end: float
    least: float
    most: float

    def x(self, at: float) -> float:
        share = (min(max(at, self.start), self.end) - self.start) / ((self.end - self.start) or 1.0)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = (min(max(value, self.least), self.most) - self.least) / ((self.most - self.least) or 1.0)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def pictures(found: list[Forecast]) -> str:
    """One below the other; those without a course are left out.

    Raises:
        ValueError: none of them has a course.
    """
    drawn = [item for item in found if len(item.subject.points) > 1]
    if not drawn:
        raise ValueError("there is no course to draw: not enough samples are known.")
    height = _HEIGHT * len(drawn)
    title = f"Forecast of {_label(drawn[0])}" if len(drawn) == 1 else f"{len(drawn)} forecasts"
    said = "; ".join(_sentence(item) for item in drawn[:5])
    size = f'width="{_WIDTH}" height="{height}" viewBox="0 0 {_WIDTH} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">'
    lines = [
        head,
        f'<title id="title">{xml(title)}</title>',
        f'<desc id="desc">{xml(said)}</desc>',
        f"<style>{STYLE}{_OWN}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{height}"/>',
    ]
    for number, item in enumerate(drawn):
        lines += [f'<g transform="translate(0 {number * _HEIGHT})">', *_picture(item), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _label(item: Forecast) -> str:
    return sentence(item.subject.label)


def _sentence(item: Forecast) -> str:
    return f"{item.subject.metric} of {_label(item)}: used up in {used_up(item)}"


def _picture(item: Forecast) -> Iterator[str]:
    frame, subject = _frame(item), item.subject
    left = item.left
    ahead = f"used up in {used_up(item)}" if left is not None else used_up(item)
    yield _text(24, 28, f"{subject.metric} of {_label(item)}", "text head")
    yield _text(24, 48, f"{item.severity}: {ahead}; {known(item)}", "dim")
    yield from _axes(frame, item)
    line = item.trend.line
    if line is not None and line.span:
        goes_on = item.trend.verdict in {"exhausting", "growing"}
        yield from _fitted(frame, line, frame.end if goes_on else line.last)
    yield f'<polyline class="course" points="{" ".join(_places(frame, item))}"/>'
    if subject.limit is not None:
        yield from _limit(frame, item)
    now = frame.x(item.end)
    yield f'<line class="rule" x1="{now}" y1="{_TOP}" x2="{now}" y2="{_HEIGHT - _BOTTOM}"/>'


def _frame(item: Forecast) -> _Frame:
    """As much of the future as of the past, or up to the limit where that is not much farther."""
    points, crossing, limit = item.subject.points, item.trend.crossing, item.subject.limit
    span = points[-1][0] - points[0][0]
    ahead = span if crossing is None else min(max((crossing.latest - item.end) * 1.1, span / 4), 4 * span)
    values = [value for _, value in points] + ([limit] if limit is not None and _shows_limit(item) else [])
    least, most = min(values), max(values)
    room = (most - least) * 0.08 or abs(most) * 0.1 or 1.0
    return _Frame(points[0][0], item.end + ahead, max(least - room, 0.0) if least >= 0 else least - room, most + room)


def _shows_limit(item: Forecast) -> bool:
    """A limit that is far away would press the course flat."""
    limit, most = item.subject.limit, max(value for _, value in item.subject.points)
    return limit is not None and (item.trend.crossing is not None or limit <= 4 * most)


def _places(frame: _Frame, item: Forecast) -> Iterator[str]:
    points = item.subject.points
    step = max(1, len(points) // _DRAWN)
    for at, value in [*points[:-1:step], points[-1]]:
        yield f"{frame.x(at)},{frame.y(value)}"


def _fitted(frame: _Frame, line: Line, last: float) -> Iterator[str]:
    """A line that is not believed to go on ends with its samples."""
    first = max(line.first, frame.start)
    times = [first + (last - first) * number / _BAND for number in range(_BAND + 1)]
    upper = [f"{frame.x(at)},{frame.y(line.at(at) + line.margin(at))}" for at in times]
    lower = [f"{frame.x(at)},{frame.y(line.at(at) - line.margin(at))}" for at in reversed(times)]
    yield f'<polygon class="band" points="{" ".join([*upper, *lower])}"/>'
    end = _inside(frame, line, last)
    yield (
        f'<line class="fit" x1="{frame.x(first)}" y1="{frame.y(line.at(first))}" '
        f'x2="{frame.x(end)}" y2="{frame.y(line.at(end))}"/>'
    )


def _inside(frame: _Frame, line: Line, last: float) -> float:
    """The last moment at which the line is within the frame."""
    if not line.slope:
        return last
    edge = frame.most if line.slope > 0 else frame.least
    return min(last, line.middle + (edge - line.height) / line.slope)


def _limit(frame: _Frame, item: Forecast) -> Iterator[str]:
    limit = item.subject.limit
    if limit is None or not frame.least <= limit <= frame.most:
        return
    y = frame.y(limit)
    yield f'<line class="limit" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>'
    above = y - 5 if y - 18 > _TOP else y + 14  # the uppermost rule would strike it out
    yield _text(_LEFT + 6, above, f"{item.subject.word} {amount(item.subject, limit)}", "text")
    crossing = item.trend.crossing
    if crossing is not None and crossing.at <= frame.end:
        yield f'<circle class="met" cx="{frame.x(crossing.at)}" cy="{y}" r="4"/>'


def _axes(frame: _Frame, item: Forecast) -> Iterator[str]:
    for number in range(_TICKS + 1):
        value = frame.least + (frame.most - frame.least) * number / _TICKS
        y = frame.y(value)
        yield f'<line class="rule" x1="{_LEFT}" y1="{y}" x2="{_WIDTH - _RIGHT}" y2="{y}"/>'
        shown = xml(amount(item.subject, value))
        yield f'<text class="dim" x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{shown}</text>'
    for at, word, anchor in (
        (frame.start, f"{duration(item.end - frame.start)} ago", "start"),
        (item.end, "now", "middle"),
        (frame.end, f"in {duration(frame.end - item.end)}", "end"),
    ):
        y = _HEIGHT - _BOTTOM + 18
        yield f'<text class="dim" x="{frame.x(at)}" y="{y}" text-anchor="{anchor}">{xml(word)}</text>'


def _text(x: float, y: float, text: str, classes: str) -> str:
    return f'<text class="{classes}" x="{x}" y="{y}">{xml(shortened(text, int((_WIDTH - x - 24) / _CHARACTER)))}</text>'
