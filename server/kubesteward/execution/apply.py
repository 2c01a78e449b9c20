"""THE writing client. It is handed to the gate by `app` and to nobody else; import contracts keep it that way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from kubesteward_policies.change import JSON_PATCH, ApiCall
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.transport import CONNECT_TIMEOUT, refusal, unreachable
from kubesteward_tools.errors import AskAgain

WRITE_TIMEOUT = 30.0
MANAGER = "kubesteward"
_METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}


class OutcomeUnknown(AskAgain):
    """The request was sent and no answer came: it may have taken effect."""

    code = "OUTCOME_UNKNOWN"


class Writer:
    """Sends the calls of one approved change to one cluster."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def dry_run(self, call: ApiCall) -> dict[str, Any]:
        """The API server's own answer with `dryRun=All`: real admission, webhooks and quota, and no effect."""
        return await self._send(call, {"dryRun": "All"}, call.body)

    async def apply(self, call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        """Make the call, on condition that the object is still at `resource_version` where one is given.

        Raises:
            SteadyError: the server refused, nothing has changed.
            OutcomeUnknown: the connection broke after the request had left.
        """
        return await self._send(call, {}, preconditioned(call, resource_version))

    async def _send(self, call: ApiCall, query: dict[str, str], body: Any) -> dict[str, Any]:
        import aiohttp

        context = await asyncio.to_thread(self._connection.ssl_context)
        timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=WRITE_TIMEOUT)
        headers = {**self._connection.headers(), "Content-Type": call.content_type}
        parameters = {"fieldManager": MANAGER, **dict(call.query), **query}
        if call.verb == "delete":
            parameters.pop("fieldManager")
        data = None if body is None else json.dumps(body)
        try:
            async with (
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context), timeout=timeout) as session,
                session.request(
                    _METHODS[call.verb],
                    self._connection.url + call.path,
                    params=parameters,
                    data=data,
                    headers=headers,
                    proxy=self._connection.proxy,
                ) as response,
            ):
                answer = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise unreachable(self._connection.cluster, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unknown(error, sent=not query) from None
        if response.status >= 400:
            raise refusal(response.status, answer, self._connection.cluster)
        decoded: dict[str, Any] = json.loads(answer)
        return decoded

    def _unknown(self, error: BaseException, *, sent: bool) -> AskAgain:
        if not sent:
            return unreachable(self._connection.cluster, error)
        why = f"{self._connection.cluster!r} broke off in the middle of the call ({type(error).__name__})."
        return OutcomeUnknown(why, todo="Look at the object before anything else is tried.")


def preconditioned(call: ApiCall, resource_version: str) -> Any:
    """The body with a resourceVersion that the server compares: 409 when the object has moved since."""
    if not resource_version:
        return call.body
    if call.verb == "delete":
        return {**(call.body or {}), "preconditions": {"resourceVersion": resource_version}}
    if call.content_type == JSON_PATCH:
        return [{"op": "test", "path": "/metadata/resourceVersion", "value": resource_version}, *call.body]
    if call.verb in {"patch", "update"}:
        metadata = {**(call.body.get("metadata") or {}), "resourceVersion": resource_version}
        return {**call.body, "metadata": metadata}
    return call.body
