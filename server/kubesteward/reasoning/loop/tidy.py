"""What a brain says, cut to a size and cleaned of what nobody sees and of secrets, before anything is done with it or
it is kept: it may have been talked into anything, and whoever serves it may not keep to the limits that it was given.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from kubesteward.reasoning.brains.base import Done, Message, Part, Text, Thought, ToolCall
from kubesteward.reasoning.loop.notes import NAMES
from kubesteward_tools.text.redact import redact, redact_object

MOST_CALLS = 16
"""Of one answer; what lies beyond is not made, and it is told so."""
MOST_TEXT = 24_000
MOST_ARGUMENTS = 60_000
"""Characters of the arguments of all calls of one answer, as JSON."""
MOST_OPAQUE = 400_000
_DEEP = 40
"""A manifest within an action within a conclusion is about fifteen deep."""
_LONG_ID = 512
_EMBEDDED = re.compile(r"!\[([^\]]*)\]\s*\([^)]*\)|<\s*(?:img|iframe|script|object|embed|link|style)\b[^>]*>", re.I)
"""What viewers of Markdown load unasked, so that an address could carry away what an answer has."""
_FENCE = re.compile(r"<<<+(?=\s*data\b)|(?<=[0-9a-f])>>>+", re.I)
"""Marks that look like the fences of data: an answer must not end one, nor begin one."""


def tidied(done: Done) -> tuple[Done, int]:
    """And how many calls were left out."""
    calls = done.message.calls
    kept = {id(call) for call in calls[:MOST_CALLS]}
    parts = [part for part in done.message.parts if not isinstance(part, ToolCall) or id(part) in kept]
    message = Message(done.message.role, tuple(_within(parts)))
    return replace(done, message=message), max(len(calls) - MOST_CALLS, 0)


def _within(parts: Iterable[Part]) -> Iterable[Part]:
    text, arguments, opaque = MOST_TEXT, MOST_ARGUMENTS, MOST_OPAQUE
    for part in parts:
        if isinstance(part, Text):
            said = redact(plain(part.text, text))
            text -= len(said)
            yield replace(part, text=said)
        elif isinstance(part, ToolCall):
            asked = _call(part, arguments)
            arguments -= _size(asked.arguments)
            yield asked
        elif isinstance(part, Thought):
            opaque -= _size(part.to_json())
            if opaque >= 0:
                yield part
        else:
            yield part


def _call(call: ToolCall, room: int) -> ToolCall:
    name = plain(call.name, 200)
    if len(call.id) > _LONG_ID:
        call = replace(call, id=hashlib.sha256(call.id.encode(errors="replace")).hexdigest())
    if call.malformed:
        return replace(call, name=name, arguments={}, malformed=plain(call.malformed, 400))
    if _depth(call.arguments) > _DEEP or _size(call.arguments) > room:
        return replace(call, name=name, arguments={}, malformed="its arguments are too long or too deep. Ask for less.")
    arguments = _plain_within(call.arguments)
    return replace(call, name=name, arguments=redact_object(arguments) if name in NAMES else arguments)


def plain(text: str, most: int = MOST_TEXT) -> str:
    """Without control characters, what is not seen, what viewers load unasked, and marks of fences."""
    from kubesteward_tools.text.fence import clean

    short = text if len(text) <= most else f"{text[:most]} [cut]" if most > 0 else ""
    return _FENCE.sub("[…]", _EMBEDDED.sub(r"[\1 left out]", clean(short, most + 100)))


def _plain_within(node: Any) -> Any:
    if isinstance(node, str):
        return plain(node, MOST_ARGUMENTS)
    if isinstance(node, dict):
        return {plain(str(name), 200): _plain_within(value) for name, value in node.items()}
    return [_plain_within(item) for item in node] if isinstance(node, list) else node


def _size(node: Any) -> int:
    return len(json.dumps(node, default=str))


def _depth(node: Any, so_far: int = 0) -> int:
    """Of lists and objects in each other; no deeper than is allowed is looked."""
    if so_far > _DEEP or not isinstance(node, (dict, list)):
        return so_far
    inner = node.values() if isinstance(node, dict) else node
    return max((_depth(item, so_far + 1) for item in inner), default=so_far + 1)
