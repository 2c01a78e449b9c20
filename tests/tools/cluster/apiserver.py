"""A small API server over real loopback HTTP whose faults can be chosen: what the embedded cluster never does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

NAMESPACED = {"pods": "Pod", "secrets": "Secret", "configmaps": "ConfigMap"}
CORE = {**NAMESPACED, "namespaces": "Namespace", "nodes": "Node"}
PATIENCE = 10.0

Object = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str

    @property
    def watches(self) -> bool:
        return "watch" in self.query


@dataclass(eq=False)
class _Watching:
    """A watch that is open."""

    plural: str
    request: web.Request
    more: asyncio.Event = field(default_factory=asyncio.Event)
    ended: bool = False


class ApiServer:
    """Lists in pages, watches with bookmarks; what it shall refuse or break is set by its attributes."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.forbidden: set[str] = set()
        """Plurals, or `namespace/plural` for a list of one namespace, that are answered 403."""
        self.gone: set[str] = set()
        """Plurals that are not served any more, as when their definition was deleted."""
        self.tokens: set[str] | None = None
        self.answers: dict[str, Callable[[], web.StreamResponse]] = {}
        self.unwatchable: set[str] = set()
        self.expire_continue = 0
        """How many continue tokens are answered 410 from now on."""
        self._objects: dict[tuple[str, str, str], Object] = {}
        self._history: list[tuple[int, str, str, Object]] = []
        self._revision = 100
        self._forgotten = 0
        self._watching: list[_Watching] = []
        self._news = asyncio.Event()

    # What a test does to the cluster

    def put(self, plural: str, name: str, namespace: str = "default", *, version: bool = True, **fields: Any) -> Object:
        self._revision += 1
        metadata: Object = {"name": name, "uid": f"{plural}-{name}", **fields.pop("metadata", {})}
        if plural in NAMESPACED:
            metadata["namespace"] = namespace
        if version:
            metadata["resourceVersion"] = str(self._revision)
        obj = {"metadata": metadata, **fields}
        key = (plural, metadata.get("namespace", ""), name)
        event = "MODIFIED" if key in self._objects else "ADDED"
        self._objects[key] = obj
        self._tell(event, plural, obj)
        return obj

    def delete(self, plural: str, name: str, namespace: str = "default") -> None:
        self._revision += 1
        obj = self._objects.pop((plural, namespace if plural in NAMESPACED else "", name))
        metadata = {**obj["metadata"], "resourceVersion": str(self._revision)}
        self._tell("DELETED", plural, {**obj, "metadata": metadata})

    def bookmark(self, plural: str) -> int:
        """The revision of the bookmark that every watch of the kind gets now."""
        self._revision += 1
        self._tell("BOOKMARK", plural, {"metadata": {"resourceVersion": str(self._revision)}})
        return self._revision

    def restore(self, revision: int) -> None:
        """Go back to an earlier revision, as from a backup; the objects stay."""
        self._revision = revision
        self._history.clear()

    def forget(self) -> None:
        """Whoever wants events from before now is answered 410."""
        self._forgotten = self._revision

    def forget_history(self) -> None:
        """Let go of events that nobody can be told any more."""
        self.forget()
        self._history.clear()

    def cut(self, plural: str) -> None:
        """Reset the connections of all watches of a kind."""
        for watching in tuple(self._watching):
            if watching.plural == plural and watching.request.transport is not None:
                watching.request.transport.abort()

    def end(self, plural: str) -> None:
        """End all watches of a kind in order, after what they still have to be told."""
        for watching in self._watching:
            if watching.plural == plural:
                watching.ended = True
                watching.more.set()

    async def until(self, seen: Callable[[], Any]) -> None:
        """Wait until something is true that a request brings about."""
        async with asyncio.timeout(PATIENCE):
            while not seen():
                await self._news.wait()
                self._news.clear()

    async def watched(self, plural: str, times: int = 1) -> None:
        """Wait until so many watches of the kind were begun."""
        await self.until(lambda: len(self.requests(plural, watches=True)) >= times)

    def objects(self, plural: str) -> dict[tuple[str, str], Object]:
        """What there is of a kind, by namespace and name."""
        return {key[1:]: obj for key, obj in self._objects.items() if key[0] == plural}

    def requests(self, plural: str, *, watches: bool) -> list[Asked]:
        return [item for item in self.asked if item.path.endswith(f"/{plural}") and item.watches is watches]

    def paths(self) -> list[str]:
        return [item.path for item in self.asked]

    # What it answers

    def _tell(self, event: str, plural: str, obj: Object) -> None:
        self._history.append((self._revision, plural, event, obj))
        self._news.set()
        for watching in self._watching:
            watching.more.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        query, authorization = dict(request.query), request.headers.get("Authorization", "")
        self.asked.append(Asked(request.method, request.path, query, authorization))
        self._news.set()
        if self.tokens is not None and authorization.removeprefix("Bearer ") not in self.tokens:
            return refusal(401, "Unauthorized")
        if request.path in self.answers:
            return self.answers[request.path]()
        if (document := self._document(request.path)) is not None:
            return web.json_response(document)
        if request.method == "POST":
            return web.json_response({"status": {"allowed": True, "reason": "because"}}, status=201)
        *_, namespace, plural = request.path.split("/")
        namespace = namespace if "namespaces" in request.path.split("/")[:-1] else ""
        if plural not in CORE or plural in self.gone:
            return refusal(404, "the server could not find the requested resource")
        if (f"{namespace}/{plural}" if namespace else plural) in self.forbidden:
            return refusal(403, f'{plural} is forbidden: User "alice" cannot list resource "{plural}"')
        return await (self._watch if "watch" in query else self._list)(request, plural, namespace)

    def _document(self, path: str) -> Any:
        resources = [
            {
                "name": plural,
                "singularName": kind.lower(),
                "kind": kind,
                "namespaced": plural in NAMESPACED,
                "shortNames": ["po"] if plural == "pods" else [],
                "verbs": ["get", "list"] if plural in self.unwatchable else ["get", "list", "watch"],
            }
            for plural, kind in CORE.items()
            if plural not in self.gone
        ]
        return {
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "resources": resources},
            "/version": {"gitVersion": "v1.36.2"},
        }.get(path)

    async def _list(self, request: web.Request, plural: str, namespace: str) -> web.StreamResponse:
        start = int(request.query.get("continue", "0"))
        if start and self.expire_continue:
            self.expire_continue -= 1
            return refusal(410, "The provided continue parameter is too old")
        keys = sorted(key for key in self._objects if key[0] == plural and namespace in {"", key[1]})
        end = start + int(request.query.get("limit", len(keys) or 1))
        metadata = {"resourceVersion": str(self._revision)} | ({"continue": str(end)} if end < len(keys) else {})
        return web.json_response({"metadata": metadata, "items": [self._objects[key] for key in keys[start:end]]})

    async def _watch(self, request: web.Request, plural: str, namespace: str) -> web.StreamResponse:
        at = int(request.query["resourceVersion"])
        if at > self._revision:
            return refusal(504, f"Timeout: Too large resource version: {at}, current: {self._revision}")
        response = web.StreamResponse()
        await response.prepare(request)
        if at < self._forgotten:
            await response.write(line("ERROR", {"code": 410, "message": f"too old resource version: {at}"}))
            return response
        watching = _Watching(plural, request)
        self._watching.append(watching)
        try:
            while True:
                watching.more.clear()
                for revision, kind, event, obj in self._history:
                    if revision > at and kind == plural and namespace in {"", obj["metadata"].get("namespace", "")}:
                        await response.write(line(event, obj))
                at = self._revision
                if watching.ended:
                    return response
                await watching.more.wait()
        except ConnectionResetError:
            return response
        finally:
            self._watching.remove(watching)


def line(event: str, obj: Object) -> bytes:
    return json.dumps({"type": event, "object": obj}).encode() + b"\n"


def refusal(status: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "code": status, "message": message}, status=status)


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[ApiServer]:
    """One on a loopback port, a free one by default."""
    server = ApiServer()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
