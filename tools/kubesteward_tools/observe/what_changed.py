"""What changed just before: the first question of every incident, answered from history and from what objects tell."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters, Namespace, Since, Target
from kubesteward_tools.lookup.family import descendants, top_owner
from kubesteward_tools.lookup.recalled import Moment, recalled, warnings
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.text.ages import ago, seconds
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world import walks
from kubesteward_tools.world.changes import told
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

LOOKED_AT = (
    "namespaces",
    "nodes",
    "pods",
    "services",
    "configmaps",
    "secrets",
    "resourcequotas",
    "limitranges",
    "persistentvolumeclaims",
    "events",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
)
_TOGETHER = 120.0
"""Seconds within which the same thing that happened to siblings is told once."""
_AT_A_TIME = 20
_CELL, _WIDE_CELL = 240, 600


@dataclass(slots=True)
class Line:
    """Moments with one meaning, the newest of them, and of how many objects."""

    world: World
    moment: Moment
    subject: str
    first: float
    objects: set[Key]


@tool(Tier.OBSERVE, title="What changed", open_world=True)
async def what_changed(
    desk: Desk,
    *,
    resource: Target = "",
    namespace: Namespace = "",
    since: Since = "1h",
    until: Annotated[str, Field(max_length=20, description="ago, e.g. 10m; default now")] = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 30,
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """What changed before now, newest first, and who did it: rollouts, config, scaling, nodes, ended containers,
    warnings. With a resource: also what it owns and what it depends on. Detailed adds routine changes."""
    span, end = seconds(since), seconds(until) if until else 0.0
    if end >= span:
        raise InvalidArguments("until is not after since.", todo="Both count back from now: since=2h until=1h.")
    scope = await scoped(desk, cluster, clusters, namespace)
    await seen(scope, LOOKED_AT)
    now, wide = scope.moments(desk.now()), response_format == "detailed"
    lines: list[Line] = []
    quiet = 0
    for world, keys in await each(scope, lambda world: _about(scope, world, resource, namespace)):
        window = now[world.cluster] - span, now[world.cluster] - end
        grave, routine = _split(await _gathered(_moments(world, keys, namespace, window)))
        quiet += 0 if wide else len(routine)
        lines += _folded(world, [*grave, *(routine if wide else ())])
    lines.sort(key=lambda line: (-line.moment.at, line.world.cluster, line.subject, line.moment.told.text))
    return _answer(scope, lines, limit, quiet, now, wide=wide, since=since)


async def _about(scope: Scope, world: World, target: str, namespace: str) -> frozenset[Key]:
    """The object, what it owns and what it needs; nothing where no object is named, which means all."""
    if not target:
        await check_namespace(world, namespace)
        return frozenset()
    found = await find(world, *parse(target), namespace)
    scope.namespace = found.key.namespace or namespace
    below = descendants(world.store, found.key)
    needed = (key for start in (found.key, *below) for key in walks.dependencies(world.graph, start))
    return frozenset([found.key, *below, *needed])


def _moments(world: World, keys: frozenset[Key], namespace: str, window: tuple[float, float]) -> Iterator[Moment]:
    """From the history; before it begins, from what objects tell; and warnings all along."""
    for change in world.history.changes(*window, lambda key: _is_about(key, keys, namespace)):
        yield Moment(change.at, change.key, told(change), change.author)
    for moment in recalled(world.store, keys or frozenset(_all(world, namespace)), window[0]):
        if window[0] <= moment.at <= min(window[1], world.watched_since(moment.key.resource)):
            yield moment
    for moment in warnings(world.store, keys, "" if keys else namespace, world.key_of):
        if window[0] <= moment.at <= window[1]:
            yield moment


async def _gathered(moments: Iterator[Moment]) -> list[Moment]:
    """All of them, with room for others in between: ten thousand changes take seconds to compare."""
    found: list[Moment] = []
    for item in moments:
        found.append(item)
        if len(found) % _AT_A_TIME == 0:
            await asyncio.sleep(0)
    return found


def _all(world: World, namespace: str) -> Iterator[Key]:
    for resource in LOOKED_AT:
        if resource != "events":
            yield from world.store.keys(resource, namespace or None)


def _is_about(key: Key, keys: frozenset[Key], namespace: str) -> bool:
    if keys:
        return key in keys
    return not namespace or key.namespace == namespace or (key.resource == "namespaces" and key.name == namespace)


def _split(moments: Iterable[Moment]) -> tuple[list[Moment], list[Moment]]:
    """What somebody who looks for a cause would look at first, and the rest."""
    grave, routine = list[Moment](), list[Moment]()
    for item in sorted(set(moments), key=lambda item: (-item.at, item.key, item.told.text)):
        (grave if item.told.grave else routine).append(item)
    return grave, routine


def _folded(world: World, moments: Iterable[Moment]) -> list[Line]:
    """The same thing told of siblings at about the same time is one line."""
    found: dict[tuple[str, str, str, str], Line] = {}
    for item in sorted(moments, key=lambda item: (-item.at, item.key)):
        obj = world.store.get(item.key)
        above = top_owner(world.store, obj) if obj is not None else f"{world.ref(item.key).kind}/{item.key.name}"
        mark = (item.key.resource, item.key.namespace, above, f"{item.told.kind} {item.told.text} {item.author}")
        line = found.get(mark)
        if line is not None and line.first - item.at <= _TOGETHER:
            line.first = item.at
            line.objects.add(item.key)
        else:
            mark = mark if line is None else (*mark[:3], f"{mark[3]} {item.at}")
            found[mark] = Line(world, item, f"{world.ref(item.key).kind}/{item.key.name}", item.at, {item.key})
    return list(found.values())


def _answer(
    scope: Scope, lines: list[Line], limit: int, quiet: int, now: dict[str, float], *, wide: bool, since: str
) -> Answer:
    shown = lines[:limit]
    items = [_item(scope, line, now[line.world.cluster], wide=wide) for line in shown]
    head = f"{len(lines)} changes in the last {since}" + (
        f", {len(shown)} newest shown" if len(shown) < len(lines) else ""
    )
    if quiet:
        head += f"; {quiet} routine ones left out (response_format=detailed shows them)"
    watched = [_watched(world) for world in scope.worlds]
    heads = list(dict.fromkeys(name for item in items for name in item))
    listed = table(heads, [[item.get(name, "") for name in heads] for item in items]) if items else ""
    data = {"scope": scope.data(), "total": len(lines), "changes": items, "routine_left_out": quiet}
    return Answer("\n".join([*scope.lines(), *watched, head]), data, untrusted=listed, source="changes")


def _watched(world: World) -> str:
    since = world.watched_since("pods")
    when = f"is watched since {timestamp(since)}; before that" if math.isfinite(since) else "is not watched:"
    return f"{world.cluster} {when} only what objects tell."


def _item(scope: Scope, line: Line, now: float, *, wide: bool) -> dict[str, Any]:
    moment = line.moment
    item: dict[str, Any] = {"cluster": line.world.cluster} if scope.many else {}
    item["ago"] = ago(max(0.0, now - moment.at))
    if wide:
        item["at"] = timestamp(moment.at)
    space = "" if scope.namespace or not moment.key.namespace else f"{moment.key.namespace} "
    more = f" (+{len(line.objects) - 1})" if len(line.objects) > 1 else ""
    item["object"] = sentence(f"{space}{line.subject}{more}", 120)
    item["kind"] = moment.told.kind
    item["what"] = sentence(moment.told.text, _WIDE_CELL if wide else _CELL)
    if moment.author:
        item["by"] = sentence(moment.author, 80)
    return item
