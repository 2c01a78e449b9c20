"""`pods/exec` by WebSocket, as kubectl and other clients speak it. What a command answers is in `commands`.

Protocol: KEP-4006; k8s.io/apimachinery/pkg/util/remotecommand. A message is binary, its first byte the channel.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from kubesteward.embedded.commands import Container, Output
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.store import Object

PATH = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods/(?P<name>[^/]+)/exec")
_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_STDOUT, _STDERR, _ERROR = 1, 2, 3
_DEFAULT = "kubectl.kubernetes.io/default-container"
_LISTS = (("containers", "containerStatuses"), ("ephemeralContainers", "ephemeralContainerStatuses"))


class Execution:
    """Answers requests whose path is `PATH`. `closing` ends the commands that hang."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self.closing = asyncio.Event()

    async def serve(self, request: web.Request, user: User, begun: Callable[[int], None]) -> web.StreamResponse:
        """`begun` is told the status when the command is about to be run. Raises ApiError for what cannot be begun."""
        place = PATH.fullmatch(request.path)
        assert place is not None  # noqa: S101 - the caller has matched it
        container = self._container(place["namespace"], place["name"], request, user)
        socket = web.WebSocketResponse(protocols=_PROTOCOLS)
        if not socket.can_prepare(request):
            raise bad_request("you must specify an Upgrade header to websocket: nothing else is spoken here")
        await socket.prepare(request)
        if socket.ws_protocol is None:
            await socket.close(message=b"unknown subprotocol")
            return socket
        begun(socket.status)
        with contextlib.suppress(ConnectionResetError):  # the client has had enough
            await self._answer(socket, container, request.query.getall("command"))
        return socket

    async def _answer(self, socket: web.WebSocketResponse, container: Container, command: list[str]) -> None:
        output = container.run(command)
        for channel, text in ((_STDOUT, output.stdout), (_STDERR, output.stderr)):
            if text:
                await socket.send_bytes(bytes([channel]) + text.encode())
        if output.found and command[0].rpartition("/")[2] == "sleep" and not await self._slept(socket, command):
            return
        await socket.send_bytes(bytes([_ERROR]) + json.dumps(_status(command, output)).encode())
        await socket.close()

    async def _slept(self, socket: web.WebSocketResponse, command: list[str]) -> bool:
        """Whether the time was slept through; not if the client went, or the server ends, before."""
        ending = asyncio.ensure_future(self.closing.wait())
        leaving = asyncio.ensure_future(_left(socket))
        seconds = float(command[1]) if len(command) > 1 and command[1].isdigit() else 0.0
        done, rest = await asyncio.wait({ending, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in rest:
            task.cancel()
        return not done

    def _container(self, namespace: str, name: str, request: web.Request, user: User) -> Container:
        for verb in ("get", "create"):  # KEP-4006: since 1.35 both
            access = Access(verb, resource="pods", subresource="exec", namespace=namespace, name=name)
            if not permits(self._cluster.store, user, access).allowed:
                why = (
                    f'pods "{name}" is forbidden: User "{user.name}" cannot {verb} resource "pods/exec" in API group '
                    f'"" in the namespace "{namespace}"'
                )
                raise ApiError(403, "Forbidden", why)
        pod = self._cluster.api.get("pods", namespace, name)
        if not request.query.getall("command", []):
            raise bad_request("you must specify at least 1 command for the container")
        spec = _chosen(pod, request.query.get("container", ""))
        if not _running(pod, spec["name"]):
            raise ApiError(
                500, "InternalError", f'unable to upgrade connection: container not found ("{spec["name"]}")'
            )
        return Container(self._cluster.store, pod, spec)


async def _left(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type in {WSMsgType.CLOSE, WSMsgType.ERROR}:
            return


def _chosen(pod: Object, wanted: str) -> dict[str, Any]:
    """Raises ApiError 400 in the words of the API server."""
    found = {item["name"]: item for field, _ in _LISTS for item in pod["spec"].get(field) or ()}
    name = pod["metadata"]["name"]
    if wanted and wanted not in found:
        raise bad_request(f"container {wanted} is not valid for pod {name}")
    default = (pod["metadata"].get("annotations") or {}).get(_DEFAULT, "")
    if not wanted and len(found) > 1 and default not in found:
        named = " ".join(found)
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{named}]")
    return dict(found[wanted or (default if default in found else next(iter(found)))])


def _running(pod: Object, container: str) -> bool:
    status = pod.get("status") or {}
    found = (item for _, field in _LISTS for item in status.get(field) or () if item.get("name") == container)
    return any("running" in (item.get("state") or {}) for item in found)


def _status(command: list[str], output: Output) -> dict[str, Any]:
    """The last word of a command, as the kubelet and containerd say it."""
    if not output.found:
        why = (
            "error executing command in container: failed to exec in container: failed to start exec: OCI runtime exec "
            f'failed: exec failed: unable to start container process: exec: "{command[0]}": executable file not found '
            "in $PATH: unknown"
        )
        return ApiError(500, "InternalError", f"Internal error occurred: {why}").as_status()
    if output.code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: exit status {output.code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(output.code)}]},
    }
