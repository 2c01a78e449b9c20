"""JSON patch, RFC 6902, with one liberty of the API server: `replace` may name a member that is not there."""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin.status import ApiError, bad_request

Json = Any


def apply(obj: Json, operations: Json) -> Json:
    """The patched copy of `obj`, which shares nothing with the operations: one may change what another has added.

    Raises:
        ApiError: 400 when `operations` is no list of operations, 422 when one cannot be done (a failed `test` too).
    """
    if not isinstance(operations, list):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    document = copy.deepcopy(obj)
    for operation in operations:
        try:
            document = _one(document, operation)
        except (KeyError, IndexError, TypeError, ValueError):
            raise _refused() from None
    return document


def _refused() -> ApiError:
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request")


def _one(document: Json, operation: dict[str, Any]) -> Json:
    kind, path = operation["op"], _steps(operation["path"])
    if kind == "test":
        if _get(document, path) != operation.get("value"):
            raise ValueError(path)
        return document
    if kind == "remove":
        return _remove(document, path)
    if kind == "replace":
        return _put(document, path, copy.deepcopy(operation["value"]), replace=True)
    if kind == "add":
        return _put(document, path, copy.deepcopy(operation["value"]))
    source = _steps(operation["from"])
    value = copy.deepcopy(_get(document, source))
    if kind == "move":
        return _put(_remove(document, source), path, value)
    if kind == "copy":
        return _put(document, path, value)
    raise ValueError(kind)


def _steps(pointer: str) -> list[str]:
    """The steps of a JSON pointer (RFC 6901)."""
    if pointer and not pointer.startswith("/"):
        raise ValueError(pointer)
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _get(document: Json, path: list[str]) -> Json:
    for step in path:
        document = document[_index(document, step)] if isinstance(document, list) else document[step]
    return document


def _index(items: list[Json], step: str, *, beyond: bool = False) -> int:
    if beyond and step == "-":
        return len(items)
    at = int(step)
    if at < 0:
        at += len(items)
    if not 0 <= at < len(items) + beyond:
        raise IndexError(step)
    return at


def _put(document: Json, path: list[str], value: Json, *, replace: bool = False) -> Json:
    if not path:
        return value
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list) and replace:
        parent[_index(parent, last)] = value
    elif isinstance(parent, list):
        parent.insert(_index(parent, last, beyond=True), value)
    elif isinstance(parent, dict):
        parent[last] = value
    else:
        raise TypeError(last)
    return document


def _remove(document: Json, path: list[str]) -> Json:
    parent, last = _get(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        del parent[_index(parent, last)]
    else:
        del parent[last]
    return document
