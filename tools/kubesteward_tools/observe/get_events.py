"""Events, those that say the same thing told once, with what an object's pods have to say too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Cursor, Format, ManyClusters, Namespace, Since, Target
from kubesteward_tools.lookup.family import CHILDREN, descendants, pods
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import columns
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.text import cursor as cursors
from kubesteward_tools.text.ages import ago, seconds
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key, Object, Store

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_NAMED = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b[0-9a-f]{12,64}\b|\d+(?:\.\d+)*")
_TAIL = re.compile(r"(-[a-z0-9]{6,10})?-[a-z0-9]{5}$")


@dataclass(slots=True)
class Told:
    """Events with one meaning: the newest of them, how often, and of how many objects. Times in epoch seconds."""

    newest: Object
    first: float
    last: float
    count: int
    objects: set[str]


@tool(Tier.OBSERVE, title="Events", open_world=True)
async def get_events(
    desk: Desk,
    *,
    related_resource: Target = "",
    namespace: Namespace = "",
    since: Since = "1h",
    types: Literal["all", "Warning", "Normal"] = "all",
    limit: Annotated[int, Field(ge=1, le=200)] = 30,
    cursor: Cursor = "",
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """Events, newest first, alike ones merged; those of a workload include its pods'."""
    span = seconds(since)
    scope = await scoped(desk, cluster, clusters, namespace)
    await seen(scope, ("events", *CHILDREN), required="events")
    now = scope.moments(desk.now())
    told: list[tuple[World, Told]] = []
    for world, wanted in await each(scope, lambda world: _wanted(scope, world, related_resource, namespace)):
        events = [item for item in _typed(world.store, namespace, types) if _fits(item, wanted)]
        told += [(world, item) for item in _merged(events) if item.last >= now[world.cluster] - span]
    told.sort(key=lambda item: (-item[1].last, item[0].cluster, item[1].newest["metadata"]["name"]))
    offset = _offset(cursor)
    page = told[offset : offset + limit]
    more = cursors.encode({"offset": offset + limit}) if len(told) > offset + limit else ""
    wide = response_format == "detailed"
    items = [_item(scope, world, item, now[world.cluster], wide=wide) for world, item in page]
    head = f"{len(told)} different events in the last {since}" + (f", {len(page)} shown" if more or offset else "")
    if more:
        head += f"; more: cursor={more}, or types=Warning, or a shorter since"
    heads = list(items[0]) if items else []
    listed = table(heads, [list(item.values()) for item in items]) if items else ""
    data = {"scope": scope.data(), "total": len(told), "events": items, "next_cursor": more}
    return Answer("\n".join([*scope.lines(), head]), data, untrusted=listed, source="events")


async def _wanted(scope: Scope, world: World, target: str, namespace: str) -> set[tuple[str, str, str]] | None:
    """(kind, namespace, name) of the objects in question, None for all."""
    if not target:
        await check_namespace(world, namespace)
        return None
    found = await find(world, *parse(target), namespace)
    keys = [found.key, *descendants(world.store, found.key)]
    if found.type.resource == "services":
        keys += [Key("pods", found.key.namespace, pod["metadata"]["name"]) for pod in pods(world.store, found.key)]
    scope.namespace = found.key.namespace or namespace
    kinds = {item.resource: item.kind for item in world.kinds.all()}
    return {(kinds.get(key.resource, ""), key.namespace, key.name) for key in keys}


def _typed(store: Store, namespace: str, types: str) -> Iterator[Object]:
    """The events of these types; others are not even read."""
    for space in [namespace] if namespace else store.spaces("events"):
        found = columns(store, "events", space)
        for name, note in zip(found.names, found.notes, strict=True):
            event = store.get(Key("events", space, name)) if types in {"all", note.word} else None
            if event is not None:
                yield event


def _fits(event: Object, wanted: set[tuple[str, str, str]] | None) -> bool:
    about = event.get("involvedObject") or event.get("regarding") or {}
    return wanted is None or (about.get("kind"), about.get("namespace", ""), about.get("name")) in wanted


def _meaning(event: Object) -> tuple[str, ...]:
    """Pods of one workload are one subject, and numbers and ids in a message make no difference."""
    about = event.get("involvedObject") or event.get("regarding") or {}
    message = str(event.get("message") or event.get("note") or "").replace(str(about.get("name")), "*")
    stem = _TAIL.sub("", str(about.get("name", "")))
    where = str(about.get("namespace", ""))
    return (str(event.get("reason")), str(about.get("kind")), where, stem, _NAMED.sub("#", message))


def _merged(events: list[Object]) -> list[Told]:
    found: dict[tuple[str, ...], Told] = {}
    for event in events:
        times = list(event_times(event)) or [0.0]
        count = int((event.get("series") or {}).get("count") or event.get("count") or 1)
        name = str((event.get("involvedObject") or event.get("regarding") or {}).get("name"))
        told = found.setdefault(_meaning(event), Told(event, min(times), 0.0, 0, set()))
        if max(times) >= told.last:
            told.newest, told.last = event, max(times)
        told.first = min(told.first, *times)
        told.count += count
        told.objects.add(name)
    return list(found.values())


def _item(scope: Scope, world: World, told: Told, now: float, *, wide: bool) -> dict[str, Any]:
    event = told.newest
    about = event.get("involvedObject") or event.get("regarding") or {}
    others = f" (+{len(told.objects) - 1})" if len(told.objects) > 1 else ""
    space = "" if scope.namespace else f"{about.get('namespace', '')}/".lstrip("/")
    item: dict[str, Any] = {"cluster": world.cluster} if scope.many else {}
    item |= {
        "last": ago(now - told.last),
        "count": told.count,
        "type": event.get("type", ""),
        "reason": event["reason"],
    }
    if wide:
        item |= {"first": timestamp(told.first), "from": str((event.get("source") or {}).get("component", ""))}
    message = event.get("message") or event.get("note") or ""
    item["object"] = sentence(f"{about.get('kind')}/{space}{about.get('name')}{others}", 120)
    return item | {"message": sentence(message, 1000 if wide else 240)}


def _offset(cursor: str) -> int:
    found = cursors.decode(cursor).get("offset") if cursor else 0
    return found if isinstance(found, int) and found >= 0 else 0
