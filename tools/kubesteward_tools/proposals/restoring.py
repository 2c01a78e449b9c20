"""Putting back what one action changed in one object, and only that: a three-way comparison that ends as a JSON patch.

`before` and `after` come out of the record, where secrets are left out; `live` is compared with them as it would stand
in the record, and what others have written since stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.world.diff import name_of

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "nothing"})()
_OF_METADATA = ("labels", "annotations", "finalizers")
_NOT_OURS = frozenset({"metadata", "status", "kind", "apiVersion"})

Pointer = tuple[str | int, ...]


@dataclass(slots=True)
class Restored:
    """`operations` are those of RFC 6902. `moved` are fields that somebody has changed since, `lost` such whose value
    the record leaves out, because it is a secret.
    """

    operations: list[dict[str, Any]] = field(default_factory=list)
    removals: list[Pointer] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def patch(self) -> list[dict[str, Any]]:
        """Items of lists go last, from behind, so that no place shifts under another operation."""
        removals = sorted(self.removals, reverse=True)
        return [*self.operations, *({"op": "remove", "path": _pointer(path)} for path in removals)]


def restored(before: Mapping[str, Any], after: Mapping[str, Any], live: Mapping[str, Any]) -> Restored:
    found = Restored()
    shown = redact_object(dict(live))
    for part in dict.fromkeys([*before, *after]):
        if part not in _NOT_OURS:
            _walk(found, (part,), _at(before, part), _at(after, part), _at(shown, part))
    for part in _OF_METADATA:
        values = (_at(item.get("metadata") or {}, part) for item in (before, after, shown))
        _walk(found, ("metadata", part), *values)
    return found


def _walk(found: Restored, path: Pointer, before: Any, after: Any, live: Any) -> None:
    if before in (after, live):
        return
    if isinstance(after, Mapping) and isinstance(live, Mapping) and (before is ABSENT or isinstance(before, Mapping)):
        if before is not ABSENT or live != after:
            old = {} if before is ABSENT else before
            for key in dict.fromkeys([*old, *after]):
                _walk(found, (*path, key), _at(old, key), _at(after, key), _at(live, key))
            return
    elif all(isinstance(item, list) for item in (before, after, live)) and (name := name_of([*before, *after, *live])):
        _walk_items(found, path, name, before, after, live)
        return
    if live != after:
        found.moved.append(_words(path))
    elif REDACTED in _text(before):
        found.lost.append(_words(path))
    elif before is ABSENT:
        found.removals.append(path)
    else:
        op = "add" if live is ABSENT else "replace"
        found.operations.append({"op": op, "path": _pointer(path), "value": before})


def _walk_items(found: Restored, path: Pointer, name: str, *values: Any) -> None:
    """Items with names, before, after and live: each for itself, wherever it stands by now. A missing one goes to the
    end.
    """
    old, new, now = ({str(item[name]): item for item in items} for items in values)
    places = {str(item[name]): place for place, item in enumerate(values[2])}
    for key in dict.fromkeys([*old, *new]):
        place: str | int = places.get(key, "-")
        _walk(found, (*path, place), _at(old, key), _at(new, key), _at(now, key))


def _at(mapping: Mapping[str, Any], key: str) -> Any:
    return mapping.get(key, ABSENT)


def _text(value: Any) -> str:
    return "" if value is ABSENT else json.dumps(value)


def _pointer(path: Pointer) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _words(path: Pointer) -> str:
    return ".".join(map(str, path))


def secrets_in(value: Any, path: str = "") -> Iterator[str]:
    """Where the record leaves something out."""
    if isinstance(value, str):
        if REDACTED in value:
            yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from secrets_in(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from secrets_in(item, f"{path}[{place}]")
