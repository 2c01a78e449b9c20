"""Runs a command in a container over WebSocket, as `kubectl exec` does, and brings back what it printed.

Nothing is sent to it and no terminal is made. A command that has been asked for cannot be taken back: whatever breaks
after that leaves its outcome unknown, and it is never asked for again.

Protocol: KEP-4006 (v5.channel.k8s.io); k8s.io/apimachinery/pkg/util/remotecommand. Every message is binary, its first
byte the channel.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from kubesteward.execution.answers import refused, unknown
from kubesteward_policies.change import ApiCall
from kubesteward_policies.commands import command_of
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.transport import CONNECT_TIMEOUT, unreachable
from kubesteward_tools.errors import Refused, SteadyError

if TYPE_CHECKING:
    import aiohttp

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
CLOSING = 2.0
STDOUT, STDERR, ERROR = 1, 2, 3
KIND = "Transcript"

Ended = Literal["exit", "idle", "timeout"]


@dataclass(frozen=True, slots=True)
class Limits:
    """`idle` and `total` in seconds: a diagnostic command that prints nothing for so long waits for something. `most`
    bytes are kept of what it prints; the rest is read and dropped, so that the command can end."""

    idle: float = 15.0
    total: float = 60.0
    most: int = 64 * 1024


LIMITS = Limits()


@dataclass(slots=True)
class _Heard:
    """What has come so far."""

    channels: dict[int, bytearray] = field(default_factory=lambda: {STDOUT: bytearray(), STDERR: bytearray()})
    room: int = LIMITS.most
    dropped: int = 0
    status: dict[str, Any] | None = None

    def take(self, message: bytes) -> None:
        if not message:
            return
        channel, data = message[0], message[1:]
        if channel == ERROR and data:
            self.status = _status(data)
        elif channel in self.channels:
            kept = data[: self.room]
            self.channels[channel] += kept
            self.room -= len(kept)
            self.dropped += len(data) - len(kept)


async def run(connection: Connection, call: ApiCall, limits: Limits | None = None) -> dict[str, Any]:
    """The transcript, redacted: `exit_code` (None where it has not ended), `stdout`, `stderr`, `dropped` bytes, how it
    `ended`, `seconds`, and `error`, why it could not be started.

    Raises:
        OutcomeUnknown: the connection broke after the command had been asked for.
        SteadyError: the server refused it or was not reached; nothing was run.
    """
    import aiohttp

    limits = limits or LIMITS
    heard, started = _Heard(room=limits.most), time.monotonic()
    context = await asyncio.to_thread(connection.ssl_context)
    timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, total=limits.total + CONNECT_TIMEOUT)
    connector = aiohttp.TCPConnector(ssl=context, force_close=True)
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, trace_configs=[trace]) as session:
        socket = await _opened(session, connection, call)
        try:
            ended = await _listen(socket, heard, connection.cluster, limits)
        finally:
            await socket.close()
    return _transcript(call, heard, ended, time.monotonic() - started)


async def _refuse(*_: object) -> None:
    """Credentials and commands go to the address that was configured."""
    import aiohttp

    raise aiohttp.ClientError("redirected")


async def _opened(
    session: aiohttp.ClientSession, connection: Connection, call: ApiCall
) -> aiohttp.ClientWebSocketResponse:
    import aiohttp

    for last in (False, True):
        generation = connection.generation
        try:
            return await session.ws_connect(
                connection.url + call.path,
                params=list(call.query),
                protocols=PROTOCOLS,
                headers=await connection.sent({}),
                proxy=connection.proxy,
                server_hostname=connection.server_name,
                max_msg_size=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING),
            )
        except aiohttp.WSServerHandshakeError as error:  # no upgrade, no command
            if last or error.status != 401 or not await connection.renew(generation):
                raise _refusal(error, connection.cluster) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise unreachable(connection.cluster, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise unknown(connection.cluster, type(error).__name__) from None
    raise AssertionError("the second answer is the last")


def _refusal(error: aiohttp.WSServerHandshakeError, cluster: str) -> SteadyError:
    """In words of our own: what the server said is not handed on by the library."""
    if error.status < 300:  # an upgrade to something else
        return Refused(f"{cluster!r} does not speak {PROTOCOLS[0]}.", todo="Run the command by hand.")
    why = {
        400: "it does not take the request: the container may have stopped",
        403: "KubeSteward's user may not get and create pods/exec there",
        404: "the pod is not there any more",
        500: "the container does not run, or its node does not answer",
    }
    said = json.dumps({"message": f"the command was not run: {why.get(error.status, f'HTTP {error.status}')}"}).encode()
    return refused(error.status, said, cluster, dry_run=True)


async def _listen(socket: aiohttp.ClientWebSocketResponse, heard: _Heard, cluster: str, limits: Limits) -> Ended:
    """Until the command has ended or time is up.

    Raises:
        OutcomeUnknown: the connection ended before the command did.
    """
    import aiohttp

    end = asyncio.get_running_loop().time() + limits.total
    while heard.status is None:
        left = end - asyncio.get_running_loop().time()
        try:
            message = await socket.receive(timeout=max(min(limits.idle, left), 0.001))
        except TimeoutError:
            return "timeout" if left <= limits.idle else "idle"
        if message.type is aiohttp.WSMsgType.BINARY:
            heard.take(message.data)
        elif message.type is not aiohttp.WSMsgType.TEXT:
            raise unknown(cluster, "the connection ended before the command did")
    return "exit"


def _status(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"status": "Failure", "message": "the server's last word is no JSON"}


def _transcript(call: ApiCall, heard: _Heard, ended: Ended, seconds: float) -> dict[str, Any]:
    from kubesteward_tools.text.redact import redact

    code, error = _outcome(heard.status)
    texts = {number: bytes(data).decode("utf-8", "replace") for number, data in heard.channels.items()}
    return {
        "kind": KIND,
        "command": [redact(argument) for argument in command_of(call)],
        "exit_code": code,
        "error": redact(error),
        "ended": ended,
        "seconds": round(seconds, 3),
        "dropped": heard.dropped,
        "stdout": redact(texts[STDOUT]),
        "stderr": redact(texts[STDERR]),
    }


def _outcome(status: dict[str, Any] | None) -> tuple[int | None, str]:
    """The exit code, or why there is none: a command that could not be started has its reason in the status."""
    if status is None:
        return None, ""
    if status.get("status") == "Success":
        return 0, ""
    causes = (status.get("details") or {}).get("causes") or ()
    codes = [str(item.get("message", "")) for item in causes if item.get("reason") == "ExitCode"]
    if codes and codes[0].lstrip("-").isdigit():
        return int(codes[0]), ""
    return None, str(status.get("message") or "the command could not be run")[:1000]
