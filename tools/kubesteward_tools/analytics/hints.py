"""A hint in plain words picks records from a log: its words, words of the same subject, and how bad a line sounds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kubesteward_tools.analytics.records import Level, Record

_SUBJECTS: tuple[tuple[str, ...], ...] = (
    ("memory", "oom", "heap", "outofmemory", "malloc", "alloc", "rss", "killed", "leak"),
    ("database", "db", "sql", "postgres", "mysql", "mongo", "redis", "query", "deadlock", "transaction", "pool"),
    ("connection", "connect", "network", "refused", "reset", "unreachable", "socket", "dial", "broken pipe", "econn"),
    ("timeout", "timed out", "time out", "deadline", "latency", "slow", "hang", "stuck"),
    ("auth", "login", "permission", "forbidden", "unauthorized", "denied", "token", "credential", "password", "403"),
    ("tls", "ssl", "certificate", "x509", "handshake", "expired"),
    ("dns", "resolve", "lookup", "no such host", "nxdomain", "name resolution"),
    ("disk", "storage", "space", "enospc", "volume", "read-only", "inode", "i/o"),
    ("config", "configuration", "setting", "environment", "variable", "missing", "invalid", "yaml", "parse", "flag"),
    ("start", "startup", "boot", "listening", "ready", "init", "migration", "bind", "address already in use"),
    ("stop", "shutdown", "sigterm", "signal", "exit", "terminate", "graceful"),
    ("crash", "panic", "fatal", "exception", "traceback", "segfault", "abort", "exit"),
    ("request", "http", "status", "response", "upstream", "gateway", "502", "503", "504", "500"),
    ("rate", "throttle", "limit", "quota", "429", "backoff"),
    ("probe", "health", "liveness", "readiness", "healthz"),
)  # fmt: skip
_WRONG_WORDS = "error errors fail failed failing failure wrong problem problems issue broken bug crash why"
_WRONG = frozenset(_WRONG_WORDS.split())
_FILLER_WORDS = """
a an the of in on at to for from with and or is are was were be it its this that these there what why how when does do
did not any all my our show me find get look lines logs log about please can could has have happened
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_WORD = re.compile(r"[a-z0-9][a-z0-9._/-]*")


def terms(hint: str) -> dict[str, float]:
    """What to look for, and how much it counts: the hint's own words 3, others of their subject 1."""
    own = [word for word in _WORD.findall(hint.lower()) if word not in _FILLER and len(word) > 1]
    found = {word: 3.0 for word in own if word not in _WRONG}
    for subject in _SUBJECTS:
        if any(_related(word, of) for word in own for of in subject):
            for of in subject:
                found.setdefault(of, 1.0)
    return found


def _related(word: str, of: str) -> bool:
    return word == of or (min(len(word), len(of)) >= 4 and (word.startswith(of) or of.startswith(word)))


def select(found: Sequence[Record], hint: str) -> list[Record]:
    """The records that fit, in their order. Words decide; severity decides where the hint asks for what is wrong."""
    wanted = terms(hint)
    wrong = bool(_WRONG & set(_WORD.findall(hint.lower())))
    scores = [_score(record, wanted, wrong=wrong) for record in found]
    least = 3.0 if any(score >= 3.0 for score in scores) else 1.0
    return [record for record, score in zip(found, scores, strict=True) if score >= least]


def _score(record: Record, wanted: dict[str, float], *, wrong: bool) -> float:
    low = record.text.lower()
    words = sum(weight for word, weight in wanted.items() if word in low)
    severe = record.level >= Level.ERROR
    if wrong and severe:
        words += 3.0
    return words + (1.0 if words and severe else 0.0)
