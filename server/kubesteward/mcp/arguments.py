"""A tool's arguments: one strict model, its compact JSON Schema, and refusals a model can act on.

Stricter than the SDK's own: it drops unknown arguments silently and reads "3" as 3, so that a misspelt `dry_run` would
still change a cluster.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.tool import Tool

STRICT = ConfigDict(extra="forbid", strict=True)

LARGEST = 2**53

GATED: dict[str, Any] = {
    "justification": (Annotated[str, Field(max_length=500, description="Why; kept in the audit log")], ""),
    "dry_run": (
        Annotated[bool | None, Field(description="Only preview. Default: true if nobody can be asked here")],
        None,
    ),
    "idempotency_key": (Annotated[str, Field(max_length=100, description="Same key, same action")], ""),
}
"""What the gate wants to know of every proposed change."""


@cache
def arguments_of(tool: Tool) -> Arguments:
    """One for a tool and process, though each connection and each investigation has a server of its own."""
    return Arguments(tool)


class Arguments:
    """Made when it is first needed: a server lists its tools before it calls one."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    @cached_property
    def model(self) -> type[BaseModel]:
        fields = _fields(self._tool)
        if self._tool.tier == Tier.EXECUTE:
            fields |= GATED
        return create_model(self._tool.name, __config__=STRICT, **fields)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON Schema 2020-12, without what only repeats the argument's name."""
        compact: dict[str, Any] = compacted(self.model.model_json_schema())
        return {"type": "object", "properties": {}, **compact}

    def validate(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as Python values, defaults filled in.

        Raises:
            InvalidArguments: unknown, missing or malformed; names what is allowed. Values are not echoed.
        """
        try:
            made = self.model.model_validate(dict(given))
        except ValidationError as error:
            why = "; ".join(self._fault(fault) for fault in error.errors(include_url=False, include_input=False)[:5])
            allowed = ", ".join(self.model.model_fields)
            raise InvalidArguments(
                f"{self._tool.name}: {why}" + "." * (not why.endswith("?")),
                todo=f"Allowed arguments: {allowed or 'none'}.",
            ) from None
        if not _interoperable(given):
            todo = "Write it as a string, as Kubernetes quantities may be."
            raise InvalidArguments(f"{self._tool.name}: a number is beyond 2**53 or not finite.", todo=todo)
        return {name: getattr(made, name) for name in self.model.model_fields}

    def _fault(self, fault: Any) -> str:
        where = ".".join(str(part) for part in fault["loc"])[:80]
        if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
            near = get_close_matches(where, self.model.model_fields, n=1)
            inside = ", does it belong into 'params'?" if "params" in self.model.model_fields else ""
            return f"unknown argument {where!r}" + (f", did you mean {near[0]!r}?" if near else inside)
        if fault["type"] == "missing":
            return f"{where!r} is missing"
        return f"{where!r}: {_lower(fault['msg'])}"


def _fields(tool: Tool) -> dict[str, Any]:
    """The function's parameters after the desk, as `create_model` wants them."""
    parameters = list(inspect.signature(tool.function).parameters.values())[1:]
    annotated = SimpleNamespace(__annotations__={parameter.name: parameter.annotation for parameter in parameters})
    scope = inspect.unwrap(tool.function).__globals__
    hints = get_type_hints(annotated, scope, include_extras=True)
    return {
        parameter.name: (
            hints[parameter.name],
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for parameter in parameters
    }


def compacted(node: Any, *, names: bool = False) -> Any:
    """Drop titles, null defaults and the null branch of optional arguments: every session pays for each byte."""
    if isinstance(node, list):
        return [compacted(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: compacted(value, names=key in {"properties", "$defs"})
        for key, value in node.items()
        if names or not _noise(key, value)
    }
    choices = kept.get("anyOf")
    if not names and isinstance(choices, list):
        some = [choice for choice in choices if choice != {"type": "null"}]
        if len(some) == 1:
            del kept["anyOf"]
            kept = {**some[0], **kept}
    return kept


def _interoperable(value: Any) -> bool:
    """Whether every number in it is one that all JSON readers agree on (RFC 7493, section 2.2)."""
    if isinstance(value, Mapping):
        return all(_interoperable(item) for item in value.values())
    if isinstance(value, list):
        return all(_interoperable(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= LARGEST


def _noise(key: str, value: Any) -> bool:
    """Lengths are enforced all the same; no model counts characters."""
    if key == "default":
        return value is False or value in (None, "", [])
    return key == "title" or (key in {"maxLength", "minLength"} and isinstance(value, int))


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
