"""Finds the values that stand next to a name which says secret: in settings, prose, YAML, and JSON within JSON.

A pattern finds the names; where a value ends depends on how it begins, which is more than a pattern can say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubesteward_tools.text import shapes
from kubesteward_tools.text.likeness import REDACTED, belongs_to_key, certain, is_done, left_blank, points_elsewhere

_OPENS = re.compile(r"(\\*)([\"'])|(`)")
_QUOTED = {quote: re.compile(rf"(?:[^{quote}\\\n]|\\.)*") for quote in "\"'"}
_TICKED = re.compile(r"[^`\s]+(?=`)")
_TEMPLATE = re.compile(r"<[^<>\n]{1,80}>|\{\{[^{}\n]{1,200}\}\}|\[[^\[\]\n\d\"']{1,80}\]")
_LIST = re.compile(r"\[[^\[\]\n]{1,2000}\]")
_BARE = re.compile(r"[^\s\"'`,;&]+")
_WHOLE = re.compile(r"\S+")
_ON = re.compile(r"[,;&]+[^\s\"'`,;&]+")
_NEXT = re.compile(r"[,;&]+[\w.\[\]-]+[=:]")
_ALONE = re.compile(r"[ \t]*(?:export[ \t]+)?[\w.-]*")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?$")
_INDENT = re.compile(r"[ \t]*(?:- +)*")
_POINTS = re.compile(r"(?:\b[Ee]xisting[\w.-]*|\barn:aws[\w:-]*)$")
_DIRECTORY = re.compile(r"(?:/[a-z][\w.-]*)+")
_ADDRESS = 100
_NEAR, _FARTHEST = 300, 100_000
"""Characters that are looked at before a name and behind it: one line may hold thousands of names."""


class Value(NamedTuple):
    """Where in a text a value stands, without its quotes."""

    start: int
    end: int
    quoted: bool


def without_assigned(text: str) -> str:
    """`text` with the values of secret names replaced."""
    found: list[str] = []
    done = 0
    for at, start, key in _names(text):
        value = _value(text, at, start) if start >= done else None
        if value is None:
            continue
        said = text[value.start : value.end]
        if _is_secret(key, said, quoted=value.quoted) and not _tells_where(text, at, key, said):
            found += [text[done : value.start], REDACTED]
            done = value.end
    return "".join([*found, text[done:]]) if found else text


def _tells_where(text: str, at: int, key: str, value: str) -> bool:
    """`existingSecret: web-db`, a Secret's ARN, and a shell's working directory."""
    before = text[max(at - _ADDRESS, 0) : at]
    if key == "PWD=" and _DIRECTORY.fullmatch(value):
        return not before[-1:].isalnum() or before.endswith("OLD")
    return _POINTS.search(before) is not None


def _names(text: str) -> Iterator[tuple[int, int, str]]:
    """Where a secret's name is, where its value begins, and the name: `password: x`, `name: PASSWORD, value: x`."""
    found = [(match.start(), match.end(), match.group(0)) for match in _matches(shapes.ASSIGNMENT, text)]
    if "value" in text or "Value" in text:
        pairs = ((pair.start(), pair.end(), pair.group(1)) for pair in _matches(shapes.PAIR, text))
        secret = shapes.compiled(shapes.SECRET_NAME).search
        found += [(at, end, f"{name}=") for at, end, name in pairs if secret(name)]
        found.sort()
    return iter(found)


def _matches(pattern: str, text: str) -> Iterator[Any]:
    return iter(shapes.compiled(pattern).finditer(text))


def _value(text: str, name: int, start: int) -> Value | None:
    opens = _OPENS.match(text, start)
    listed = _LIST.match(text, start)
    if listed is not None and shapes.compiled(shapes.MANY).search(text[name:start].rstrip("\"'\\:= ")):
        return Value(start + 1, listed.end() - 1, True)
    if opens is None:
        return _bare(text, name, start)
    at = opens.end()
    if opens[3]:
        ticked = _TICKED.match(text, at)
        return Value(at, ticked.end(), True) if ticked else None
    end = _escaped_end(text, at, opens[1], opens[2]) if opens[1] else _quoted_end(text, at, opens[2])
    return Value(at, end, True) if end > at else None


def _quoted_end(text: str, at: int, quote: str) -> int:
    """In YAML's single quotes one quote is written as two."""
    found = _QUOTED[quote].match(text, at)
    while found is not None and text.startswith("''", found.end()):
        found = _QUOTED[quote].match(text, found.end() + 2)
    return found.end() if found else at


def _escaped_end(text: str, at: int, slashes: str, quote: str) -> int:
    """JSON in a JSON string ends where a quote has no more backslashes than the one it began with."""
    line = text.find("\n", at, at + _FARTHEST)
    line = min(len(text), at + _FARTHEST) if line < 0 else line
    end = text.find(quote, at, line)
    while end >= 0:
        before = end
        while before > at and text[before - 1] == "\\":
            before -= 1
        if end - before <= len(slashes):
            return before
        end = text.find(quote, end + 1, line)
    return line


def _bare(text: str, name: int, start: int) -> Value | None:
    """To the next blank; a separator within is part of it unless another key follows, which none does in a setting
    that has its line to itself."""
    found = _TEMPLATE.match(text, start)
    if found is not None:
        return Value(start, found.end(), False)
    found = _BARE.match(text, start)
    if found is None:
        return None
    if _BLOCK.match(found[0]):
        return _block(text, start, found.end())
    line = _line(text, name)
    if line >= 0 and _ALONE.fullmatch(text, line, name) is not None:
        return Value(start, _WHOLE.match(text, start).end(), False)  # type: ignore[union-attr] # as _BARE matched
    end = found.end()
    while (more := _ON.match(text, end)) is not None and not _NEXT.match(text, end):
        end = more.end()
    return Value(start, end, False)


def _block(text: str, start: int, at: int) -> Value | None:
    """A YAML block scalar: the lines below that stand further right than the line of its key."""
    line = _line(text, start)
    if line < 0:
        return None
    indent = _width(text, line)
    begins = end = text.find("\n", at) + 1
    while 0 < end < len(text) and (_width(text, end) > indent or text[end] == "\n"):
        end = text.find("\n", end) + 1 or len(text)
    while begins < end and text[begins] in " \t":
        begins += 1
    return Value(begins, len(text[:end].rstrip("\n")), True) if begins < end else None


def _line(text: str, at: int) -> int:
    """Where the line begins, -1 for one so long that nobody wrote it as a setting."""
    near = max(at - _NEAR, 0)
    found = text.rfind("\n", near, at)
    return found + 1 if found >= 0 or near == 0 else -1


def _width(text: str, line: int) -> int:
    found = _INDENT.match(text, line)
    return found.end() - line if found else 0


def _is_secret(key: str, value: str, *, quoted: bool) -> bool:
    if is_done(value) or points_elsewhere(key) or left_blank(key, value):
        return False
    return belongs_to_key(value) and (quoted or certain(key, value))
