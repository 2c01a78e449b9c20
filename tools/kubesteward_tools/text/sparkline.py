"""A course in one line of text: blocks of eight heights, or plain characters where a terminal has no blocks."""

from __future__ import annotations

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.-~=+*#"
_WIDE = 3


def sparkline(points: Sequence[tuple[float, float]], width: int = 24, *, plain: bool = False) -> str:
    """Of (seconds, value) in order of time, at most `width` characters; a long gap is a space, "" without points.

    The lowest character is the least value, not zero: a course is shown, not an amount.
    """
    if not points or width < 1:
        return ""
    marks = PLAIN if plain else BLOCKS
    cells = _cells(points, width)
    known = [value for value in cells if value is not None]
    least, most = min(known), max(known)
    step = (most - least) / (len(marks) - 1)
    return "".join(
        " " if value is None else marks[round((value - least) / step)] if step else marks[0] for value in cells
    )


def _cells(points: Sequence[tuple[float, float]], width: int) -> list[float | None]:
    """The mean of each of `width` equal stretches of time; one cell for each point where there are fewer."""
    if len(points) <= width:
        return [value for _, value in points]
    start, end = points[0][0], points[-1][0]
    parts: list[list[float]] = [[] for _ in range(width)]
    for at, value in points:
        parts[min(int((at - start) / (end - start) * width), width - 1) if end > start else 0].append(value)
    return _filled([sum(part) / len(part) if part else None for part in parts])


def _filled(cells: list[float | None]) -> list[float | None]:
    """A few empty cells are the source's wide steps and stay as before; more of them are a gap."""
    found = list(cells)
    for number, value in enumerate(cells):
        after = cells[number : number + _WIDE + 1]
        if value is None and number and any(item is not None for item in after) and _near(cells, number):
            found[number] = found[number - 1]
    return found


def _near(cells: list[float | None], number: int) -> bool:
    """Whether no more than a few cells are empty around this one."""
    first = last = number
    while cells[first - 1] is None:
        first -= 1
    while cells[last] is None:
        last += 1
    return last - first <= _WIDE


def encodes(encoding: str | None) -> bool:
    """Whether what is written in this encoding can hold the blocks."""
    try:
        BLOCKS.encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
