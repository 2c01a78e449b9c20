"""The read-only transport: the ban on writing sits here, where nobody can step round it.

GET, and POST to access reviews (which change nothing). Every other request is refused before a byte leaves.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.paths import REVIEWS, readable
from kubesteward_tools.errors import (
    AskAgain,
    AskDifferently,
    ClusterUnreachable,
    Forbidden,
    ObjectNotFound,
    SteadyError,
    Unauthorized,
)

if TYPE_CHECKING:
    import aiohttp

    from kubesteward_tools.world.payloads import Page

_Read = TypeVar("_Read")

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
SILENCE = 75.0
"""Seconds after which a watch without a word is asked anew. API servers send a bookmark about every minute, so that a
connection that is dead without knowing it is noticed here and nowhere else."""

AGGREGATED_DISCOVERY = (
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json"
)
CHECK_ADDRESS = "Check the server's address: a proxy or login page may answer in its place."
_CHUNK = 2**16


class Gone(AskAgain):
    """410: the position of a watch or list is forgotten; list again."""

    code = "EXPIRED"


class Silent(AskAgain):
    """A stream has said nothing for too long; it may be dead or just quiet."""


_LEAVE = 0.05
"""Seconds."""


class ReadTransport:
    """One session to one API server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session: aiohttp.ClientSession | None = None
        self._retired: aiohttp.ClientSession | None = None
        self._generation = -1
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        opened = [session for session in (self._session, self._retired) if session is not None]
        self._session = self._retired = None
        for session in opened:
            await session.close()
        if opened:  # TLS takes leave of the other side, for which aiohttp does not wait
            await asyncio.sleep(_LEAVE)

    async def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = "application/json") -> Any:
        """The JSON body. Raises a SteadyError that fits the refusal."""
        return self._decoded(await self._request("GET", path, query, accept=accept))

    async def page(self, path: str, query: Mapping[str, str]) -> Page:
        """A list, whose objects are not read yet. Raises as `get` does."""
        from kubesteward_tools.world import payloads

        return self._readable(payloads.PAGE.decode, await self._request("GET", path, query))

    async def read(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """The body as it is."""
        return await self._request("GET", path, query, accept="*/*")

    async def review(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST to an access review and to nothing else.

        Raises:
            ValueError: another path. That is a mistake in this program and never leaves it.
        """
        if path not in REVIEWS:
            raise ValueError(f"the read-only transport does not POST to {path!r}")
        return self._decoded(await self._request("POST", path, None, dict(body)))

    async def lines(self, path: str, query: Mapping[str, str], silence: float = SILENCE) -> AsyncIterator[bytes]:
        """The lines of a stream (a watch) until it ends; first an empty one, as soon as the server has accepted.

        Raises:
            Silent: nothing came for `silence` seconds.
        """
        import aiohttp

        limits = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=silence, total=None)
        rest, accepted = b"", False
        try:
            async with self._answer("GET", path, query, accept="application/json", limits=limits) as response:
                if response.status >= 300:
                    raise refusal(response.status, await response.read(), self._connection.cluster)
                accepted = True
                yield rest
                async for chunk in response.content.iter_chunked(_CHUNK):
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
        except aiohttp.SocketTimeoutError as error:
            if accepted:
                raise Silent(f"{self._connection.cluster!r} has been silent for {silence:.0f} s.") from None
            raise unreachable(self._connection.cluster, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._connection.cluster, error) from None

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: dict[str, Any] | None = None,
        accept: str = "application/json",
    ) -> bytes:
        import aiohttp

        limits = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=READ_TIMEOUT)
        try:
            async with self._answer(method, path, query, accept=accept, limits=limits, body=body) as response:
                data = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unreachable(self._connection.cluster, error) from None
        if response.status >= 300:
            raise refusal(response.status, data, self._connection.cluster)
        return data

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        accept: str,
        limits: aiohttp.ClientTimeout,
        body: dict[str, Any] | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer's head. A 401 is asked once more if there are new credentials to ask with."""
        url = self._connection.url + readable(path)
        for last in (False, True):
            session, generation = await self._open()
            headers = await self._connection.sent({"Accept": accept})
            async with session.request(
                method,
                url,
                params=query,
                json=body,
                headers=headers,
                timeout=limits,
                proxy=self._connection.proxy,
                server_hostname=self._connection.server_name,
                allow_redirects=False,  # credentials go to the address that was configured
            ) as response:
                self._connection.skew = _skew(response.headers.get("Date", ""), self._connection.skew)
                if last or response.status != 401 or not await self._connection.renew(generation):
                    yield response
                    return

    async def _open(self) -> tuple[aiohttp.ClientSession, int]:
        """The session for the credentials as they are now, and the generation of these."""
        async with self._opening:
            generation = self._connection.generation
            if self._session is None or self._generation != generation:
                import aiohttp

                context = await asyncio.to_thread(self._connection.ssl_context)
                if self._retired is not None:
                    await self._retired.close()
                self._retired = self._session  # requests under way still use it
                self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0))
                self._generation = generation
            return self._session, generation

    def _decoded(self, data: bytes) -> Any:
        """Every answer of the API in JSON is an object."""
        from kubesteward_tools.world import payloads

        return self._readable(payloads.OBJECT.decode, data)

    def _readable(self, decode: Callable[[bytes], _Read], data: bytes) -> _Read:
        import msgspec

        try:
            return decode(data)
        except msgspec.DecodeError:
            raise AskAgain(
                f"what answers at {self._connection.url} for {self._connection.cluster!r} does not speak JSON.",
                todo=CHECK_ADDRESS,
            ) from None


def _skew(date: str, before: float | None) -> float | None:
    """Seconds by which this clock is ahead of a Date header (RFC 9110, 6.6.1); what was known where there is none."""
    from email.utils import parsedate_to_datetime

    try:
        return time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return before


def unreachable(cluster: str, error: BaseException) -> ClusterUnreachable:
    """One sentence for all the ways in which a server does not answer; addresses in it are no secret."""
    why = str(error).partition("\n")[0] or type(error).__name__
    todo = "Check that the API server is up and reachable from here, then ask again."
    return ClusterUnreachable(f"the API server of {cluster!r} does not answer ({why[:200]}).", todo=todo)


def refusal(status: int, data: bytes, cluster: str) -> SteadyError:
    """The error that fits an API server's refusal."""
    message = _line(_message(data)) or f"HTTP {status}"
    if status == 401:
        todo = "Log in again (the kubeconfig's credentials are expired or wrong)."
        return Unauthorized(f"{cluster!r} does not accept the credentials.", todo=todo)
    if status == 403:
        return Forbidden(f"{message}.", todo=_IMPERSONATION if _CANNOT in message else _ASK_FOR_IT)
    if status == 404:
        return ObjectNotFound(f"{message}.")
    if status == 410:
        return Gone(message)
    if status < 400:
        todo = "Give the kubeconfig the server's own address."
        return AskDifferently(f"{cluster!r} answered with a redirection, which is not followed.", todo=todo)
    if status in {429, 500, 502, 503, 504}:
        return AskAgain(f"{cluster!r} answered: {message}.", todo="Ask again in a moment.")
    return AskDifferently(f"{cluster!r} refused: {message}.")


_CANNOT = "cannot impersonate resource"
_ASK_FOR_IT = "Ask for the right, or look elsewhere."
_IMPERSONATION = (
    "KubeSteward's own account needs a ClusterRole with the rule "
    '{apiGroups: [""], resources: ["users", "groups", "serviceaccounts"], verbs: ["impersonate"]}.'
)


def _line(text: str) -> str:
    """Anybody whose policy or webhook refuses may have written it: one line, and nothing that cannot be seen."""
    from kubesteward_tools.text.fence import clean

    return " ".join(clean(text).split())


def _message(data: bytes) -> str:
    """The message of a Status without its final stop, at most 500 characters; "" where the body is something else.

    A refused patch is answered with the whole object in front of the reason: long quotations are left out.
    """
    import msgspec

    try:
        status = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return ""
    if not isinstance(status, dict):
        return ""
    return _LONG_QUOTE.sub('"..."', str(status.get("message") or ""))[:500].rstrip(".")


_LONG_QUOTE = re.compile(r'"(?:[^"\\]|\\.){120,}"', re.DOTALL)
