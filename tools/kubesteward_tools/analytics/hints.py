"""A hint in plain words picks records from a log: its words, words of the same subject, and how bad a line sounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from kubesteward_tools.analytics.records import Level, Record

_SUBJECTS: tuple[tuple[str, ...], ...] = (
    ("memory", "out of memory", "oom", "heap", "outofmemory", "malloc", "alloc", "rss", "killed", "leak", "garbage",
     "cannot allocate"),
    ("database", "db", "sql", "postgres", "postgresql", "mysql", "mariadb", "mongo", "redis", "jdbc", "query",
     "deadlock", "transaction", "pool", "connection refused", "too many clients", "too many connections"),
    ("connection", "connect", "network", "refused", "reset by peer", "unreachable", "no route", "socket", "dial",
     "broken pipe", "econn", "eof", "name or service not known"),
    ("timeout", "timed out", "time out", "deadline", "latency", "slow", "hang", "hung", "stuck", "i/o timeout"),
    ("auth", "login", "permission", "permissions", "rbac", "forbidden", "unauthorized", "denied", "token", "credential",
     "password", "access", "401", "403"),
    ("tls", "ssl", "certificate", "cert", "x509", "handshake", "expired", "unknown authority"),
    ("dns", "resolve", "resolution", "lookup", "no such host", "nxdomain", "servfail", "enotfound", "eai_again",
     "name or service not known", "getaddrinfo", "hostname"),
    ("disk", "storage", "space", "full", "no space left", "enospc", "volume", "mount", "read-only", "inode",
     "i/o error", "quota"),
    ("config", "configuration", "setting", "environment", "variable", "env", "missing", "undefined", "not set",
     "invalid", "yaml", "parse", "syntax", "flag", "unknown option"),
    ("start", "startup", "boot", "listening", "ready", "init", "migration", "bind", "address already in use",
     "eaddrinuse", "port"),
    ("stop", "shutdown", "shutting down", "sigterm", "sigkill", "signal", "exit", "terminate", "graceful", "restart"),
    ("crash", "panic", "fatal", "exception", "traceback", "segfault", "segmentation", "abort", "exit", "core dumped",
     "stack trace"),
    ("request", "http", "status", "response", "upstream", "gateway", "502", "503", "504", "500"),
    ("rate limit", "rate", "throttle", "throttling", "limit", "quota", "429", "backoff", "too many requests"),
    ("probe", "health", "liveness", "readiness", "healthz", "livez", "readyz"),
    ("image", "pull", "registry", "manifest"),
    ("queue", "kafka", "rabbitmq", "amqp", "broker", "consumer", "offset", "partition", "topic", "message"),
    ("leader", "election", "lease", "lock", "etcd", "raft"),
    ("cpu", "load", "busy", "overload", "throttled"),
)  # fmt: skip
"""Words and phrases of one subject: a hint that names one of them looks for the others too."""

_WRONG_WORDS = "error errors fail fails failed failing failure failures wrong problem problems issue issues broken bug"
_WRONG = frozenset(f"{_WRONG_WORDS} crash crashes crashing exception exceptions fatal severe why cause".split())
_WARNED = frozenset(["warn", "warning", "warnings", "suspicious"])
_FILLER_WORDS = """
a an the of in on at to for from with and or is are was were be it its this that these there what why how when does do
did not no any all my our show me find get look looking lines line logs log entries about please can could has have had
happened happening happens which who where related anything something messages around during pod container cause app
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_WORD = re.compile(r"[a-z0-9][a-z0-9._/-]*")
_ENDING = re.compile(r"(?:ions?|ing|ed|es|s)$")
_OWN, _SUBJECT = 3, 1


def terms(hint: str) -> dict[str, int]:
    """Beginnings of words to look for, and how much each counts: the hint's own 3, others of their subject 1."""
    low = " ".join(hint.lower().split())
    phrases = [of for subject in _SUBJECTS for of in subject if " " in of and of in low]
    for phrase in phrases:
        low = low.replace(phrase, " ")
    own = [word for word in _WORD.findall(low) if word not in _FILLER and len(word) > 1]
    found = dict.fromkeys([*phrases, *(_stem(word) for word in own if word not in _WRONG | _WARNED)], _OWN)
    for subject in _SUBJECTS:
        if any(_related(word, of) for word in (*own, *phrases) for of in subject):
            for of in subject:
                found.setdefault(of, _SUBJECT)
    return found


def _stem(word: str) -> str:
    stem = _ENDING.sub("", word.rstrip(".-/"))
    return stem if len(stem) >= 4 else word.rstrip(".-/")


def _related(word: str, of: str) -> bool:
    return word == of or (min(len(word), len(of)) >= 4 and (word.startswith(of) or of.startswith(word)))


def select(found: Sequence[Record], hint: str) -> list[int]:
    """The places of the records that fit, in their order; none when nothing does.

    The hint's own words decide. Words of the same subject do for a line that warns, and severity alone does where
    the hint asks for what is wrong and no error speaks of its subject.
    """
    asked = set(_WORD.findall(hint.lower()))
    least = Level.ERROR if asked & _WRONG else Level.WARNING if asked & _WARNED else None
    scores = _scores(found, terms(hint))
    picked = [place for place, record in enumerate(found) if _fits(record, scores[place])]
    if least is not None and not any(found[place].level >= least for place in picked):
        picked = [place for place, record in enumerate(found) if scores[place] >= _OWN or record.level >= least]
    return picked or [place for place, score in enumerate(scores) if score]


def _fits(record: Record, score: int) -> bool:
    return score >= _OWN or (score > 0 and record.level >= Level.WARNING)


def finder(hint: str) -> Callable[[str], int]:
    """Where in a line the first word stands that the hint looks for; -1 for nowhere."""
    pattern = _pattern(terms(hint))

    def find(line: str) -> int:
        match = pattern.search(line.lower()) if pattern else None
        return match.start() if match else -1

    return find


def _scores(found: Sequence[Record], wanted: dict[str, int]) -> list[int]:
    pattern = _pattern(wanted)
    if pattern is None:
        return [0] * len(found)
    return [sum(wanted[word] for word in set(pattern.findall(record.text.lower()))) for record in found]


def _pattern(wanted: Iterable[str]) -> re.Pattern[str] | None:
    """Words are literal and begin where a word does: `db` is not in `feedback`, and the time stays linear."""
    longest = sorted(wanted, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest))})") if longest else None
