"""Log lines become records: a stack trace belongs to the line that it explains, and every record has a severity."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from kubesteward_tools.analytics.formats import parsed
from kubesteward_tools.analytics.severity import Level, level

__all__ = ["Level", "Line", "Record", "records"]

_LONGEST_TRACE = 60
_LOOKED_AT = 300
_FRAME = re.compile(r"[ \t]+(?:at |File \"|in |from |\d+: |/|\.\.\. \d+ more|\^|[\w./-]+\.(?:go|py|js|ts|rb|java):\d+)")
_CONTINUES = re.compile(
    r"[ \t]+\S|(?:Caused by|Suppressed): |\.\.\. \d+ more|goroutine \d+ \[|\[signal |created by |exit status \d"
    r"|During handling of the above|The above exception was|note: run with `RUST_BACKTRACE"
)
_LEADS_ON = re.compile(r"During handling of the above|The above exception was")
_BEGINS = re.compile(r"Traceback \(most recent call last\)|panic: |goroutine \d+ \[|stack ?trace|\S*backtrace:", re.I)
_TRACED = re.compile(
    r"Traceback \(most recent call last\)|^panic: |^goroutine \d+ \[|^fatal error: |Exception in thread|stack ?trace"
    r"|panicked at|backtrace:",
    re.I,
)
# Java loggers print the exception, with its full name, under the message.
_THROWN = re.compile(r"(?:[a-z_]\w*\.)+[A-Z][\w$]*(?:Exception|Error)(?::|$)")
_CALL = re.compile(r"[\w./*(){}\[\]-]+\(.*\)$")
# The last line of a Python traceback, unindented, and the causes in a Java one: what it was all about.
RAISED = re.compile(
    r"(?:Caused by: )?[A-Za-z_][\w.$]*(?:Error|Exception|Warning|Interrupt|Exit|Failure|Timeout|DoesNotExist)\b"
)


@dataclass(slots=True)
class Line:
    """`at` is in epoch seconds, 0.0 when unknown; `source` names pod and container."""

    at: float
    source: str
    text: str


@dataclass(slots=True)
class Record:
    """A line with those that continue it. `shown` is the first line's message, without its time."""

    first: Line
    level: Level
    shown: str
    more: list[Line] = field(default_factory=list)
    raised: str = ""

    @property
    def text(self) -> str:
        """All of it as it was printed."""
        return "\n".join([self.first.text, *(line.text for line in self.more)]) if self.more else self.first.text

    @property
    def lines(self) -> int:
        return 1 + len(self.more)

    @property
    def headline(self) -> str:
        """What it says in one line: of a traceback, the exception."""
        head = self.shown.partition("\n")[0]
        return f"{head} {self.raised}" if self.raised else head


def records(lines: Iterable[Line]) -> list[Record]:
    """In the order of their first lines. Lines of other sources in between do not break a trace."""
    found: list[Record] = []
    open_record: dict[str, Record] = {}
    for line in lines:
        current = open_record.get(line.source)
        if current is not None and len(current.more) < _LONGEST_TRACE and _continues(current, line.text):
            _append(current, line)
            continue
        form = parsed(line.text)
        record = Record(line, form.level, form.text)
        open_record[line.source] = record
        found.append(record)
    return found


def _append(record: Record, line: Line) -> None:
    """A trace says what went wrong further down, and so may an indented line that is no frame of one."""
    record.more.append(line)
    if RAISED.match(line.text[:_LOOKED_AT]):
        record.raised = line.text
        record.level = max(record.level, Level.ERROR)
    elif record.level < Level.ERROR and not _FRAME.match(line.text):
        record.level = max(record.level, level(line.text))


def _continues(record: Record, text: str) -> bool:
    if _CONTINUES.match(text):
        return True
    last = record.more[-1].text if record.more else record.first.text
    if _BEGINS.match(text):
        return record.level >= Level.WARNING and (not record.more or _LEADS_ON.match(last) is not None)
    if last.endswith(":") and "panicked at" in last:
        return True
    if record.level >= Level.WARNING and not record.more and _THROWN.match(text[:_LOOKED_AT]):
        return True
    if text.endswith(")") and _CALL.match(text[:_LOOKED_AT]):
        return _is_traced(record)
    return RAISED.match(text[:_LOOKED_AT]) is not None and _after_frames(record) and _is_traced(record)


def _is_traced(record: Record) -> bool:
    return any(
        _TRACED.search(text[:_LOOKED_AT]) for text in (record.first.text, *(line.text for line in record.more[:2]))
    )


def _after_frames(record: Record) -> bool:
    """The exception follows the last frame; what comes after it is something else."""
    return bool(record.more) and not RAISED.match(record.more[-1].text)
