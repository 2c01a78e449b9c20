"""Long lines and long stack traces are shortened so that what was asked for and what went wrong stay in sight."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kubesteward_tools.analytics.records import RAISED

_MOST_TELLING = 3
_NEXT_TO_IT = 40
"""Characters shown before what was asked for."""


def nowhere(_line: str) -> int:
    return -1


@dataclass(frozen=True, slots=True)
class Trim:
    """At most `line` characters of a line and about `frames` lines of a record. `focus` says where in a line stands
    what was asked for, -1 for nowhere."""

    line: int
    frames: int
    focus: Callable[[str], int] = nowhere

    def text(self, text: str) -> str:
        """Head and end, and in between what was raised or asked for."""
        lines = [line.rstrip() for line in text.split("\n")]
        if len(lines) <= self.frames:
            return "\n".join(map(self.clipped, lines))
        parts, before = list[str](), -1
        for at in self._kept(lines):
            if at - before > 1:
                parts.append(f"  [... {at - before - 1} lines of it]")
            parts.append(self.clipped(lines[at]))
            before = at
        return "\n".join(parts)

    def _kept(self, lines: list[str]) -> list[int]:
        head, end = self.frames // 2, len(lines) - 2
        between = range(head, end)
        asked = [at for at in between if self.focus(lines[at]) >= 0][:_MOST_TELLING]
        raised = [at for at in between if RAISED.match(lines[at])][-_MOST_TELLING + 1 :]
        return sorted({*range(head), *asked, *raised, end, end + 1})

    def clipped(self, line: str) -> str:
        """The start, and what was asked for or else the end: a cause often stands last."""
        if len(line) <= self.line:
            return line
        head, most = self.line // 2, self.line - self.line // 2
        at = self.focus(line)
        start = len(line) - most if at < head else min(at - _NEXT_TO_IT, len(line) - most)
        start = max(start, head)
        rest = f" [... {len(line) - start - most} more]" if start + most < len(line) else ""
        gap = f" [... {start - head} characters ...] " if start > head else ""
        return f"{line[:head]}{gap}{line[start : start + most]}{rest}"
