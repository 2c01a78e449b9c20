"""Answers have a budget: the middle goes first, and the cut says what is missing and what to ask instead."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

LEFT_OUT = "Parts are left out here: narrow the question to see them."
_STEPS = ((10_000, 1000), (4000, 300), (1500, 100), (600, 40), (200, 20), (80, 8))
"""Longest text and most entries of a list or mapping, tried in this order."""


def _notice(characters: int, lines: int) -> str:
    return f"[... {lines} lines ({characters} characters) left out here: narrow the question to see them ...]"


def _head(text: str, room: int) -> str:
    """At most `room` characters from the start, up to a line's end if one is in the second half of them."""
    part = text[:room]
    border = part.rfind("\n")
    return part[:border] if border >= room // 2 else part


def _tail(text: str, room: int) -> str:
    part = text[len(text) - room :]
    border = part.find("\n")
    return part[border + 1 :] if 0 <= border <= room // 2 else part


def cap(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: two thirds from its start, one third from its end, cut at line borders
    where there are any near. A limit too small for the sentence about the cut gives the bare start of the text."""
    if len(text) <= limit:
        return text
    longest = len(_notice(len(text), text.count("\n") + 1)) + 2
    room = limit - longest
    if room < 2:
        return text[: max(limit, 0)]
    head, tail = _head(text, room - room // 3), _tail(text, room // 3)
    left_out = text[len(head) : len(text) - len(tail)]
    return f"{head}\n{_notice(len(left_out), left_out.strip(chr(10)).count(chr(10)) + 1)}\n{tail}"


def fit(data: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """JSON data in at most `limit` characters. Where something had to go, `left_out` says so: long texts lose their
    middle, long lists and mappings their end, and what is on top stays as long as anything does."""
    if _length(data) <= limit:
        return dict(data)
    for longest, most in _STEPS:
        small = {key: _shrunk(value, longest, most) for key, value in data.items()} | {"left_out": LEFT_OUT}
        if _length(small) <= limit:
            return small
    flat = {key: value for key, value in data.items() if not isinstance(value, Mapping | list | tuple | str)}
    return flat | {"left_out": LEFT_OUT}


def _length(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str))


def _shrunk(value: Any, longest: int, most: int) -> Any:
    if isinstance(value, str):
        return cap(value, longest)
    if isinstance(value, Mapping):
        return {key: _shrunk(item, longest, most) for key, item in islice(value.items(), most)}
    if isinstance(value, list | tuple):
        return [_shrunk(item, longest, most) for item in value[:most]]
    return value
