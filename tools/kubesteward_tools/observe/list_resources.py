"""Lists objects of any kind, of one cluster or several, as a table with a cursor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup import columns as shapes
from kubesteward_tools.lookup.arguments import Cluster, Cursor, Format, Kind, ManyClusters, Namespace
from kubesteward_tools.lookup.filters import Batch, Filters, Stores, batches
from kubesteward_tools.lookup.pages import Pages, Place, Sort, mark
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import check_namespace
from kubesteward_tools.text.table import compact
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_CELL = 60
_WIDE_CELL = 160
_EVERYWHERE = ("cluster", "namespace", "name")


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
    columns: Annotated[list[str] | None, Field(max_length=20, description="Only these, e.g. node, why, labels")] = None,
    limit: Annotated[int, Field(ge=1, le=500)] = 50,
    cursor: Cursor = "",
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """List objects of any kind, custom ones too. Empty namespace: all."""
    filters = Filters(label_selector, field_selector, status)
    scope = await scoped(desk, cluster, clusters, namespace)
    kinds = await _kinds(scope, kind)
    await _look(scope, kinds, namespace)
    shape = kinds[scope.worlds[0].cluster]
    view = View.of(scope, shape, columns, wide=response_format == "detailed")
    stores = {world.cluster: (world.store, kinds[world.cluster].resource) for world in scope.worlds}
    found = await filters.picked(_every(scope, stores, shape), stores, shape.kind)
    question = [kind, namespace, label_selector, field_selector, status, sort, cluster, *(clusters or ())]
    pages = Pages(found, sort, mark(question))
    page, more = pages.page(limit, cursor)
    now = scope.moments(desk.now())
    items = [view.item(place, obj, now[place[0]]) for place, obj in _read(page, stores)]
    text = _text(scope, view, items, pages.total, [*filters.notes])
    if more:
        text.append(f"More: repeat with cursor={more}, or narrow with namespace, status or a selector.")
    data = {"scope": scope.data(), "kind": shape.kind, "total": pages.total, "complete": not scope.not_seen}
    return Answer("\n".join(text), data | {"notes": filters.notes, "items": items, "next_cursor": more})


async def _kinds(scope: Scope, kind: str) -> dict[str, ResourceType]:
    """The kind in each world; a world that does not serve it leaves the scope. Raises UnknownKind if none does."""

    async def find(world: World) -> ResourceType:
        return await world.known(kind)

    return {world.cluster: found for world, found in await each(scope, find)}


async def _look(scope: Scope, kinds: dict[str, ResourceType], namespace: str) -> None:
    resources = list(dict.fromkeys(item.resource for item in kinds.values()))
    await seen(scope, resources, required=resources[0])
    if next(iter(kinds.values())).namespaced:
        await each(scope, lambda world: check_namespace(world, namespace))
    else:
        scope.namespace = ""


def _every(scope: Scope, stores: Stores, kind: ResourceType) -> list[Batch]:
    """By cluster and namespace. What was seen before a cluster forbade it is not part of an answer."""
    space = scope.namespace if scope.namespace and kind.namespaced else None
    return [
        batch
        for world in sorted(scope.worlds, key=lambda world: world.cluster)
        for batch in batches(world.store, world.cluster, stores[world.cluster][1], space)
        if _may_be_shown(world, stores[world.cluster][1], batch.namespace)
    ]


def _may_be_shown(world: World, resource: str, namespace: str) -> bool:
    """A kind that may not be listed across the cluster may be in some namespaces."""
    return resource not in world.forbidden or namespace in world.feeds.seen_in.get(resource, ())


def _read(page: list[Place], stores: Stores) -> Iterator[tuple[Place, Object]]:
    for place in page:
        store, resource = stores[place[0]]
        obj = store.get(Key(resource, place[1], place[2]))
        if obj is not None:
            yield place, obj


@dataclass(frozen=True, slots=True)
class View:
    """What of each object is shown; `chosen` are the columns that were asked for by name."""

    kind: ResourceType
    many: bool
    namespace: str
    cells: shapes.Columns
    chosen: tuple[str, ...]
    longest: int

    @classmethod
    def of(cls, scope: Scope, kind: ResourceType, chosen: list[str] | None, *, wide: bool) -> View:
        """Raises InvalidArguments for a column that the kind does not have, naming those that it has."""
        cells = shapes.columns(kind.kind, wide=wide or bool(chosen))
        names = tuple(dict.fromkeys(item.strip().lower() for item in chosen or ()))
        there = [*_EVERYWHERE, *(head for head, _ in cells), "age"]
        unknown = [name for name in names if name not in there]
        if unknown:
            todo = f"There are: {', '.join(there)}."
            raise InvalidArguments(f"{kind.kind} has no column {', '.join(map(repr, unknown))[:80]}.", todo=todo)
        return cls(kind, scope.many, scope.namespace, cells, names, _WIDE_CELL if wide or names else _CELL)

    @property
    def heads(self) -> list[str]:
        """Name, then what was asked for, in the order in which it was."""
        every = [*(head for head, _ in self.cells), "age"]
        places = {"cluster": self.many, "namespace": self.kind.namespaced and not self.namespace}
        shown = [head for head, needed in places.items() if needed or head in self.chosen]
        rest = [head for head in self.chosen if head not in _EVERYWHERE] if self.chosen else every
        return [*shown, "name", *rest]

    def item(self, place: Place, obj: Object, now: float) -> dict[str, Any]:
        """Values by column; empty ones are left out."""
        cells = dict(self.cells)
        item: dict[str, Any] = {}
        for head in self.heads:
            if head in _EVERYWHERE:
                item[head] = place[_EVERYWHERE.index(head)]
            elif head == "age":
                item[head] = shapes.age(obj, now)
            else:
                value = cells[head](obj)
                item[head] = value if isinstance(value, int | float) else sentence(value, self.longest) if value else ""
        return {head: value for head, value in item.items() if value not in {"", None}}


def _text(scope: Scope, view: View, items: list[dict[str, Any]], total: int, notes: list[str]) -> list[str]:
    cut = f", {len(items)} shown" if len(items) < total else ""
    partial = "; INCOMPLETE, see NOT SEEN" if scope.not_seen else ""
    head = f"{total} {view.kind.kind} objects{cut}{partial}"
    return [*scope.lines(), head, *notes, *_table(view.heads, items)]


def _table(heads: list[str], items: list[dict[str, Any]]) -> list[str]:
    """Cluster and namespace stand above their objects where that saves naming them in every line."""
    places = [head for head in ("cluster", "namespace") if head in heads]
    where = [", ".join(f"{head} {item.get(head, '')}" for head in places) for item in items]
    changes = sum(one != other for one, other in pairwise(["", *where]))
    if changes * 3 > len(items):
        return compact(heads, [[item.get(head, "") for head in heads] for item in items])
    rest = [head for head in heads if head not in places]
    lines = compact(rest, [[item.get(head, "") for head in rest] for item in items])
    found, before = lines[: -len(items)] if items else [], ""
    for line, place in zip(lines[len(found) :], where, strict=True):
        found += [f"{place}:", line] if place != before else [line]
        before = place
    return found
