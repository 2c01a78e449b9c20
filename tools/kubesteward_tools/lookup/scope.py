"""What an answer covers: which clusters, how fresh, and what could not be seen. No answer is narrowed in silence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from kubesteward_tools.errors import Forbidden, InvalidArguments, NotSynced, SteadyError
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.text.fence import clean
from kubesteward_tools.twin.clock import timestamp

if TYPE_CHECKING:
    from kubesteward_tools.tool import Desk
    from kubesteward_tools.world.world import World

ALL = "*"
CONNECTING = 4.0
"""Seconds for which an answer about several clusters waits for one that is being connected."""
PATIENCE = 12.0
"""Seconds that one of several clusters may take to answer: the others' time is not its own."""

_REFUSED = re.compile(r'forbidden: User ("[^"]*") cannot list')
_PARTLY = "seen in"
_APART = 3
"""Kinds that may not be listed are told one by one up to so many."""

T = TypeVar("T")


@dataclass(slots=True)
class Scope:
    """`worlds` are the clusters that answer, `not_seen` says of each `cluster` or `cluster kind` that does not, why."""

    worlds: list[World]
    namespace: str = ""
    not_seen: dict[str, str] = field(default_factory=dict)

    @property
    def many(self) -> bool:
        return len(self.worlds) > 1

    def miss(self, world: World, resource: str, why: str = "") -> None:
        """Note that a kind is not seen, or only in some namespaces; why is what the API server said."""
        self.not_seen[f"{world.cluster} {resource}"] = clean(why or _why(world, resource), 300)

    def moments(self, now: float) -> dict[str, float]:
        """The moment that the answer speaks of, by cluster, in epoch seconds."""
        return {world.cluster: moment(world, now) for world in self.worlds}

    def lines(self) -> list[str]:
        """The first lines of every answer."""
        where = f"namespace {self.namespace}" if self.namespace else "all namespaces"
        heads = [f"{world.cluster}, {where}, as of {_as_of(world)}, {_freshness(world)}" for world in self.worlds]
        return heads + [f"NOT SEEN {line}" for line in shortly(self.not_seen)]

    def data(self) -> dict[str, Any]:
        clusters = [
            {
                "cluster": world.cluster,
                "as_of": _as_of(world),
                "staleness_seconds": round(world.staleness(), 1),
            }
            for world in self.worlds
        ]
        return {"clusters": clusters, "namespace": self.namespace or ALL, "not_seen": self.not_seen}


def _as_of(world: World) -> str:
    return timestamp(moment(world, world.as_of()))


def _freshness(world: World) -> str:
    if not world.writable:
        return "from a bundle"
    stale = world.staleness()
    return f"stale for {stale:.0f}s" if stale else "live"


async def one(desk: Desk, cluster: str) -> World:
    """Raises UnknownCluster, ClusterUnreachable."""
    return await desk.clusters.world(cluster or None)


async def _one_of(desk: Desk, name: str, count: int) -> World:
    """Of several clusters, one that hangs must not hold up what the others have to say."""
    return await one(desk, name) if count == 1 else await desk.clusters.reach(name, CONNECTING)


async def scoped(desk: Desk, cluster: str, clusters: Sequence[str] | None, namespace: str = "") -> Scope:
    """The worlds that are asked for. One that cannot be reached is noted while another one answers.

    Raises:
        UnknownCluster: none answers, there is no such set, or a pattern fits nothing. ClusterUnreachable: none answers.
        InvalidArguments: `cluster` and `clusters` are both given, or too many are meant.
    """
    if cluster and clusters:
        raise InvalidArguments("cluster and clusters exclude each other.", todo="Give one of them.")
    several = clusters or ()
    names = desk.clusters.choose(several) or [cluster]
    asked = (_one_of(desk, name, len(names)) for name in names)
    found = await asyncio.gather(*asked, return_exceptions=True)
    scope, failures = Scope([], namespace), list[SteadyError]()
    for name, item in zip(names, found, strict=True):
        if isinstance(item, SteadyError):
            failures.append(item)
            scope.not_seen[name] = item.message
        elif isinstance(item, BaseException):
            raise item
        else:
            scope.worlds.append(item)
    if not scope.worlds:
        raise failures[0]
    return scope


