"""Sets of fields as `managedFields` writes them, and the places in an object that they name.

A path is a tuple of FieldsV1's words: `f:NAME` a field, `k:{...}` a list's element by its keys, `v:...` a set's member.
Sources: API doc of FieldsV1; KEP-555 (server-side apply); the list types that the API types declare.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator
from typing import Any

Path = tuple[str, ...]
Fields = frozenset[Path]

_ATOMIC = {"selector", "labelSelector", "namespaceSelector", "nodeSelector", "podSelector", "objectSelector"} | {
    "configMapKeyRef",
    "secretKeyRef",
    "fieldRef",
    "resourceFieldRef",
}
"""Maps that have one owner as a whole."""
_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "conditions": ("type",),
    "ownerReferences": ("uid",),
    "containers.ports": ("containerPort", "protocol"),
    "initContainers.ports": ("containerPort", "protocol"),
    "ports": ("port", "protocol"),
}
"""Lists of elements with owners of their own, by name, or by the list around them and name."""
_SETS = {"finalizers"}
_DEFAULTS = {"protocol": "TCP"}
_UNOWNED = {("f:apiVersion",), ("f:kind",), ("f:metadata", "f:name"), ("f:metadata", "f:namespace")}
_WHOLE = "."


def fields_of(obj: dict[str, Any]) -> dict[Path, Any]:
    """Every field that can have an owner, with its value; without status and what only the server writes."""
    metadata = {key: (obj.get("metadata") or {}).get(key) for key in ("annotations", "labels", "finalizers", "name")}
    content = {**{key: value for key, value in obj.items() if key != "status"}, "metadata": metadata}
    return {path: value for path, value in _of_map(content, (), ()) if path not in _UNOWNED}


def _of_map(found: dict[str, Any], path: Path, names: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in found.items():
        if value is not None:
            yield from _of_value(value, (*path, f"f:{name}"), (*names, name))


def _of_value(value: Any, path: Path, names: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value and names[-1] not in _ATOMIC:
        yield from _of_map(value, path, names)
    elif isinstance(value, list) and value and names[-1] in _SETS:
        yield from (((*path, f"v:{json.dumps(item)}"), item) for item in value)
    elif isinstance(value, list) and value and (keys := _keys(names)):
        for item in value:
            element = (*path, _element(item, keys))
            yield element, {}
            yield from _of_map(item, element, names)
    else:
        yield path, value


def _keys(names: Path) -> tuple[str, ...]:
    return _KEYS.get(".".join(names[-2:])) or _KEYS.get(names[-1]) or ()


def _element(item: dict[str, Any], keys: Iterable[str]) -> str:
    named = {key: item.get(key, _DEFAULTS.get(key)) for key in sorted(keys)}
    return "k:" + json.dumps({key: value for key, value in named.items() if value is not None}, separators=(",", ":"))


def parse(fields: dict[str, Any]) -> Fields:
    """The paths of a FieldsV1."""
    return frozenset(_paths(fields, ()))


def _paths(fields: dict[str, Any], path: Path) -> Iterator[Path]:
    for word, inner in fields.items():
        if word == _WHOLE:
            yield path
        elif inner:
            yield from _paths(inner, (*path, word))
        else:
            yield (*path, word)


def render(fields: Iterable[Path]) -> dict[str, Any]:
    """The FieldsV1 of these paths."""
    found: dict[str, Any] = {}
    paths = sorted(fields)
    for number, path in enumerate(paths):
        place = found
        for word in path:
            place = place.setdefault(word, {})
        if paths[number + 1 : number + 2] and paths[number + 1][: len(path)] == path:
            place[_WHOLE] = {}
    return found


def words(path: Path) -> str:
    """As a refusal names it: .spec.template.spec.containers[name="app"].image."""
    return "".join(_word(item) for item in path)


def _word(item: str) -> str:
    kind, _, rest = item.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        return f"[{','.join(f'{key}={json.dumps(value)}' for key, value in json.loads(rest).items())}]"
    return f"[={rest}]"


def without(obj: dict[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """A copy of the object that lacks these fields; maps that are left empty go too."""
    new = copy.deepcopy(obj)
    for path in sorted(paths):  # an element before its fields: by them it is found
        _remove(new, path)
    return new


def _remove(place: Any, path: Path) -> None:
    """What is not there is gone already."""
    kind, _, rest = path[0].partition(":")
    if kind == "f":
        if not isinstance(place, dict) or rest not in place:
            return
        if len(path) > 1:
            _remove(place[rest], path[1:])
        if len(path) == 1 or place[rest] in ({}, []):
            del place[rest]
    elif isinstance(place, list):
        at = next((number for number, item in enumerate(place) if _is(item, kind, json.loads(rest))), None)
        if at is not None and len(path) > 1:
            _remove(place[at], path[1:])
        elif at is not None:
            del place[at]


def _is(item: Any, kind: str, wanted: Any) -> bool:
    if kind == "v":
        return bool(item == wanted)
    return isinstance(item, dict) and all(item.get(key, _DEFAULTS.get(key)) == value for key, value in wanted.items())
