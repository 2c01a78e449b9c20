"""The read-only transport: the ban on writing sits here, where nobody can step round it.

GET, and POST to access reviews (which change nothing). Every other request is refused before a byte leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.errors import (
    AskAgain,
    AskDifferently,
    ClusterUnreachable,
    Forbidden,
    ObjectNotFound,
    SteadyError,
)

if TYPE_CHECKING:
    import aiohttp

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
REVIEWS = frozenset(
    f"/apis/{group}/v1/{name}"
    for group, name in (
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authorization.k8s.io", "subjectaccessreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    )
)
_CHUNK = 2**16


class Gone(AskAgain):
    """410: the position of a watch or list is forgotten; list again."""

    code = "EXPIRED"


class ReadTransport:
    """One session to one API server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON body. Raises a SteadyError that fits the refusal."""
        return _decode(await self.read(path, query))

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        return await self._request("GET", path, query)

    async def review(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST to an access review and to nothing else.

        Raises:
            ValueError: another path. That is a mistake in this program and never leaves it.
        """
        if path not in REVIEWS:
            raise ValueError(f"the read-only transport does not POST to {path!r}")
        return _decode(await self._request("POST", path, None, dict(body)))

    async def lines(self, path: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of a stream (a watch), until it ends."""
        import aiohttp

        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=None, total=None)
        rest = b""
        try:
            session = await self._open()
            async with session.get(self._url(path), params=query, timeout=timeout, **self._options()) as response:
                if response.status >= 400:
                    raise refusal(response.status, await response.read(), self._connection.cluster)
                async for chunk in response.content.iter_chunked(_CHUNK):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._connection.cluster, error) from None

    async def _request(
        self, method: str, path: str, query: Mapping[str, str] | None, body: dict[str, Any] | None = None
    ) -> bytes:
        import aiohttp

        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=READ_TIMEOUT)
        try:
            session = await self._open()
            async with session.request(
                method, self._url(path), params=query, json=body, timeout=timeout, **self._options()
            ) as response:
                data = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._connection.cluster, error) from None
        if response.status >= 400:
            raise refusal(response.status, data, self._connection.cluster)
        return data

    async def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            import aiohttp

            context = await asyncio.to_thread(self._connection.ssl_context)
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=32))
        return self._session

    def _url(self, path: str) -> str:
        return self._connection.url + path

    def _options(self) -> dict[str, Any]:
        return {"headers": dict(self._connection.headers()), "proxy": self._connection.proxy}


def _decode(data: bytes) -> Any:
    import msgspec

    return msgspec.json.decode(data)


def unreachable(cluster: str, error: BaseException) -> ClusterUnreachable:
    """One sentence for all the ways in which a server does not answer; addresses in it are no secret."""
    why = str(error).partition("\n")[0] or type(error).__name__
    todo = "Check that the API server is up and reachable from here, then ask again."
    return ClusterUnreachable(f"the API server of {cluster!r} does not answer ({why[:200]}).", todo=todo)


def refusal(status: int, data: bytes, cluster: str) -> SteadyError:
    """The error that fits an API server's refusal."""
    try:
        message = str(_decode(data).get("message") or "")
    except (ValueError, AttributeError):
        message = ""
    message = message[:500] or f"HTTP {status}"
    if status == 401:
        todo = "Log in again (the kubeconfig's credentials are expired or wrong)."
        return Forbidden(f"{cluster!r} does not accept the credentials.", todo=todo)
    if status == 403:
        return Forbidden(message + ".", todo="Ask for the right, or look elsewhere.")
    if status == 404:
        return ObjectNotFound(message + ".")
    if status == 410:
        return Gone(message)
    if status in {429, 500, 502, 503, 504}:
        return AskAgain(f"{cluster!r} answered: {message}.", todo="Ask again in a moment.")
    return AskDifferently(f"{cluster!r} refused: {message}.")
