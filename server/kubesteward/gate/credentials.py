"""The credential that changes are made with, where it is another one than the one that is read with.

So the server can watch with rights that only read, and what it may change is written down in one place. It must be for
the API server that is read: a change that was rehearsed on one cluster and sent to another would be an accident.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path

from kubesteward.settings import Settings
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.transport import ReadTransport
from kubesteward_tools.errors import AskDifferently, InvalidArguments, Refused, SteadyError

_PROOF = "/api/v1/namespaces/kube-system"
"""Its uid is made once in the life of a cluster."""
_TODO = "Set KUBESTEWARD_WRITE_CONTEXT to a context of the same cluster: `context=write-context` for each."


class WriteCredentials:
    """Connections for writing by cluster, each made when it is first needed. `current` is the default cluster."""

    def __init__(self, settings: Settings, current: str = "") -> None:
        self._settings = settings
        self._current = current
        self._clusters: Clusters | None = None
        self._found: dict[str, Connection] = {}
        self._looking: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def configured(self) -> bool:
        """Whether changes are made with a credential of their own."""
        return bool(self._settings.write_kubeconfig or self._settings.write_context)

    async def find(self, reading: Connection) -> Connection:
        """How to write to the cluster that `reading` reads, on behalf of the same user.

        Raises:
            SteadyError: no context is meant for it, it cannot be used, or it is another API server's.
        """
        if not self.configured:
            return reading
        async with self._looking[reading.cluster]:
            if reading.cluster not in self._found:
                found = await self._contexts().connection(self._context(reading.cluster))
                await _same_server(reading.itself, found)
                self._found[reading.cluster] = found
        found = self._found[reading.cluster]
        return found.acting(reading.who[0], reading.who[1:]) if reading.who else found

    def _contexts(self) -> Clusters:
        if self._clusters is None:
            self._clusters = Clusters.from_kubeconfig(self._settings.write_kubeconfig or self._settings.kubeconfig)
        return self._clusters

    def _context(self, cluster: str) -> str:
        """Raises Refused where no context is meant for the cluster."""
        chosen = contexts(self._settings.write_context, self._current)
        name = chosen.get(cluster, cluster)
        if name not in self._contexts().names() or (cluster not in chosen and not self._settings.write_kubeconfig):
            raise Refused(f"there is no credential for changes to {cluster!r}.", todo=_TODO)
        return name


def contexts(text: str, current: str) -> dict[str, str]:
    """The context to write with by the context that is read: `a=a-writer,b=b-writer`, or one for the current context.

    Raises:
        InvalidArguments: an item is no pair, or a context has two.
    """
    found: dict[str, str] = {}
    for item in filter(None, map(str.strip, text.split(","))):
        cluster, equals, name = item.partition("=")
        cluster, name = (cluster.strip(), name.strip()) if equals else (current, item)
        if cluster in found or not name or (equals and not cluster):
            raise InvalidArguments("KUBESTEWARD_WRITE_CONTEXT is not understood.", todo=_TODO)
        found[cluster] = name
    return found


async def _same_server(reading: Connection, writing: Connection) -> None:
    """Raises Refused where it is another API server, or where nobody can tell."""
    if _address(reading) == _address(writing):
        return
    try:
        marks = [await _mark(connection) for connection in (reading, writing)]
    except SteadyError as error:
        why = f"nobody can tell whether the credential for changes is for the API server of {reading.cluster!r}"
        todo = f"Give both the same server address, or both the right to get the namespace kube-system. {_TODO}"
        raise Refused(f"{why} ({error.message})", todo=todo) from None
    if marks[0] != marks[1] or _trusted(reading) != _trusted(writing):  # a clone made from a backup keeps the uid
        raise Refused(f"the credential for changes to {reading.cluster!r} is for another API server.", todo=_TODO)


def _address(connection: Connection) -> tuple[str, str | None, str | None]:
    return connection.url, connection.proxy, connection.server_name


def _trusted(connection: Connection) -> bytes:
    """The certificates that the server is known by; the `kubernetes` package keeps those of a kubeconfig in a file."""
    path = connection.configuration.ssl_ca_cert
    try:
        return Path(path).read_bytes().strip() if path else b""
    except OSError:
        return b""


async def _mark(connection: Connection) -> str:
    transport = ReadTransport(connection)
    try:
        found = (await transport.get(_PROOF)).get("metadata") or {}
    finally:
        await transport.close()
    if not found.get("uid"):
        raise AskDifferently(f"the API server of {connection.cluster!r} says nothing about itself")
    return str(found["uid"])
