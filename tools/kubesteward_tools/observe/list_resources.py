"""Lists objects of any kind, of one cluster or several, as a table with a cursor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup import columns, states
from kubesteward_tools.lookup.arguments import Cluster, Cursor, Format, Kind, ManyClusters, Namespace
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import check_namespace
from kubesteward_tools.text import cursor as cursors
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.selectors import parse_field_selector, parse_label_selector
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

Sort = Literal["name", "age", "restarts", "status"]
Position = tuple[Any, ...]
_CELL = 60
_WIDE_CELL = 160


@dataclass(frozen=True, slots=True)
class Row:
    """One object and where it stands in the order that was asked for."""

    world: World
    obj: Object
    place: Position


@tool(Tier.OBSERVE, title="List resources")
async def list_resources(
    desk: Desk,
    *,
    kind: Kind,
    namespace: Namespace = "",
    label_selector: Annotated[str, Field(max_length=1000)] = "",
    field_selector: Annotated[str, Field(max_length=1000)] = "",
    status: Annotated[
        str, Field(max_length=60, description="ready, not_ready or a STATUS word (CrashLoopBackOff)")
    ] = "",
    sort: Sort = "name",
    limit: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """List objects of any kind, custom ones too. Empty namespace: all."""
    wanted = _predicate(label_selector, field_selector, status)
    scope = await scoped(desk, cluster, clusters, namespace)
    kinds = await _kinds(scope, kind)
    await _look(scope, kinds, namespace)
    rows = sorted(_rows(scope, kinds, namespace, wanted, sort), key=lambda row: row.place)
    question = [kind, namespace, label_selector, field_selector, status, sort, cluster, *(clusters or ())]
    page, more = _page(rows, limit, cursor, _mark(question))
    shape = kinds[scope.worlds[0].cluster]
    now, wide = scope.moments(desk.now()), response_format == "detailed"
    items = [_item(scope, shape, row, wide=wide, now=now[row.world.cluster]) for row in page]
    return _answer(scope, shape, items, len(rows), more)


async def _kinds(scope: Scope, kind: str) -> dict[str, ResourceType]:
    """The kind in each world; a world that does not serve it leaves the scope. Raises UnknownKind if none does."""

    async def find(world: World) -> ResourceType:
        return world.kind(kind)

    return {world.cluster: found for world, found in await each(scope, find)}


async def _look(scope: Scope, kinds: dict[str, ResourceType], namespace: str) -> None:
    resources = list(dict.fromkeys(item.resource for item in kinds.values()))
    await seen(scope, resources, required=resources[0])
    if next(iter(kinds.values())).namespaced:
        await each(scope, lambda world: check_namespace(world, namespace))
    else:
        scope.namespace = ""


def _predicate(labels: str, fields: str, status: str) -> Callable[[Object], bool]:
    try:
        by_label, by_field = parse_label_selector(labels), parse_field_selector(fields)
    except ValueError as error:
        raise InvalidArguments(f"{error}.", todo="Write it as kubectl does: app=web,tier!=db.") from None
    low = status.strip().lower()

    def test(obj: Object) -> bool:
        if labels and not by_label(obj["metadata"].get("labels") or {}):
            return False
        return (not fields or by_field(obj)) and (not low or _has_status(obj, low))

    return test


def _has_status(obj: Object, status: str) -> bool:
    if status == "ready":
        return states.is_ready(obj) is True
    if status in {"not_ready", "not ready", "notready"}:
        return states.is_ready(obj) is False
    return status in states.word(obj).lower() or status == str(states.status(obj).get("phase", "")).lower()


def _rows(
    scope: Scope, kinds: dict[str, ResourceType], namespace: str, wanted: Callable[[Object], bool], sort: Sort
) -> Iterator[Row]:
    order = _ORDERS[sort]
    for world in scope.worlds:
        kind = kinds[world.cluster]
        space = namespace if namespace and kind.namespaced else None
        for key, obj in world.store.items(kind.resource, space):
            if wanted(obj):
                yield Row(world, obj, (*order(obj), world.cluster, key.namespace, key.name))


_ORDERS: dict[Sort, Callable[[Object], Position]] = {
    "name": lambda obj: (),
    "age": lambda obj: (-columns.born(obj),),
    "restarts": lambda obj: (-states.restarts(obj),),
    "status": lambda obj: (states.is_ready(obj) is not False, states.word(obj)),
}


def _mark(question: list[str]) -> str:
    return hashlib.sha256("\0".join(question).encode(errors="replace")).hexdigest()[:8]


def _page(rows: list[Row], limit: int, cursor: str, mark: str) -> tuple[list[Row], str]:
    """The rows after the cursor, and the cursor of the next page ("" at the end).

    Raises:
        InvalidArguments: malformed, or of another question.
    """
    if cursor:
        position = cursors.decode(cursor)
        if position.get("q") != mark:
            raise InvalidArguments("The cursor belongs to another question.", todo="Repeat its other arguments.")
        try:
            after = tuple(position["after"])
            rows = [row for row in rows if row.place > after]
        except (KeyError, TypeError):
            raise InvalidArguments("The cursor is malformed.", todo="Leave it out.") from None
    page = rows[:limit]
    more = cursors.encode({"q": mark, "after": list(page[-1].place)}) if len(rows) > limit else ""
    return page, more


def _answer(scope: Scope, kind: ResourceType, items: list[dict[str, Any]], total: int, more: str) -> Answer:
    heads = list(dict.fromkeys(head for item in items for head in item))
    lines = scope.lines()
    lines.append(f"{total} {kind.kind} objects{f', {len(items)} shown' if len(items) < total else ''}")
    if items:
        lines.append(table(heads, [[item.get(head, "") for head in heads] for item in items]))
    if more:
        lines.append(f"More: repeat with cursor={more}, or narrow with namespace, status or label_selector.")
    data = {"scope": scope.data(), "kind": kind.kind, "total": total, "items": items, "next_cursor": more}
    return Answer("\n".join(lines), data)


def _item(scope: Scope, kind: ResourceType, row: Row, *, wide: bool, now: float) -> dict[str, Any]:
    """Values by column; empty ones are left out."""
    metadata, longest = row.obj["metadata"], _WIDE_CELL if wide else _CELL
    item: dict[str, Any] = {"cluster": row.world.cluster} if scope.many else {}
    if kind.namespaced and not scope.namespace:
        item["namespace"] = metadata.get("namespace", "")
    item["name"] = metadata["name"]
    for head, cell in columns.columns(kind.kind, wide=wide):
        value = cell(row.obj)
        item[head] = value if isinstance(value, int | float) else sentence(value, longest) if value else ""
    item["age"] = columns.age(row.obj, now)
    return {head: value for head, value in item.items() if value not in {"", None}}
