"""Tables as kubectl prints them: they cost few tokens and every reader of clusters knows them."""

from __future__ import annotations

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
