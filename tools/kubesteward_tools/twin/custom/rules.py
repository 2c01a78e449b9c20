"""CEL rules of a schema (`x-kubernetes-validations`), as far as they can be decided here.

`decide` is the one door to whatever evaluates expressions. What it cannot decide is named and never taken to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubesteward_tools.twin.cel import Failed, Invalid, Undecided, compiled
from kubesteward_tools.twin.custom import schemas
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.status import FieldError

MISSING: Any = object()
"""In place of a value that there was not."""

Decide = Callable[[str, Any, Any, Schema], bool | None]
"""From a rule, `self`, `oldSelf` (or MISSING) and the schema around it to what it says; None when that is not known."""


def decide(rule: str, value: Any, old: Any, schema: Schema) -> bool | None:
    """By CEL; a rule that fails is one that does not hold."""
    del schema
    data = {"self": value} if old is MISSING else {"self": value, "oldSelf": old}
    try:
        return bool(compiled(rule, frozenset(data)).evaluate(data))
    except Undecided:
        return None
    except (Failed, Invalid):
        return False


class Rules:
    """Goes through a value with its schema; `undecided` are the rules about which nobody knows."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self.undecided: list[str] = []

    def check(self, value: Any, schema: Schema, old: Any, path: str = "") -> Iterator[FieldError]:
        """`old` is what stood there before, MISSING where nothing did."""
        if value is None:
            return
        for rule in schema.get("x-kubernetes-validations") or ():
            yield from self._rule(rule, value, schema, old, path)
        if isinstance(value, dict):
            for name, item in value.items():
                inner = schemas.below(schema, name)
                if inner:
                    before = old.get(name, MISSING) if isinstance(old, dict) else MISSING
                    yield from self.check(item, inner, before, f"{path}.{name}" if path else name)
        elif isinstance(value, list):
            inner = schemas.items(schema)
            for number, item in enumerate(value):
                yield from self.check(item, inner, counterpart(item, schema, old), f"{path}[{number}]")

    def _rule(self, rule: dict[str, Any], value: Any, schema: Schema, old: Any, path: str) -> Iterator[FieldError]:
        text = str(rule.get("rule", ""))
        transition = "oldSelf" in text
        if transition and old is MISSING and not rule.get("optionalOldSelf"):
            return
        if not transition and old is not MISSING and old == value:
            return  # what was let in before and is as it was stays let in (KEP-4008)
        found = self._decide(text, value, old, schema)
        if found is None:
            self.undecided.append(f"{path or 'the object'}: the rule {text!r} is not evaluated")
        elif not found:
            yield _failed(rule, path)


def _failed(rule: dict[str, Any], path: str) -> FieldError:
    where = (path + str(rule.get("fieldPath") or "")).lstrip(".") or "<nil>"
    message = str(rule.get("message") or f"failed rule: {rule.get('rule', '')}").strip()
    reason = str(rule.get("reason") or "FieldValueInvalid")
    words = {"FieldValueForbidden": "Forbidden", "FieldValueRequired": "Required value"}.get(reason, "Invalid value")
    return FieldError(reason, where, f"{words}: {message}")


def counterpart(item: Any, schema: Schema, old: Any) -> Any:
    """What an element of a list was before; only elements with keys can be told."""
    keys = schema.get("x-kubernetes-list-map-keys")
    if schema.get("x-kubernetes-list-type") != "map" or not keys or not isinstance(old, list):
        return MISSING
    if not isinstance(item, dict):
        return MISSING
    wanted = [item.get(key) for key in keys]
    for other in old:
        if isinstance(other, dict) and [other.get(key) for key in keys] == wanted:
            return other
    return MISSING
