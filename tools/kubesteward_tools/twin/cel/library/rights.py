"""What an expression may ask of authorization: `authorizer.group('apps').resource('deployments').check('get')`.

API doc: CEL, Kubernetes authorizer library. Each step is a map that says what has been asked for so far; who decides
is set for the time of an evaluation by `asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from kubesteward_tools.twin.cel.library.function import Function, member

Ask = Callable[[dict[str, str]], tuple[bool, str]]
"""From a question (verb, group, resource, subresource, namespace, name, path, user) to whether, and why."""

_ASKED: ContextVar[Ask] = ContextVar("authorizer")
_TYPE = "type"
START: dict[str, Any] = {_TYPE: "authorizer"}


@contextmanager
def asking(ask: Ask) -> Iterator[None]:
    """Within the block, checks are decided by `ask`."""
    token = _ASKED.set(ask)
    try:
        yield
    finally:
        _ASKED.reset(token)


def of_request(question: dict[str, str]) -> dict[str, Any]:
    """The `authorizer` of one request, whose own resource is `question`."""
    return {**START, "requestResource": {_TYPE: "resource", **question}}


def _step(value: dict[str, Any], given: tuple[str, ...], **more: str) -> dict[str, Any]:
    if value.get(_TYPE) not in given:
        raise ValueError("no such overload")
    kept = {key: item for key, item in value.items() if key != "requestResource"}
    return {**kept, **more}


def _then(name: str, given: str, becomes: str) -> Function:
    def call(value: dict[str, Any], text: str) -> dict[str, Any]:
        return _step(value, (given,), **{_TYPE: becomes, name: text})

    return member(name, "map string", "map", call)


def _check(value: dict[str, Any], verb: str) -> dict[str, Any]:
    asked = _step(value, ("resource", "path"))
    allowed, reason = _ASKED.get()({**{key: item for key, item in asked.items() if key != _TYPE}, "verb": verb})
    return {_TYPE: "decision", "allowed": allowed, "reason": reason}


def _service_account(value: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
    return _step(value, ("authorizer",), user=f"system:serviceaccount:{namespace}:{name}")


def _decision(value: dict[str, Any], part: str) -> Any:
    return _step(value, ("decision",))[part]


FUNCTIONS: tuple[Function, ...] = (
    _then("path", "authorizer", "path"),
    _then("group", "authorizer", "group"),
    _then("resource", "group", "resource"),
    _then("subresource", "resource", "resource"),
    _then("namespace", "resource", "resource"),
    _then("name", "resource", "resource"),
    member("serviceAccount", "map string string", "map", _service_account),
    member("check", "map string", "map", _check),
    member("allowed", "map", "bool", lambda value: _decision(value, "allowed")),
    member("reason", "map", "string", lambda value: _decision(value, "reason")),
    member("errored", "map", "bool", lambda value: bool(_step(value, ("decision",))) and False),
    member("error", "map", "string", lambda value: str(_step(value, ("decision",)).get("error", ""))),
)
