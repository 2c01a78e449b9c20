"""Text on standard output: folded at a terminal's width, in characters that it has, and quiet behind `| head`."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable

from kubesteward.cli.exits import complain

_NARROWEST = 40
_INDENT = "  "


def show(lines: Iterable[str]) -> None:
    """Lines that are too long for the terminal go on below, a little further in. A pipe gets them whole."""
    width = shutil.get_terminal_size((0, 0)).columns
    write("\n".join(part for line in lines for part in _folded(line, width)))


def write(text: str) -> None:
    """A text and a line's end; characters that the encoding lacks are replaced. Quiet where nobody reads on."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
    except BrokenPipeError as error:
        complain(error)


def _folded(line: str, width: int) -> list[str]:
    if not width or len(line) <= width:
        return [line]
    margin = line[: len(line) - len(line.lstrip())] + _INDENT
    return textwrap.wrap(
        line,
        max(width, _NARROWEST),
        subsequent_indent=margin,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )
