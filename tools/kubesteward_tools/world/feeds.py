"""What of a cluster is listed and watched, how fresh that is, and what may not be seen.

Whoever may not list a kind across the cluster may often list it in some namespaces: those are asked one by one, and
`seen_in` says which they are, so that no answer is narrowed in silence.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from kubesteward_tools.errors import Forbidden, NotSynced, ObjectNotFound
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Store

if TYPE_CHECKING:
    from kubesteward_tools.cluster.mirror import Mirror
    from kubesteward_tools.cluster.source import Source

SYNC_TIMEOUT = 20.0
_ASK_AGAIN = 60.0
"""Seconds after which a list across the cluster is tried again where single namespaces are seen meanwhile."""

EVERYWHERE = ""


class Feeds:
    """The mirrors of one cluster by resource and namespace, each started when somebody asks for it.

    `forbidden` says of each kind that may not be listed across the cluster why; `seen_in` names the namespaces in
    which it is seen all the same.
    """

    def __init__(self, cluster: str, source: Source, store: Store, types: Mapping[str, ResourceType]) -> None:
        self.forbidden: dict[str, str] = {}
        self.seen_in: dict[str, tuple[str, ...]] = {}
        self._cluster = cluster
        self._source = source
        self._store = store
        self._types = types
        self._complete = source.connection is None
        self._mirrors: dict[tuple[str, str], Mirror] = {}
        self._refused: dict[str, float] = {}

    async def ensure(self, resources: Iterable[str], namespace: str = EVERYWHERE) -> None:
        """Have these resources listed and watched; `namespace` is one to look in where not all may be seen.

        Raises:
            ClusterUnreachable, AskAgain: the server does not answer. NotSynced: it answers too slowly.
        """
        served = [kind for item in dict.fromkeys(resources) if (kind := self._types.get(item)) and "list" in kind.verbs]
        if not self._complete:
            await asyncio.gather(*(self._ensure(kind, namespace) for kind in served))

    async def _ensure(self, kind: ResourceType, namespace: str) -> None:
        resource = kind.resource
        if not self._is_seen_in_parts(resource):
            refusal = await self._synced(kind, EVERYWHERE)
            if refusal is None:
                self._see_all(resource)
                return
            self.forbidden[resource] = refusal.message
            self._refused[resource] = time.monotonic()
        if kind.namespaced:
            await self._look_into(kind, namespace)

    def _see_all(self, resource: str) -> None:
        self.forbidden.pop(resource, None)
        for namespace in self.seen_in.pop(resource, ()):
            if mirror := self._mirrors.pop((resource, namespace), None):
                mirror.end()

    def _is_seen_in_parts(self, resource: str) -> bool:
        asked = self._refused.get(resource)
        return bool(self.seen_in.get(resource)) and asked is not None and time.monotonic() < asked + _ASK_AGAIN

    async def _look_into(self, kind: ResourceType, namespace: str) -> None:
        known = self.seen_in.get(kind.resource, ())
        spaces = [item for item in dict.fromkeys((*self._source.namespaces, *known, namespace)) if item]
        refusals = await asyncio.gather(*(self._synced(kind, space) for space in spaces))
        seen = [space for space, refusal in zip(spaces, refusals, strict=True) if refusal is None]
        self.seen_in[kind.resource] = tuple(sorted(seen))

    async def _synced(self, kind: ResourceType, namespace: str) -> Forbidden | None:
        """Wait for the first list; what is returned forbids it. The next question asks the server anew."""
        where = kind.resource, namespace
        mirror = self._mirrors.get(where)
        if mirror is None:
            mirror = self._source.feed(kind, self._store, namespace)
            if mirror is None:
                return None
            self._mirrors[where] = mirror
        try:
            async with asyncio.timeout(SYNC_TIMEOUT):
                await mirror.synced.wait()
        except TimeoutError:
            why = f"{self._cluster!r} has not listed its {kind.resource} within {SYNC_TIMEOUT:.0f} s."
            raise NotSynced(why, todo="Ask again; the list goes on in the background.") from None
        failure = mirror.failure
        if isinstance(failure, ObjectNotFound):
            return None  # the kind is not served any more: there is nothing to see
        if isinstance(failure, Forbidden):
            if self._mirrors.get(where) is mirror:
                del self._mirrors[where]
            return failure
        if failure is not None and not mirror.confirmed:
            raise failure
        return None

    def follows(self, resource: str) -> bool:
        """Whether a kind is watched that the server has not called unknown."""
        return resource not in self.gone() and any(item == resource for item, _ in self._mirrors)

    def gone(self) -> set[str]:
        """The kinds that were asked for and are not served any more."""
        return {resource for (resource, _), mirror in self._mirrors.items() if _is_gone(mirror)}

    def forget_gone(self) -> None:
        """End what looks for kinds that are not served; the next question begins anew."""
        for where, mirror in tuple(self._mirrors.items()):
            if _is_gone(mirror):
                mirror.end()
                del self._mirrors[where]

    def sees(self, resource: str, namespace: str) -> bool:
        """Whether all objects of a resource in a namespace are in the store."""
        if self._complete:
            return self._store.count(resource) > 0
        return self._is_settled(resource, EVERYWHERE) or self._is_settled(resource, namespace)

    def shows(self, resource: str, namespace: str) -> bool:
        """Whether there is anything of a resource to answer from, in a namespace or ("") anywhere."""
        if resource not in self.forbidden:
            return True
        return self.sees(resource, namespace) if namespace else bool(self.seen_in.get(resource))

    def _is_settled(self, resource: str, namespace: str) -> bool:
        mirror = self._mirrors.get((resource, namespace))
        return mirror is not None and mirror.since > 0

    def watched_since(self, resource: str) -> float:
        """Epoch seconds from which on all that is seen of a resource is watched; infinity where nothing is."""
        since = [mirror.since for (item, _), mirror in self._mirrors.items() if item == resource and mirror.since]
        return max(since, default=math.inf)

    def as_of(self) -> float:
        """Epoch seconds of the oldest confirmation among what is watched and was ever seen; now for a bundle."""
        return min((mirror.confirmed for mirror in self._standing() if mirror.confirmed), default=time.time())

    def staleness(self, *resources: str) -> float:
        """Seconds for which the worst of the watched kinds has failed to be confirmed; 0.0 while all watches stand.

        `resources` are those that matter, all where none is named.
        A kind that was never seen has no age: `ensure` raises for it.
        """
        asked = [item for item in self._standing() if not resources or item.kind.resource in resources]
        failing = [mirror.confirmed for mirror in asked if mirror.failure and mirror.confirmed]
        return max(0.0, time.time() - min(failing)) if failing else 0.0

    def _standing(self) -> list[Mirror]:
        """All but those of kinds that are gone: that nothing is there is no news that ages."""
        return [mirror for mirror in self._mirrors.values() if not _is_gone(mirror)]


def _is_gone(mirror: Mirror) -> bool:
    return isinstance(mirror.failure, ObjectNotFound)
