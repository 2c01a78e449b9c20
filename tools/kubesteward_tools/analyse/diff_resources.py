"""Tells what is really different between two states of an object, or two objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Namespace
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.comparing.sides import Side
    from kubesteward_tools.world.diff import Difference

_MOST = 100
_VALUE = 300
_LONGEST = 12_000
_A = "YAML, or [namespace/]kind/name[@10m|@revision:3|@applied][ in CLUSTER]"


@tool(Tier.ANALYSE, title="Compare objects", open_world=True)
async def diff_resources(
    desk: Desk,
    *,
    a: Annotated[str, Field(min_length=1, max_length=200_000, description=_A)],
    b: Annotated[str, Field(min_length=1, max_length=200_000, description="likewise; @… alone: of a")],
    namespace: Namespace = "",
    status: bool = False,
    cluster: Cluster = "",
) -> Answer:
    """What differs in meaning between two objects or states of one; defaults and server-written fields left out."""
    from kubesteward_tools.comparing.sides import side

    first = await side(desk, a, cluster, namespace)
    second = await side(desk, _completed(a, b), cluster, namespace)
    found = _differences(first, second, status=status)
    head = f"a: {first.label}\nb: {second.label}\n" + (
        f"{len(found)} difference{'s' if len(found) > 1 else ''}" if found else "No difference that means anything."
    )
    rows = [_row(item) for item in found[:_MOST]]
    text = "\n".join(f"{row['path'] or 'object'}: {row['a']} -> {row['b']}" for row in rows)
    data = {"a": first.label, "b": second.label, "total": len(found), "differences": rows}
    return Answer(_lines(head), tidy(data), untrusted=cap(text, _LONGEST), source="diff")


def _completed(a: str, b: str) -> str:
    """`@10m` and ` in prod` alone speak of the object that `a` names."""
    from kubesteward_tools.comparing.sides import is_manifest

    rest = b.strip()
    if is_manifest(a) or not (rest.startswith(("@", "in "))):
        return b
    named = a.partition("@")[0].split(" in ")[0].strip()
    return f"{named}{rest}" if rest.startswith("@") else f"{named} {rest}"


def _differences(a: Side, b: Side, *, status: bool) -> list[Difference]:
    from kubesteward_tools.comparing.semantic import compared, meaning, names_only

    foreign = a.cluster != b.cluster or not a.cluster
    part = a.part or b.part
    sides = [meaning(item.obj, item.resource, foreign=foreign, status=status, part=part) for item in (a, b)]
    if foreign:
        for item in sides:
            if item.get("kind") == "Secret":
                item.update(names_only(item))
                item.pop("stringData", None)
    return compared(*sides)


def _row(item: Difference) -> dict[str, str]:
    return {"path": sentence(item.path, _VALUE), "a": _text(item.before), "b": _text(item.after)}


def _text(value: Any) -> str:
    if value is None:
        return "(not set)"
    return sentence(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True), _VALUE)


def _lines(text: str) -> str:
    return "\n".join(sentence(line) for line in text.split("\n"))
