"""What a log tells about a failure: connection errors and whom they name, missing things, stack traces, and so on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.analytics.severity import Level, declared
from kubesteward_tools.diagnosis.patterns import PATTERNS, Kind
from kubesteward_tools.lookup.loglines import parse

_TROUBLED = re.compile(r"(?<![\w/.=-])(?:errors?|failed|failure|exception|fatal)(?![\w/-])", re.I)
_BREAKS = re.compile(r"^\s*(?:at |File \"|\.\.\. \d+ more|goroutine )")


class Sign(NamedTuple):
    """`line` is the telling line, `peer` and `port` what it names ("" where nothing), `lines` how many are alike."""

    kind: Kind
    line: str
    peer: str
    port: str
    lines: int
    last: bool
    """Among the last lines of the log: the end of a process speaks there."""

    @property
    def rank(self) -> int:
        return _RANK[self.kind]


_RANK: dict[str, int] = {}
for _kind, _ in PATTERNS:
    _RANK.setdefault(_kind, len(_RANK))
_RANK |= {"exit": 90, "error": 99}
_COMPILED = tuple((kind, re.compile(pattern, re.I if kind not in {"variable"} else 0)) for kind, pattern in PATTERNS)
_QUICK = re.compile(
    r"error|fail|exception|refus|time|unreach|resolv|find|found|denied|forbid|cannot|can't|could|unable|"
    r"invalid|unknown|"
    r"missing|undefined|not |unset|panic|fatal|traceback|emerg|space|memory|usage|bad |crit|uncaught|unhandled|exit|"
    r"no |null|sig|ENO|EACC|EAI|ECONN|ETIME|core dumped|misbehaving|divi|50[0-4]|require|must|expired|"
    r"x509|syntax|ssl|tls|"
    r"read-only|specify|unexpected|in use|KeyError|illegal|auth|unbound|communications|limit|too many|exhausted|429",
    re.I,
)
_CODE = re.compile(r"(?:Exception|Error)$|^(?:java|javax|org|com|io)\.")
"""Names of classes, not of hosts."""
_HARMLESS = re.compile(
    r"\b(?:0|no|zero|without) (?:errors?|failures?|issues?|problems?)|errors?[=: ]+0\b|error_log|errorlog|"
    r"failed[=: ]+0\b|"
    r"(?:recovered|retry succeeded|reconnected|healthy again)|\bnot an error\b",
    re.I,
)
_MOST_LINES = 12_000
_LAST = 12
"""Lines at the end of a log, where the end of a process speaks."""
_PASSING = frozenset({"connection", "timeout", "dns"})
_OVER = re.compile(
    r"\b(?:re-?connected|successfully connected|connected (?:to|successfully)|connection "
    r"(?:re-?)?(?:established|restored)|"
    r"recovered|back online)\b",
    re.I,
)
"""What ends a time without connection."""
_LONGEST = 1500
_RUN = re.compile(r"([\w./-]{80})[\w./-]{80,}|(\s)\s{20,}|([^\w\s]{20})[^\w\s]{60,}")
"""What no name is as long as. The patterns try each of its characters as a beginning: one log would take minutes."""


def signs(text: str) -> list[Sign]:
    """What the log tells, the most telling first; what it got over, or what only looks like an error, is no sign."""
    lines = [line.text for line in parse(text, "")][-_MOST_LINES:]
    read = {line: _sign(line) for line in dict.fromkeys(lines)}  # programs say most things more than once
    found: dict[tuple[str, str], tuple[int, Sign]] = {}
    for number, line in enumerate(lines):
        if (sign := read[line]) is not None:
            sign = sign._replace(last=number >= len(lines) - _LAST)
            _, known = found.get((sign.kind, sign.peer), (0, None))
            # Of alike lines the newest is shown, since it tells of the state now.
            found[sign.kind, sign.peer] = number, sign._replace(lines=known.lines + 1) if known else sign
    ends = {line for line in read if _OVER.search(line)}
    over = max((number for number, line in enumerate(lines) if line in ends), default=-1)
    kept = [sign for number, sign in found.values() if number > over or sign.kind not in _PASSING]
    where = {id(sign): number for number, sign in found.values()}
    chosen = sorted(kept, key=lambda item: (item.rank, not item.peer, -item.lines))
    return [_with_end(item, lines, where[id(item)]) for item in chosen]


def _with_end(sign: Sign, lines: list[str], number: int) -> Sign:
    """A trace is told by the line that ends it, which names the error; a list of variables by what it lists."""
    if sign.kind == "variable" and not sign.peer and sign.line.rstrip().endswith(":"):
        names = [match[1] for line in lines[number + 1 : number + 7] if (match := _LISTED.match(line))]
        return sign._replace(line=f"{sign.line} {', '.join(names)}") if names else sign
    if not re.match(r"\s*traceback", sign.line, re.I):
        return sign
    for line in reversed(lines):
        if re.match(r"(?:[a-zA-Z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)\b", line):
            return sign._replace(line=line)
    return sign


_LISTED = re.compile(r"\s*[-*] ([A-Z][A-Z0-9_]{3,})\b")


def _shortened(run: re.Match[str]) -> str:
    return f"{run[1] or run[3]}…" if run[2] is None else run[2]


def _sign(line: str) -> Sign | None:
    line = _RUN.sub(_shortened, line[:_LONGEST].replace('\\"', '"'))
    if not _QUICK.search(line) or _HARMLESS.search(line) or _BREAKS.match(line):
        return None
    for kind, pattern in _COMPILED:
        if match := pattern.search(line):
            named = match.groupdict()
            peer = (named.get("peer") or "").strip("[]").rstrip(".:")
            if kind in _PASSING and (peer.lower() in _NO_PEERS or _CODE.search(peer)):
                peer = ""
            return Sign(kind, line.strip()[:400], peer, named.get("port") or "", 1, last=False)
    if (declared(line) or Level.INFO) >= Level.ERROR or _TROUBLED.search(line):
        return Sign("error", line.strip()[:400], "", "", 1, last=False)
    return None


_NO_PEERS = frozenset(
    [
        "a",
        "an",
        "and",
        "at",
        "be",
        "because",
        "by",
        "connect",
        "connection",
        "due",
        "error",
        "failed",
        "for",
        "from",
        "go",
        "host",
        "http",
        "https",
        "if",
        "in",
        "is",
        "it",
        "its",
        "localhost",
        "127.0.0.1",
        "of",
        "on",
        "or",
        "remote",
        "server",
        "tcp",
        "that",
        "the",
        "this",
        "to",
        "udp",
        "was",
        "waiting",
        "when",
        "while",
        "with",
    ]
) | {"0.0.0.0"}  # noqa: S104 - it is compared with, not bound to


def listening(text: str) -> Iterator[int]:
    """The ports that a program says it listens on."""
    pattern = (
        r"(?:listen(?:ing)?|running|serving|started|bound|server|accepting)\b[^\n]{0,60}?(?::|port[ =:]+)(\d{2,5})\b"
    )
    for match in re.finditer(pattern, text[-200_000:], re.I):
        line = text[-200_000:][match.start() : match.end() + 120].partition("\n")[0]
        if 1 <= (number := int(match[1])) <= 65535 and not _VAIN.search(line):
            yield number


_VAIN = re.compile(
    r"fail|refused|error|cannot|can't|could not|unable|timed? ?out|in use|(?:server|connect\w*) (?:at|to)\b", re.I
)
"""What tells of a port that somebody else was to listen on, or that could not be had."""
