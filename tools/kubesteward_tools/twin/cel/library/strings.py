"""The strings extension (version 2) and Kubernetes' regular expressions: `find` and `findAll`, of linear time."""

from __future__ import annotations

import json
from typing import Any

from kubesteward_tools.twin.cel.library.function import Function, free, member


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(text):
        raise ValueError(f"index out of range: {at}")
    return text[at : at + 1]


def _index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= max(len(text), 0):
        raise ValueError(f"index out of range: {start}")
    return text.find(part, start)


def _last_index_of(text: str, part: str, end: int | None = None) -> int:
    if end is None:
        return text.rfind(part)
    if not 0 <= end <= len(text):
        raise ValueError(f"index out of range: {end}")
    return text.rfind(part, 0, end + len(part))


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else end
    for at in (start, last):
        if not 0 <= at <= len(text):
            raise ValueError(f"index out of range: {at}")
    if start > last:
        raise ValueError(f"invalid substring range. start: {start}, end: {last}")
    return text[start:last]


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        letters = list(text)
        return letters if limit < 0 else [*letters[: limit - 1], *filter(None, ["".join(letters[limit - 1 :])])]
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, limit)


def _join(parts: list[Any], separator: str = "") -> str:
    if not all(isinstance(part, str) for part in parts):
        raise ValueError("no such overload")
    return separator.join(parts)


def _ascii(text: str, *, upper: bool) -> str:
    return "".join((letter.upper() if upper else letter.lower()) if letter.isascii() else letter for letter in text)


def _format(template: str, values: list[Any]) -> str:
    """`%s %d %f %e %b %x %X %o %%` with an optional precision, as the strings extension has them."""
    import re

    left = iter(values)

    def one(match: re.Match[str]) -> str:
        if match["verb"] == "%":
            return "%"
        try:
            value = next(left)
        except StopIteration:
            raise ValueError(f"index {len(values)} out of range") from None
        return _formatted(value, match["verb"], int(match["precision"] or 6))

    return re.sub(r"%(?:\.(?P<precision>\d+))?(?P<verb>[a-zA-Z%])", one, template)


def _formatted(value: Any, verb: str, precision: int) -> str:
    if verb == "s":
        return _shown(value)
    if verb in {"f", "e"} and isinstance(value, int | float) and not isinstance(value, bool):
        return format(float(value), f".{precision}{verb}")
    if verb in {"d", "b", "x", "X", "o"} and isinstance(value, int):
        return format(value, verb)
    if verb in {"x", "X"} and isinstance(value, str | bytes | bytearray):
        digits = (value.encode() if isinstance(value, str) else bytes(value)).hex()
        return digits.upper() if verb == "X" else digits
    raise ValueError(f'error during formatting: unrecognized formatting clause "{verb}"')


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_shown(key)}: {_shown(item)}' for key, item in sorted(value.items()))}}}"
    return str(value)


def _find(text: str, pattern: str) -> str:
    found = _find_all(text, pattern, 1)
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    import re2

    try:
        matches = [match.group(0) for match in re2.finditer(pattern, text)]
    except re2.error as error:
        raise ValueError(f"Illegal regex: {error}") from None
    return matches if limit < 0 else matches[:limit]


FUNCTIONS: tuple[Function, ...] = (
    member("charAt", "string int", "string", _char_at),
    member("indexOf", "string string", "int", _index_of),
    member("indexOf", "string string int", "int", _index_of),
    member("lastIndexOf", "string string", "int", _last_index_of),
    member("lastIndexOf", "string string int", "int", _last_index_of),
    member("substring", "string int", "string", _substring),
    member("substring", "string int int", "string", _substring),
    member("split", "string string", "list", _split),
    member("split", "string string int", "list", _split),
    member("replace", "string string string", "string", _replace),
    member("replace", "string string string int", "string", _replace),
    member("join", "list", "string", _join),
    member("join", "list string", "string", _join),
    member("lowerAscii", "string", "string", lambda text: _ascii(text, upper=False)),
    member("upperAscii", "string", "string", lambda text: _ascii(text, upper=True)),
    member("trim", "string", "string", str.strip),
    member("reverse", "string", "string", lambda text: text[::-1]),
    member("format", "string list", "string", _format),
    free("strings.quote", "string", "string", lambda text: json.dumps(text, ensure_ascii=False)),
    member("find", "string string", "string", _find),
    member("findAll", "string string", "list", _find_all),
    member("findAll", "string string int", "list", _find_all),
)
