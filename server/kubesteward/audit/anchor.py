"""Keeps copies of checkpoints where the log is not, so that who rewrites the log has to rewrite this too.

Best a file that this user may append to but not change: on another machine, or with the append-only attribute.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from kubesteward.audit.standalone import anchored


class Anchor:
    """One file of one log; each line is a JSON object with a signed note."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def add(self, note: str) -> None:
        """One write at the file's end, so that lines of several processes do not mix. No folder is made: one
        that is not there may be a disk that is not mounted. Raises OSError."""
        line = json.dumps({"note": note}, ensure_ascii=False) + "\n"
        descriptor = os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def notes(self) -> list[tuple[int, str]]:
        """Line numbers and notes; none where there is no file yet. Raises OSError; ValueError: a line is none."""
        try:
            return anchored(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return []
