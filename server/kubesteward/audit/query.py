"""Looks for records in the log: by time, and by what its columns say, with * and ? as in file names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from kubesteward.audit.standalone import named
from kubesteward.audit.verify import opening
from kubesteward.store.store import FILE

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


_PATTERNS = ("type", "principal", "tool", "cluster", "action", "outcome", "correlation")


def _users(record: dict[str, Any]) -> Iterator[str]:
    """Everybody who had a part in it: who asked, who acted, whom the API server saw, and who agreed."""
    given = record.get("actor")
    actor = given if isinstance(given, dict) else {}
    agreed = record.get("approvals")
    approvers = [item.get("approver") for item in agreed if isinstance(item, dict)] if isinstance(agreed, list) else []
    for name in (record.get("principal"), actor.get("name"), actor.get("kubernetes_user"), *approvers):
        if isinstance(name, str) and name:
            yield name


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records are wanted: all that fit everything given. Times are epoch seconds; `until` is not included."""

    since: float | None = None
    until: float | None = None
    type: str = ""
    principal: str = ""
    tool: str = ""
    cluster: str = ""
    action: str = ""
    outcome: str = ""
    user: str = ""
    correlation: str = ""

    def fits(self, record: dict[str, Any]) -> bool:
        at = record["at"]
        if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
            return False
        found = named(record)
        patterns = ((name, getattr(self, name)) for name in _PATTERNS)
        if not all(not pattern or fnmatchcase(str(found[name] or ""), pattern) for name, pattern in patterns):
            return False
        return not self.user or any(fnmatchcase(name, self.user) for name in _users(record))

    def as_json(self) -> dict[str, Any]:
        """Only what is asked for."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) not in (None, "")}


def moment(text: str, now: float) -> float:
    """Epoch seconds of `2026-11-21T10:00:00Z`, `2026-11-21` (UTC unless it says otherwise), or `24h` (before now).

    Raises:
        ValueError: it is none of these.
    """
    if found := re.fullmatch(r"(\d+)([smhdw])", text):
        return now - int(found[1]) * _UNITS[found[2]]
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time: use 2026-11-21T10:00:00Z, 2026-11-21, or 24h for a day ago") from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def select(state_dir: Path, wanted: Filter) -> Iterator[tuple[dict[str, Any], str]]:
    """The records that fit, oldest first, each with its canonical JSON.

    Raises:
        FileNotFoundError: there is no store in that folder. sqlite3.Error: it cannot be read.
        ValueError: a record cannot be read; says which.
    """
    path = Path(state_dir) / FILE
    if not path.exists():
        raise FileNotFoundError(f"there is no audit log in {state_dir}; --state-dir names another folder")
    with opening(path) as db:
        for seq, data in db.execute("SELECT seq, CAST(record AS BLOB) FROM audit ORDER BY seq"):
            record, text = read(seq, data)
            if wanted.fits(record):
                yield record, text


def read(seq: int, data: bytes) -> tuple[dict[str, Any], str]:
    """Raises ValueError: this is no record."""
    try:
        text = data.decode()
        record = json.loads(text)
        named(record)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"record {seq} cannot be read; `kubesteward audit verify` says what is wrong") from None
    return record, text
