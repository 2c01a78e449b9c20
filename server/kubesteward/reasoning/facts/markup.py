"""Answers as models write them, in Markdown, brought to what the grammar reads: emphasis is blanked out, which leaves
every place where it was, and the rows of a table say of their first cell what its headers name.
"""

from __future__ import annotations

import re

from kubesteward.reasoning.facts.kinds import NAME, kind_of

_NAMES = frozenset({"name", "workload", "object", "resource", "component", "app", "application"})
_RULE = re.compile(r"[\s|:-]+")
_SO_FAR = re.compile(
    r"\b(?:before (?:this|the|that) (?:report|analysis|investigation|check|writing|snapshot|look)\b|before now\b)",
    re.I,
)
_EMPHASIS = re.compile(r"\*+|__|`|~~")


def plain(sentence: str) -> str:
    """Without emphasis, and as long as it was."""
    return _EMPHASIS.sub(lambda match: " " * len(match[0]), sentence)


class Table:
    """Reads the sentences of a text one after the other: those that are rows of a table it says in words."""

    def __init__(self) -> None:
        self._headers: list[str] = []

    def read(self, sentence: str) -> str:
        if not sentence.startswith("|"):
            self._headers = []
            return sentence
        cells = [cell.strip() for cell in sentence.strip("|").split("|")]
        if _RULE.fullmatch(sentence):
            return ""
        if not self._headers:
            self._headers = [plain(cell).strip() for cell in cells]
            return ""
        return _row(self._headers, cells)


def _row(headers: list[str], cells: list[str]) -> str:
    """A row of two cells without names says one thing, as in `| Restarts | 4 |`."""
    kind, name = kind_of(headers[0]), plain(cells[0]).strip()
    if kind and re.fullmatch(NAME, name):
        first = f"{kind} '{name}'"
    elif kind or headers[0].lower() in _NAMES:
        first = name
    else:
        return f"{name}: {', '.join(cells[1:])}"
    return "; ".join([first, *(f"{header}: {cell}" for header, cell in zip(headers[1:], cells[1:], strict=False))])


def unstressed(sentence: str) -> str:
    """Without stars: names stand right behind their kinds then, and numbers behind what they are of."""
    return _SO_FAR.sub("ago", re.sub(r"\*+", "", sentence))
