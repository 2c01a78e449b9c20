"""A rehearsal as one SVG that needs nothing else: no script, no font, no picture of anywhere. Dark and light.

Sources: SVG 2; WAI-ARIA Graphics (role img, named by title and desc).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubesteward_tools.pictures.escapes import shortened, xml
from kubesteward_tools.pictures.markdown import meaning
from kubesteward_tools.pictures.scenes import Span, Spot, pods, radius, spans
from kubesteward_tools.twin.rehearsal import Rehearsal

_WIDTH, _MARGIN, _ROW, _BOX = 960, 24, 22, 40
_LABELS = 330
"""Width of the names beside the timeline's bars."""
_MARKS = {"start": "+", "stop": "-", "change": "~"}
_LEGEND = "+ starts, - stops, ~ changes"
_CHARACTER = 6.6
"""Width of one at 12 px; generous, for nobody knows the font."""
_COLUMN = (_WIDTH - 2 * _MARGIN - 60) // 3
STYLE = """
.page{fill:#ffffff}.text{fill:#1f2328}.dim{fill:#59636e}.rule{stroke:#d1d9e0}.box{fill:#f6f8fa;stroke:#818b98}
.start{fill:#1a7f37}.stop{fill:#cf222e}.change{fill:#0969da}
.block{fill:#ffebe9;stroke:#cf222e}.warn{fill:#fff8c5;stroke:#9a6700}.info{fill:#ddf4ff;stroke:#0969da}
.arrow{stroke:#818b98;fill:none}text{font-family:system-ui,sans-serif;font-size:12px}.head{font-size:15px;font-weight:600}
@media (prefers-color-scheme:dark){
.page{fill:#0d1117}.text{fill:#f0f6fc}.dim{fill:#9198a1}.rule{stroke:#3d444d}.box{fill:#151b23;stroke:#656c76}
.start{fill:#3fb950}.stop{fill:#f85149}.change{fill:#4493f8}
.block{fill:#3c1618;stroke:#f85149}.warn{fill:#332a10;stroke:#d29922}.info{fill:#0c2a4d;stroke:#4493f8}}
""".replace("\n", "")


def picture(rehearsal: Rehearsal, summary: str, *, most: int = 40) -> str:
    """Timeline above, blast radius below."""
    lines, bottom = _timeline(rehearsal, most, top=70)
    more, bottom = _radius(rehearsal, summary, bottom + 20)
    title, description = f"Rehearsal: {rehearsal.verdict}", _description(rehearsal, summary)
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{bottom}" viewBox="0 0 {_WIDTH} {bottom}"'
        ' role="img" aria-labelledby="title desc">',
        f'<title id="title">{xml(title)}</title>',
        f'<desc id="desc">{xml(description)}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{_WIDTH}" height="{bottom}"/>',
        _text(_MARGIN, 32, title, _WIDTH, "text head"),
        _text(_MARGIN, 52, f"{summary}. {meaning(rehearsal)}", _WIDTH - 2 * _MARGIN, "dim"),
    ]
    return "\n".join([*head, *lines, *more, "</svg>"]) + "\n"


def _description(rehearsal: Rehearsal, summary: str) -> str:
    effects = rehearsal.effects
    found = "; ".join(item.message for item in rehearsal.findings[:5]) or "no findings"
    counts = f"{pods(effects.pods_started)} started, {effects.pods_stopped} stopped"
    return f"{summary}. {meaning(rehearsal)} {counts}. Findings: {found}."


def _timeline(rehearsal: Rehearsal, most: int, top: int) -> tuple[list[str], int]:
    """The lines and the y below them."""
    shown, more = spans(rehearsal, most)
    lines = [_text(_MARGIN, top + 16, "Timeline, if new pods become ready", _WIDTH, "text head")]
    lines.append(_text(_MARGIN + _LABELS, top + 16, _LEGEND, _WIDTH, "dim"))
    if not shown:
        return [*lines, _text(_MARGIN, top + 40, "Nothing happens.", _WIDTH, "dim")], top + 50
    longest = max([span.end for span in shown] + [1.0])
    y = top + 30
    lines += _axis(longest, y, y + 22 + len(shown) * _ROW)
    y += 22
    for span in shown:
        lines += _bar(span, longest, y)
        y += _ROW
    if more:
        lines.append(_text(_MARGIN, y + 15, f"and {more} more objects", _LABELS, "dim"))
        y += _ROW
    return lines, y


def _x(seconds: float, longest: float) -> float:
    return round(_MARGIN + _LABELS + seconds / longest * (_WIDTH - 2 * _MARGIN - _LABELS - 8), 1)


def _axis(longest: float, top: int, bottom: int) -> Iterator[str]:
    for number in range(5):
        at = longest * number / 4
        x = _x(at, longest)
        yield f'<line class="rule" x1="{x}" y1="{top + 18}" x2="{x}" y2="{bottom}"/>'
        anchor = "end" if number == 4 else "start" if number == 0 else "middle"
        yield f'<text class="dim" x="{x}" y="{top + 12}" text-anchor="{anchor}">{at:.4g} s</text>'


def _bar(span: Span, longest: float, y: int) -> Iterator[str]:
    begin = _x(span.begin, longest)
    width = round(max(_x(span.end, longest) - begin, 4), 1)
    yield f"<g><title>{xml(f'{span.object}: {span.words}')}</title>"
    yield _text(_MARGIN, y + 15, f"{_MARKS[span.tone]} {span.object}", _LABELS - 10, "text")
    yield f'<rect class="{span.tone}" x="{begin}" y="{y + 4}" width="{width}" height="14" rx="3"/></g>'


def _radius(rehearsal: Rehearsal, summary: str, top: int) -> tuple[list[str], int]:
    found = radius(rehearsal)
    lines = [_text(_MARGIN, top + 16, "Blast radius", _WIDTH, "text head")]
    change = Spot(summary, f"{found.left_out} more not shown" if found.left_out else "the change")
    left, y = [change, *found.touched], top + 30
    lines += _arrows(1, len(found.pods), y) if found.pods else ()
    lines += _arrows(2 if found.pods else 1, len(found.reached), y, skip=not found.pods)
    for column, spots in enumerate((left, found.pods, found.reached)):
        lines += _boxes(spots, column, y)
    rows = max(len(left), len(found.pods), len(found.reached))
    return lines, y + rows * (_BOX + 10) + _MARGIN


def _left(column: int) -> int:
    return _MARGIN + column * (_COLUMN + 30)


def _boxes(spots: Sequence[Spot], column: int, top: int) -> Iterator[str]:
    x = _left(column)
    for number, spot in enumerate(spots):
        y = top + number * (_BOX + 10)
        yield f"<g><title>{xml(f'{spot.name} {spot.words}'.strip())}</title>"
        yield f'<rect class="{spot.level or "box"}" x="{x}" y="{y}" width="{_COLUMN}" height="{_BOX}" rx="6"/>'
        yield _text(x + 10, y + 17, spot.name, _COLUMN - 20, "text")
        yield f"{_text(x + 10, y + 33, spot.words, _COLUMN - 20, 'dim')}</g>"


def _arrows(column: int, count: int, top: int, *, skip: bool = False) -> Iterator[str]:
    """From the first box of the column before, or of the one before that, to each box of this one."""
    target = column + 1 if skip else column
    x1, x2 = _left(column - 1) + _COLUMN, _left(target)
    for number in range(count):
        y1, y2 = top + _BOX // 2, top + number * (_BOX + 10) + _BOX // 2
        yield f'<path class="arrow" d="M{x1} {y1} C{x1 + 15} {y1} {x2 - 15} {y2} {x2} {y2}"/>'


def _text(x: int, y: int, text: str, width: int, classes: str) -> str:
    return f'<text class="{classes}" x="{x}" y="{y}">{xml(shortened(text, int(width / _CHARACTER)))}</text>'
