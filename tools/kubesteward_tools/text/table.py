"""Tables as kubectl prints them: they cost few tokens and every reader of clusters knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_GAP = "  "


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned columns two spaces apart under upper-case headers, no trailing blanks, no final newline.

    A cell is one line: white space in it becomes one space, None is empty. A row of another length than the headers
    raises ValueError.
    """
    lines = [[header.upper() for header in headers], *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


_USUAL = 0.5
_EMPTY = "-"


def compact(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The lines of a table, its rows last, that says once what most rows have in common and leaves those cells blank.

    The first column is always whole. Columns with exceptions come last, for blanks at the end of a line cost nothing;
    an empty cell in one of them is `-`.
    """
    if not rows:
        return []
    cells = [[_cell(value) for value in row] for row in rows]
    common = {number: value for number in range(1, len(headers)) if (value := _usual([row[number] for row in cells]))}
    whole = [number for number in range(len(headers)) if number not in common]
    partly = [number for number, value in common.items() if any(row[number] != value for row in cells)]
    for row in cells:
        for number in partly:
            row[number] = "" if row[number] == common[number] else row[number] or _EMPTY
    order = [*whole, *partly]
    said = ", ".join(f"{headers[number].upper()} {value}" for number, value in common.items())
    drawn = table([headers[number] for number in order], [[row[number] for number in order] for row in cells])
    return ([f"Unless shown: {said}"] if said else []) + drawn.split("\n")


def _usual(values: Sequence[str]) -> str:
    """The value of more than half of at least three rows, "" if there is none."""
    value, count = Counter(values).most_common(1)[0]
    return value if len(values) > 2 and count > len(values) * _USUAL else ""
