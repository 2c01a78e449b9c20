"""What loggers write around a message, taken off: JSON, logfmt, klog and plain lines with a time in front."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.analytics.severity import Level, level, named
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact
from kubesteward_tools.twin.clock import parse_timestamp

_TIME = r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z\b|UTC\b|[+-]\d\d:?\d\d\b)?"
_LEADING = re.compile(rf"\[?{_TIME}\]?[\s|:-]*")
# A word of a level may stand before it; a time further on is one that the message speaks of.
_NEAR_START = re.compile(rf"[\[(]?(?:[A-Z]{{3,8}}[\]:]?\s)?[\[(]?{_TIME}")
_FIELD = re.compile(r"(?:^|(?<=\s))(?:time|ts|timestamp|t)=(\"[^\"]*\"|\S+)\s?")
# klog's header: level, month and day, time, thread, file and line. It has no year, so it gives no time.
_KLOG = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ (?=\S+:\d+\] )")
_MESSAGES = ("msg", "message", "log", "event", "text", "@m", "@mt", "body", "short_message", "MESSAGE")
_LEVELS = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "log_level", "@l", "severity_text")
_TIMES = ("ts", "time", "timestamp", "@timestamp", "t", "@t", "datetime", "date", "asctime")
_NESTED = 1_000_000
"""Characters of a JSON line beyond which it is taken as plain text."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """`text` is the message without time; `at` is in epoch seconds, 0.0 when the line tells none that is certain."""

    text: str
    level: Level
    at: float = 0.0


def parsed(text: str) -> Parsed:
    """Never fails: what is in no known form is its own message."""
    if text.startswith("{") and len(text) < _NESTED:
        found = _json(text)
        if found is not None:
            return found
    klog = _KLOG.match(text)
    if klog is not None:
        return Parsed(text[klog.end() :], named(klog[1]) or Level.INFO)
    stamp = _LEADING.match(text)
    if stamp is not None and stamp.end() < len(text):
        return Parsed(text[stamp.end() :], level(text), _seconds(stamp))
    field = _FIELD.search(text[:200])
    if field is not None and "=" in text[field.end() :]:
        return Parsed(text[: field.start()] + text[field.end() :], level(text), _moment(field[1].strip('"')))
    return Parsed(text, level(text))


def own_time(text: str) -> float:
    """When a line says it was written, in epoch seconds; UTC where it names no zone, 0.0 when it does not say."""
    if text.startswith("{") or "=" in text[:200]:
        return parsed(text).at
    stamp = _NEAR_START.match(text)
    return _seconds(stamp) if stamp else 0.0


def _seconds(stamp: re.Match[str]) -> float:
    year, month, day, clock, fraction, zone = stamp.groups()
    zone = "+00:00" if zone in {None, "Z", "UTC"} else zone
    try:
        return parse_timestamp(f"{year}-{month}-{day}T{clock}.{(fraction or '0')[:6]:0<6}{zone}")
    except (ValueError, OverflowError):
        return 0.0


def _moment(value: object) -> float:
    """Of a JSON time: text, or a number of seconds, milli-, micro- or nanoseconds since the epoch."""
    if isinstance(value, str):
        stamp = _NEAR_START.match(value)
        return _seconds(stamp) if stamp else 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return next((value / unit for unit in (1, 1e3, 1e6, 1e9) if 1e9 <= value / unit < 1e10), 0.0)


def _json(text: str) -> Parsed | None:
    """`message key=value ...`: shorter than JSON, and nothing of it is lost but its time and the word for its level."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not fields:
        return None
    time = next((key for key in _TIMES if _moment(fields.get(key))), "")
    severity = next((key for key in _LEVELS if named(fields.get(key)) is not None), "")
    message = next((key for key in _MESSAGES if isinstance(fields.get(key), str)), "")
    dropped = {message, time, severity}
    head = str(fields.get(message, "")).strip()
    pairs = [_pair(key, value) for key, value in fields.items() if key not in dropped]
    # Values of several lines, such as stack traces, come last.
    first = " ".join(filter(None, (head, *(pair for pair in pairs if "\n" not in pair))))
    shown = "\n".join(filter(None, (first, *(pair for pair in pairs if "\n" in pair))))
    if "\\" in text:  # escapes may have hidden what the line was cleaned of
        shown = redact(clean(shown, len(shown) + 1))
    found = named(fields.get(severity))
    found = level(_suggesting(head, fields)) if found is None else found
    return Parsed(
        shown or text, max(found, Level.ERROR) if _is_server_fault(fields) else found, _moment(fields.get(time))
    )


def _is_server_fault(fields: Mapping[str, Any]) -> bool:
    """Access logs tell a 502 as information."""
    codes = [fields.get(key) for key in ("status", "status_code", "statusCode")]
    return any(isinstance(code, int) and 500 <= code < 600 for code in codes)


def _pair(key: str, value: Any) -> str:
    if isinstance(value, str):
        plain = value and not any(character in value for character in ' "=')
        return f"{key}={value}" if plain or "\n" in value else f"{key}={json.dumps(value, ensure_ascii=False)}"
    return f"{key}={json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"


def _suggesting(head: str, fields: Mapping[str, Any]) -> str:
    """Without a level, the message and what stands under `error` speak; a key alone says nothing."""
    failure = next((fields[key] for key in ("error", "err", "exception") if fields.get(key)), "")
    return f"{head} error {failure}" if failure else head
