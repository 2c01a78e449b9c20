"""Manifests of Secrets within a text: in a log, an annotation, an error that quotes, a file in a ConfigMap.

Every value below `data` or `stringData` goes, whatever it looks like: there are no other values in a Secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.text import shapes
from kubesteward_tools.text.likeness import REDACTED, is_done, made_up

_HEAD = re.compile(r"([ \t]*(?:- +)?)[\"']?(?:data|stringData)[\"']?:[ \t]*(?:#.*)?$")
_ENTRY = re.compile(r"([ \t]*[\"']?[\w.-]+[\"']?:[ \t]*)(\S.*)?$")
_NOTHING = re.compile(r"(?:[|>][+-]?\d?[+-]?|\"\"|''|null|~)[ \t]*$")
"""What stands where a block begins, or nothing is."""
_SEPARATOR = "---"


def without_values(text: str) -> str:
    """`text`, in which a manifest of a Secret is known to be, without the values of all that is a Secret there."""
    text = str(shapes.compiled(shapes.IN_BRACES).sub(_braces, text))
    text = "\n".join(_lines(text.split("\n")))
    return str(shapes.compiled(shapes.IN_MANIFEST).sub(_line, text))


def _braces(match: Any) -> str:
    whole, inside = str(match.group(0)), str(match.group(1))
    if not inside.strip() or is_done(inside):
        return whole
    return f"{whole[: -len(inside) - 1]}{REDACTED}}}"


def _line(match: Any) -> str:
    whole, value = str(match.group(0)), str(match.group(1))
    if made_up(value):
        return whole
    start = match.start(1) - match.start(0)
    return f"{whole[:start]}{REDACTED}{whole[start + len(value) :]}"


def _lines(lines: list[str]) -> Iterator[str]:
    """Below a head, entries lose their values and deeper lines, which go on with a value, their all."""
    head = entry = -1
    secret = _is_secret(lines, 0)
    for number, line in enumerate(lines):
        if line.startswith(_SEPARATOR):
            secret = _is_secret(lines, number + 1)
        width = len(line) - len(line.lstrip(" \t"))
        if head >= 0 and line.strip() and width <= head:
            head = entry = -1
        if head < 0:
            found = _HEAD.match(line)
            head = len(found[1]) if found and secret else -1
            yield line
            continue
        entry = width if entry < 0 else entry
        yield _without(line) if width <= entry else f"{line[:width]}{REDACTED}" if line.strip() else line


def _is_secret(lines: list[str], start: int) -> bool:
    """Whether the document that begins at a line is, or holds, a Secret."""
    for number in range(start, len(lines)):
        if (line := lines[number]).startswith(_SEPARATOR):
            return False
        if shapes.compiled(shapes.MANIFEST).search(line):
            return True
    return False


def _without(line: str) -> str:
    found = _ENTRY.match(line)
    if found is None or not found[2] or _NOTHING.match(found[2]) or REDACTED in found[2]:
        return line
    return f"{found[1]}{REDACTED}"
