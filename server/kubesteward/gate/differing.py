"""What a change does to its objects, value by value, as the API server's dry run answered: for whoever has to approve.

Values are taken from redacted objects only, so that a secret that changes is told as changed and not shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.action import Difference
from kubesteward_policies.change import ApiCall, Change
from kubesteward_tools.world.diff import differences
from kubesteward_tools.world.store import Object
from kubesteward_tools.world.world import World

MOST = 200
"""Rows of one change."""
LONGEST = 2000
"""Characters of one value."""
HIDDEN = "[REDACTED], another value"
_VALUES = frozenset({"data", "stringData"})


def told(world: World, change: Change, answers: Mapping[int, Object]) -> tuple[Difference, ...]:
    """One row for each value; empty where no server was asked. `answers` are by number of the call."""
    rows: list[Difference] = []
    for number, call in enumerate(change.calls):
        key = key_of(world, call.target)
        before = world.store.get(key) if key is not None else None
        rows += _of_call(call, before, answers.get(number))
    return tuple(rows[:MOST])


def _of_call(call: ApiCall, before: Object | None, answer: Object | None) -> Iterator[Difference]:
    name = str(call.target)
    if call.verb == "delete" or call.path.endswith("/eviction"):
        yield Difference(object=name, path="", before="is there", after="deleted")
    elif answer is None:
        return
    elif answer.get("kind") == call.target.kind:
        yield from _rows(name, before, answer)
    elif answer.get("kind") == "Scale":
        old, new = ((item or {}).get("spec", {}).get("replicas") for item in (before, answer))
        yield Difference(object=name, path="spec.replicas", before=_text(old), after=_text(new))


def _rows(name: str, before: Object | None, after: Object) -> Iterator[Difference]:
    if before is None:
        yield Difference(object=name, path="", before="", after=_text(_readable(after)))
        return
    shown = {item.path: item for item in differences(_readable(before), _readable(after))}
    for item in differences(_plain(before), _plain(after)):
        seen = shown.get(item.path)
        old, new = (_text(seen.before), _text(seen.after)) if seen else ("[REDACTED]", HIDDEN)
        yield Difference(object=name, path=item.path, before=old, after=new)


def _plain(obj: Object) -> dict[str, Any]:
    """Without what the change does not decide, and without values of Secrets, which the world never holds."""
    left_out = {"status", *(_VALUES if obj.get("kind") == "Secret" else ())}
    return {name: value for name, value in obj.items() if name not in left_out}


def _readable(obj: Object) -> dict[str, Any]:
    from kubesteward_tools.text.redact import redact_object

    return dict(redact_object(_plain(obj)))


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