async def _within(patience: float | None, cluster: str, answer: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(patience):
            return await answer
    except TimeoutError:
        why = f"{cluster!r} has not answered within {patience or 0.0:.0f} s."
        raise NotSynced(why, todo="Ask it alone, with cluster=.") from None


async def each(scope: Scope, ask: Callable[[World], Awaitable[T]]) -> list[tuple[World, T]]:
    """What `ask` finds in every world, all asked at once. One in which it fails leaves the scope, noted, while another
    one answers.

    Raises:
        SteadyError: it fails in all of them.
    """
    asked = tuple(scope.worlds)
    patience = PATIENCE if scope.many else None
    asking = (_within(patience, world.cluster, ask(world)) for world in asked)
    results = await asyncio.gather(*asking, return_exceptions=True)
    answers: list[tuple[World, T]] = []
    failure: SteadyError | None = None
    for world, result in zip(asked, results, strict=True):
        if isinstance(result, SteadyError):
            failure = failure or result
            scope.worlds.remove(world)
            scope.not_seen[world.cluster] = clean(str(result), 300)
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append((world, result))
    if failure is not None and not answers:
        raise failure
    return answers


async def seen(scope: Scope, resources: Iterable[str], *, required: str = "") -> None:
    """Have these kinds listed in every world of the scope, and note which may not be.

    A world that does not answer leaves the scope. Kinds a cluster does not serve are passed over.

    Raises:
        Forbidden: `required` is a kind that no world may list.
        SteadyError: no world answers.
    """
    wanted = tuple(resources)
    asked = (world.ensure(*wanted, namespace=scope.namespace) for world in scope.worlds)
    results = await asyncio.gather(*asked, return_exceptions=True)
    failure = _drop_silent(scope, results)
    if not scope.worlds and failure is not None:
        raise failure
    for world in scope.worlds:
        for resource in unseen(world, wanted, scope.namespace):
            scope.miss(world, resource)
    if required and not any(world.feeds.shows(required, scope.namespace) for world in scope.worlds):
        check_shown(scope.worlds[0], required, scope.namespace)


def unseen(world: World, resources: Iterable[str], namespace: str) -> list[str]:
    """Those of these kinds that may not be listed, in the namespace or ("") across the cluster."""
    return [
        resource
        for resource in resources
        if resource in world.forbidden and not (namespace and world.sees(resource, namespace))
    ]


def alone(world: World, namespace: str) -> Scope:
    """One cluster, with every kind noted that was asked for and may not be listed."""
    scope = Scope([world], namespace)
    for resource in unseen(world, world.forbidden, namespace):
        scope.miss(world, resource)
    return scope


def check_shown(world: World, resource: str, namespace: str) -> None:
    """Raises Forbidden where nothing of a kind may be seen: what nobody saw is neither well nor unwell."""
    if not world.feeds.shows(resource, namespace):
        todo = "Nothing was read. Name a namespace that you may read, or ask an operator for list and watch on it."
        raise Forbidden(clean(world.forbidden[resource], 300), todo=todo)


def shortly(not_seen: Mapping[str, str]) -> list[str]:
    """`cluster kind: why`, one line each; what one user may not list of a cluster in one line, where that is much."""
    lines, refused = list[str](), dict[tuple[str, str], list[str]]()
    for what, why in sorted(not_seen.items()):
        cluster, _, kind = what.rpartition(" ")
        match = _REFUSED.search(why)
        if match and cluster and not why.startswith(_PARTLY):
            refused.setdefault((cluster, match[1]), []).append(kind)
        lines.append(f"{what}: {why}")
    for (cluster, user), kinds in refused.items():
        if len(kinds) > _APART:
            lines = [line for line in lines if line.partition(":")[0] not in {f"{cluster} {kind}" for kind in kinds}]
            lines.append(f"{cluster} {', '.join(kinds)}: User {user} may not list these {len(kinds)} kinds")
    return lines


def _why(world: World, resource: str) -> str:
    spaces = world.feeds.seen_in.get(resource)
    seen = f"{_PARTLY} namespace {', '.join(spaces)} only, the rest is not: " if spaces else ""
    return seen + world.forbidden[resource]


def _drop_silent(scope: Scope, results: Sequence[BaseException | None]) -> SteadyError | None:
    failure, answering = None, []
    for world, result in zip(scope.worlds, results, strict=True):
        if isinstance(result, SteadyError):
            failure = result
            scope.not_seen[world.cluster] = result.message
        elif result is not None:
            raise result
        else:
            answering.append(world)
    scope.worlds = answering
    return failure
