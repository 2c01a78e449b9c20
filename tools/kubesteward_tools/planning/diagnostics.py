"""What to look at before a plan is carried out: the reading tools to call, and their present answers in a line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.tool import Answer, Desk, Tool

_MOST = 4
"""Objects that are looked at."""
_SHOWN = ("ready", "status", "up_to_date", "desired", "completions")


@dataclass(frozen=True, slots=True)
class Look:
    """A call that anybody may repeat; `says` is what it answers now, in our own words."""

    tool: str
    arguments: Mapping[str, Any]
    says: str


async def looks(desk: Desk, targets: Sequence[Ref]) -> list[Look]:
    from kubesteward_tools.catalog import load_tools  # by name, as a client calls them

    tools, found = load_tools(), list[Look]()
    for target in list(dict.fromkeys(targets))[:_MOST]:
        named = {"namespace": target.namespace} if target.namespace else {}
        about = f"{target.kind}/{target.name}"
        of_one = {"kind": target.kind, "field_selector": f"metadata.name={target.name}", **named}
        found.append(await _look(desk, target, tools["list_resources"], of_one))
        warnings = {"related_resource": about, "types": "Warning", **named}
        found.append(await _look(desk, target, tools["get_events"], warnings))
        found.append(await _look(desk, target, tools["what_changed"], {"resource": about, **named}))
    return found


async def _look(desk: Desk, target: Ref, tool: Tool, arguments: dict[str, Any]) -> Look:
    try:
        answer = await tool.function(desk, **arguments, cluster=target.cluster)
    except SteadyError as error:
        return Look(tool.name, arguments, error.message)
    assert isinstance(answer, Answer)  # noqa: S101 - reading tools answer
    return Look(tool.name, arguments, _WORDS[tool.name](answer.data))


def _of_object(data: Mapping[str, Any]) -> str:
    items = data.get("items") or []
    if not items:
        return "it is not there"
    shown = [f"{name} {items[0][name]}" for name in _SHOWN if name in items[0]]
    return ", ".join(shown) or "it is there"


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "list_resources": _of_object,
    "get_events": lambda data: f"{data['total']} different warnings in the last hour",
    "what_changed": lambda data: f"{data['total']} changes in the last hour",
}
