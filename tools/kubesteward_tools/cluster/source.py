"""Where a world gets its facts from: a live API server or a bundle of files, behind one small protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.discovery import Kinds, discover
from kubesteward_tools.cluster.mirror import Mirror
from kubesteward_tools.cluster.paths import segment
from kubesteward_tools.cluster.transport import CHECK_ADDRESS, ReadTransport
from kubesteward_tools.errors import AskAgain
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Store

_SSAR = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class Source(Protocol):
    """What a world needs of a cluster. All methods raise SteadyErrors."""

    @property
    def connection(self) -> Connection | None:
        """For the executor; None where nothing can be written."""
        ...

    async def kinds(self, *, again: bool = False) -> Kinds:
        """`again`: those that are served now, not those that were when it was asked first."""
        ...

    @property
    def namespaces(self) -> Sequence[str]:
        """Where to look for what may not be listed across the cluster."""
        ...

    def feed(self, kind: ResourceType, store: Store, namespace: str = "") -> Mirror | None:
        """Start keeping a kind in the store; None when all that there is is in it already."""
        ...

    async def version(self) -> str: ...

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str: ...

    async def metrics(self, plural: str, namespace: str) -> list[dict[str, Any]]: ...

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]: ...

    async def close(self) -> None: ...


class LiveSource:
    """An API server."""

    def __init__(self, connection: Connection, namespaces: Sequence[str] = ()) -> None:
        self.namespaces = tuple(namespaces)
        self._connection = connection
        self._transport = ReadTransport(connection)
        self._kinds: Kinds | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def connection(self) -> Connection:
        return self._connection

    async def kinds(self, *, again: bool = False) -> Kinds:
        """Raises AskAgain when what answers is no API server: it serves no kind at all."""
        if self._kinds is None or again:
            found = await discover(self._transport)
            if not found.all():
                why = f"what answers at {self._connection.url} for {self._connection.cluster!r} is no Kubernetes API."
                raise AskAgain(why, todo=CHECK_ADDRESS)
            self._kinds = found
        return self._kinds

    def feed(self, kind: ResourceType, store: Store, namespace: str = "") -> Mirror:
        mirror = Mirror(self._transport, kind, store, namespace)
        what = f"{self._connection.cluster} {kind.resource} {namespace}".rstrip()
        task = mirror.begin(f"mirror {what}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return mirror

    async def version(self) -> str:
        return str((await self._transport.get("/version")).get("gitVersion", ""))

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str:
        where = f"/api/v1/namespaces/{segment(namespace, 'namespace')}/pods/{segment(pod, 'pod')}/log"
        data = await self._transport.read(where, query)
        return data.decode(errors="replace")

    async def metrics(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        within = f"/namespaces/{segment(namespace, 'namespace')}" if namespace else ""
        return list((await self._transport.get(f"/apis/metrics.k8s.io/v1beta1{within}/{plural}"))["items"])

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        body = {
            "kind": "SelfSubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"resourceAttributes": dict(attributes)},
        }
        status = (await self._transport.review(_SSAR, body)).get("status") or {}
        return bool(status.get("allowed")), str(status.get("reason") or "")

    async def close(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._transport.close()
