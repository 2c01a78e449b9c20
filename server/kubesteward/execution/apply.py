"""THE writing client. The gate alone is handed it; import contracts keep it that way.

It can do three things: make a call on condition that its object has not moved, ask the server what the call would do
(`dryRun=All`), and read back what became of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from kubesteward.execution.answers import decoded, refused, unknown
from kubesteward_policies.change import JSON, JSON_PATCH, ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.transport import CONNECT_TIMEOUT, unreachable
from kubesteward_tools.errors import Refused

if TYPE_CHECKING:
    import aiohttp

WRITE_TIMEOUT = 35.0
"""Seconds; a little longer than the 34 that an API server gives a write, so that its own answer comes first."""
MANAGER = "kubesteward"
_METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


class Writing(Protocol):
    """What the gate needs of a writing client."""

    async def dry_run(self, call: ApiCall) -> dict[str, Any]: ...

    async def apply(self, call: ApiCall, resource_version: str = "") -> dict[str, Any]: ...

    async def read(self, path: str) -> dict[str, Any] | None: ...

    async def close(self) -> None: ...


class Writer:
    """Sends the calls of approved changes to one cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._generation = -1
        self._opening = asyncio.Lock()

    async def dry_run(self, call: ApiCall) -> dict[str, Any]:
        """The API server's own answer with `dryRun=All`: real admission, webhooks and quota, and no effect.

        Raises:
            SteadyError: the server refuses, or does not answer.
        """
        if runs_command(call):
            raise Refused("a command in a container cannot be tried out.")
        return await self._write(call, {"dryRun": "All"}, call.body)

    async def apply(self, call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        """Make the call, on condition that the object is still at `resource_version` where one is given.

        Raises:
            Conflict: the object has moved; nothing has changed.
            OutcomeUnknown: the connection broke, or the server gave up, after the request had left.
            SteadyError: the server refused or was not reached; nothing has changed.
        """
        if runs_command(call):
            from kubesteward.execution import exec as execution

            return await execution.run(self._connection, call)
        return await self._write(call, {}, preconditioned(call, resource_version))

    async def read(self, path: str) -> dict[str, Any] | None:
        """The object at `path` as it is now, None when there is none.

        Raises:
            SteadyError: the server does not answer.
        """
        status, data = await self._send("GET", path, {}, None, {}, sent_may_matter=False)
        if status == 404:
            return None
        if status >= 300:
            raise refused(status, data, self._connection.cluster, dry_run=True)
        return decoded(data)

    async def close(self) -> None:
        for session in filter(None, (self._session, *self._retired)):
            await session.close()

    async def _write(self, call: ApiCall, query: Mapping[str, str], body: Any) -> dict[str, Any]:
        dry_run = "dryRun" in query
        parameters = {**dict(call.query), **query}
        if call.verb != "delete":
            parameters.setdefault("fieldManager", MANAGER)
        status, data = await self._send(
            _METHODS[call.verb],
            call.path,
            parameters,
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": JSON if call.verb == "delete" else call.content_type},
            sent_may_matter=not dry_run,
        )
        if status >= 300:
            raise refused(status, data, self._connection.cluster, dry_run=dry_run)
        return decoded(data)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        data: bytes | None,
        headers: Mapping[str, str],
        *,
        sent_may_matter: bool,
    ) -> tuple[int, bytes]:
        """Status and body. A 401 changes nothing: it is asked once more if there are new credentials to ask with."""
        import aiohttp

        for last in (False, True):
            try:
                session, generation = await self._open()
                async with session.request(
                    method,
                    self._connection.url + path,
                    params=query,
                    data=data,
                    headers=await self._connection.sent(headers),
                    proxy=self._connection.proxy,
                    server_hostname=self._connection.server_name,
                    allow_redirects=False,  # credentials and changes go to the address that was configured
                ) as response:
                    answer = response.status, await response.read()
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                raise unreachable(self._connection.cluster, error) from None
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if sent_may_matter:
                    raise unknown(self._connection.cluster, type(error).__name__) from None
                raise unreachable(self._connection.cluster, error) from None
            if last or answer[0] != 401 or not await self._connection.renew(generation):
                break
        return answer

    async def _open(self) -> tuple[aiohttp.ClientSession, int]:
        """The session for the credentials as they are now. One connection a request: on a reused one that the server
        has just closed, nobody can tell whether a write has arrived.
        """
        async with self._opening:
            generation = self._connection.generation
            if self._session is None or self._generation != generation:
                import aiohttp

                context = await asyncio.to_thread(self._connection.ssl_context)
                if self._session is not None:
                    self._retired.append(self._session)  # requests under way still use it
                self._session = aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=context, force_close=True),
                    timeout=aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=WRITE_TIMEOUT),
                )
                self._generation = generation
            return self._session, generation


def preconditioned(call: ApiCall, resource_version: str) -> Any:
    """The body with a resourceVersion that the server compares: 409 when the object has moved since.

    It stands for the uid too: a resourceVersion is given once in the life of a cluster's storage.
    """
    if not resource_version or call.verb == "create":
        return call.body
    if call.verb == "delete":
        conditions = {**(call.body or {}).get("preconditions", {}), "resourceVersion": resource_version}
        return {**(call.body or {}), "preconditions": conditions}
    if call.content_type == JSON_PATCH:
        return [*call.body, {"op": "replace", "path": "/metadata/resourceVersion", "value": resource_version}]
    metadata = {**(call.body.get("metadata") or {}), "resourceVersion": resource_version}
    return {**call.body, "metadata": metadata}
