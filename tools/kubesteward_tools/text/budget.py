"""Answers have a budget: the middle goes first, and the cut says what is missing and what to ask instead."""

from __future__ import annotations


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
