"""Log lines become records: a stack trace belongs to the line that it explains, and every record has a severity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum


class Level(IntEnum):
    """As far as a line says."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


@dataclass(slots=True)
class Line:
    """`at` is in epoch seconds, 0.0 when unknown; `source` names pod and container."""

    at: float
    source: str
    text: str


@dataclass(slots=True)
class Record:
    """A line with those that continue it."""

    first: Line
    level: Level
    more: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join([self.first.text, *(line.text for line in self.more)])


_LONGEST_TRACE = 60
_CONTINUES = re.compile(
    r"[ \t]+\S|(?:Caused by|Suppressed): |\.\.\. \d+ more|goroutine \d+ \[|[\w./-]+\.(?:go|py|js|java):\d+"
    r"|During handling of the above|The above exception was"
)
_TRACE = re.compile(
    r"Traceback \(most recent call last\)|^panic: |^goroutine \d+ \[|Exception in thread|stack ?trace", re.I
)
# The last line of a Python traceback: the exception itself, unindented.
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit)\b")
_LEVELS = tuple(
    (found, re.compile(words, re.I))
    for found, words in (
        (Level.FATAL, r"\b(?:fatal|panic|emerg(?:ency)?|crit(?:ical)?|oom[- ]?kill(?:ed|er)?|out of memory)\b"),
        (
            Level.ERROR,
            r"\b(?:err(?:or)?s?|severe|exception|traceback|fail(?:ed|ure|s)?|refused|denied|unauthori[sz]ed|cannot"
            r"|could not|unable to|no such|not found|timed? ?out|deadline exceeded|segfault)\b"
            r"|\b\w+(?:Error|Exception)\b|^E\d{4} ",
        ),
        (Level.WARNING, r"\b(?:warn(?:ing)?|deprecated|retry(?:ing)?|back-?off|slow)\b|^W\d{4} "),
        (Level.DEBUG, r"\b(?:debug|trace|verbose)\b|^D\d{4} "),
    )
)
# What a logger says of itself outweighs the words of its message: `level=info msg="0 errors"`.
_DECLARED = re.compile(
    r"(?:level|lvl|severity)[\"']?\s*[=:]\s*[\"']?(\w+)"
    r"|^\S*\s?\S*\s?\[?\b(TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b",
    re.I,
)
_NAMES = {
    "trace": Level.DEBUG,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "notice": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    "error": Level.ERROR,
    "err": Level.ERROR,
    "severe": Level.ERROR,
    "fatal": Level.FATAL,
    "critical": Level.FATAL,
    "crit": Level.FATAL,
    "panic": Level.FATAL,
}
_LOOKED_AT = 2000


def level(text: str) -> Level:
    """The severity that a line declares, else the one that its words suggest; INFO when neither does."""
    text = text[:_LOOKED_AT]
    declared = _DECLARED.search(text)
    if declared is not None:
        named = _NAMES.get((declared[1] or declared[2]).lower())
        if named is not None:
            return named
    return next((found for found, words in _LEVELS if words.search(text)), Level.INFO)


def records(lines: Iterable[Line]) -> list[Record]:
    """In the order of their first lines. Lines of other sources in between do not break a trace."""
    found: list[Record] = []
    open_record: dict[str, Record] = {}
    for line in lines:
        current = open_record.get(line.source)
        if current is not None and len(current.more) < _LONGEST_TRACE and _continues(current, line.text):
            current.more.append(line)
            continue
        record = Record(line, level(line.text))
        open_record[line.source] = record
        found.append(record)
    return found


def _continues(record: Record, text: str) -> bool:
    if _CONTINUES.match(text):
        return True
    traced = _TRACE.search(record.first.text) is not None
    return traced and (not text.strip() or (_RAISED.match(text) is not None and _raises_not_yet(record)))


def _raises_not_yet(record: Record) -> bool:
    return not any(_RAISED.match(line.text) for line in record.more)
