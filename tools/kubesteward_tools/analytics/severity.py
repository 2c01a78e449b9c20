"""How bad a log line sounds: what its logger declares, else what its words suggest.

Lines are strangers' text and as long as they like: every pattern here takes time linear in the part it looks at.
"""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """As far as a line says."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3
    FATAL = 4


_LOOKED_AT = 2000
_HEAD = 100
_SPELLINGS = {
    Level.DEBUG: "trace trc debug dbg verbose finest finer fine d t v",
    Level.INFO: "info inf information informational notice log i n",
    Level.WARNING: "warn warning wrn w",
    Level.ERROR: "error err severe e",
    Level.FATAL: "fatal ftl critical crit panic dpanic emerg emergency alert f",
}
_NAMES = {word: found for found, words in _SPELLINGS.items() for word in words.split()}
_SHOUTS = {
    word.upper(): found for word, found in _NAMES.items() if len(word) > 2 and word not in {"log", "fine", "alert"}
}
_KEYED = re.compile(r"(?:level|lvl|severity)[\"']?\s{0,3}[=:]\s{0,3}[\"']?([a-z]{1,13})\b", re.I)
_HEAD_WORD = re.compile(r"[^\s\[\]:|()]+[\]:]?")
_WORDS = tuple(
    (found, re.compile(words, re.I))
    for found, words in (
        (
            Level.FATAL,
            r"\b(?:fatal|panic(?:ked)?|emerg(?:ency)?|critical|oom[- ]?kill(?:ed|er)?|out of memory|outofmemory\w*"
            r"|segfault|segmentation fault|core dumped)\b",
        ),
        (
            Level.ERROR,
            r"\b(?:err(?:or)?s?|severe|exception|traceback|fail(?:ed|ure|s)?|refused|denied|unauthori[sz]ed|forbidden"
            r"|cannot|can't|could not|unable to|no such|not found|unreachable|undefined|timed? ?out|timeout"
            r"|deadline exceeded|abort(?:ed|ing)?|crash(?:ed|ing)?|no space left|read-only file system"
            r"|not known|address already in use)\b|(?-i:[a-z0-9](?:Error|Exception)\b)",
        ),
        (Level.WARNING, r"\b(?:warn(?:ing)?|deprecated|retry(?:ing)?|retries|back-?off|slow|throttl(?:ed|ing))\b"),
        (Level.DEBUG, r"\b(?:debug|trace|verbose)\b"),
    )
)
_HARMLESS = re.compile(
    r"\b(?:no|0|zero|without(?: any)?) (?:errors?|failures?|failed|fatal|timeouts?|retries|warnings?)\b"
    r"|\b(?:errors?|failures?|failed|timeouts?|retries|warnings?)[\"']?\s?[=:]\s?0\b",
    re.I,
)
# A server's own fault in an access log: `"GET / HTTP/1.1" 502 157`, or a field of its own.
_SERVER_FAULT = re.compile(r"\" 5\d\d\b|\bstatus(?:_?code)?[\"']?[=:] ?5\d\d\b", re.I)
# pino and bunyan count: 30 is info, 50 error (bunyan's README, "Levels").
_COUNTED = ((60, Level.FATAL), (50, Level.ERROR), (40, Level.WARNING), (30, Level.INFO), (0, Level.DEBUG))


def named(word: object) -> Level | None:
    """What a logger's own word or number for a level means; None when it means nothing."""
    if isinstance(word, str):
        return _NAMES.get(word.strip().lower())
    if isinstance(word, int) and not isinstance(word, bool) and word >= 10:
        return next(found for least, found in _COUNTED if word >= least)
    return None


def level(text: str) -> Level:
    """The severity that a line declares, else the one that its words suggest; INFO when neither does."""
    text = text[:_LOOKED_AT]
    told = declared(text)
    if told is not None and told is not Level.INFO:
        return told
    if '" 5' in text or "tatus" in text:
        told = Level.ERROR if _SERVER_FAULT.search(text) else told
    return suggested(text) if told is None else told


def declared(text: str) -> Level | None:
    """What a logger says of itself outweighs the words of its message: `level=info msg="0 errors"`."""
    if "evel" in text or "everity" in text or "lvl" in text or "LEVEL" in text:
        keyed = _KEYED.search(text)
        told = named(keyed[1]) if keyed else None
        if told is not None:
            return told
    heads = map(_head_word, _HEAD_WORD.findall(text[:_HEAD]))
    return next((found for found in heads if found is not None), None)


def _head_word(word: str) -> Level | None:
    """Loggers shout their level, bracket it or put a colon behind: `ERROR `, `[error]`, `error: `."""
    told = _SHOUTS.get(word.rstrip(":]"))
    if told is None and word[-1] in "]:" and len(word) > 3:
        return _NAMES.get(word[:-1].lower())
    return told


def suggested(text: str) -> Level:
    for found, words in _WORDS:
        if words.search(text) and words.search(_HARMLESS.sub("", text)):
            return found
    return Level.INFO
