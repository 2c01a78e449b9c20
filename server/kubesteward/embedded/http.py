"""The loopback HTTP server: authentication, discovery, tables, watches, logs and metrics around the twin's `handle`."""

from __future__ import annotations

import asyncio
import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
from aiohttp import web

from kubesteward.embedded import calls, discovery, openapi_v2
from kubesteward.embedded.tables import table
from kubesteward.embedded.watching import WatchCache
from kubesteward_tools.twin import listing
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN
from kubesteward_tools.twin.logs import container_log
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.rbac import Access, can
from kubesteward_tools.twin.requests import authorize
from kubesteward_tools.twin.route import Request, Route, parse
from kubesteward_tools.twin.status import ApiError, not_found
from kubesteward_tools.twin.usage import node_metrics, pod_metrics
from kubesteward_tools.world.store import Object

_JSON = "application/json"
_REMEMBERED_REQUESTS = 2000
_BODY_LIMIT = 4 * 2**20
_BOOKMARK_EVERY = 20.0


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One line of the request log. `dry_run` tells a question from a write."""

    method: str
    path: str
    query: str
    user: str
    dry_run: bool
    status: int

    @property
    def writes(self) -> bool:
        asks = self.path.endswith("reviews")
        return self.method not in {"GET", "HEAD", "OPTIONS"} and not self.dry_run and not asks and self.status < 400


class ApiHandler:
    """Answers every path. `wake` is called after each request, for what it may have set in motion."""

    def __init__(self, cluster: SimulatedCluster, token: str, wake: Callable[[], None]) -> None:
        self.cluster = cluster
        self.watches = WatchCache(cluster.store)
        self.requests: deque[SeenRequest] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._token = token
        self._wake = wake
        self._streams: set[asyncio.Task[Any]] = set()

    def application(self) -> web.Application:
        application = web.Application(client_max_size=_BODY_LIMIT)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    def close(self) -> None:
        self.watches.close()
        for stream in self._streams:
            stream.cancel()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        try:
            response = await self._answer(request)
        except ApiError as error:
            response = _reply(error.as_status(), error.code)
        self._remember(request, response.status)
        return response

    def _remember(self, request: web.Request, status: int) -> None:
        user = request.headers.get("Impersonate-User", ADMIN.name)
        dry = request.query.get("dryRun") == "All" or bool(request.get("dry_run"))
        self.requests.append(SeenRequest(request.method, request.path, request.query_string, user, dry, status))

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        user = calls.acting_user(
            self.cluster.store, ADMIN, request.headers, request.headers.getall("Impersonate-Group", [])
        )
        if (found := self._static(request)) is not None:
            if not can(self.cluster.store, user, Access("get", path=request.path)).allowed:
                raise ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot get path "{request.path}"')
            return found
        route = parse(request.path)
        verb = calls.verb(request.method, route, request.query)
        data = await request.read()
        body = calls.body(data, request.content_type)
        request["dry_run"] = isinstance(body, dict) and "dryRun" in {**body, **(body.get("deleteOptions") or {})}
        asked = Request(verb, request.path, dict(request.query), request.content_type, body, user)
        if verb == "watch" or route.subresource == "log" or route.kind.group == "metrics.k8s.io":
            return await self._special(request, asked, route)
        response = self.cluster.handle(asked)
        self._wake()
        shown = response.body
        if response.status < 400 and verb in {"get", "list"} and (include := _wants_table(request)):
            items = shown["items"] if verb == "list" else [shown]
            metadata = (
                shown["metadata"] if verb == "list" else {"resourceVersion": shown["metadata"]["resourceVersion"]}
            )
            shown = table(route.kind.resource, items, metadata, self.cluster.clock.now, include)
        return _reply(shown, response.status, response.warnings)

    def _static(self, request: web.Request) -> web.Response | None:
        path, accept = request.path.rstrip("/"), request.headers.get("Accept", "")
        if path in {"/healthz", "/livez", "/readyz"}:
            return web.Response(text="ok")
        if path == "/openapi/v2":
            return web.Response(body=openapi_v2.document(), headers={"Content-Type": openapi_v2.MEDIA_TYPE})
        if path == "/debug/requests":
            return _reply({"requests": [asdict(item) for item in self.requests]})
        if path in {"/api", "/apis"} and discovery.AGGREGATED in accept and "v=v2;" in f"{accept};":
            content = f"{_JSON};g={discovery.AGGREGATED};v=v2;as=APIGroupDiscoveryList"
            return _reply(discovery.aggregated(core=path == "/api"), content_type=content)
        found = _document(path)
        return _reply(found) if found is not None else None

    async def _special(self, request: web.Request, asked: Request, route: Route) -> web.StreamResponse:
        authorize(self.cluster.api, asked, route)
        if route.kind.group == "metrics.k8s.io":
            return self._metrics(asked, route)
        if route.subresource == "log":
            return await self._log(request, route)
        return await self._watch(request, asked, route)

    def _metrics(self, asked: Request, route: Route) -> web.Response:
        store, now = self.cluster.store, self.cluster.clock.now
        if route.kind.plural == "nodes":
            items = [node_metrics(store, node, now) for node in store.objects("nodes")]
        else:
            pods = store.objects("pods", route.namespace or None)
            items = [found for pod in pods if (found := pod_metrics(pod, now))]
        if route.name:
            named = [item for item in items if item["metadata"]["name"] == route.name]
            if not named:
                raise not_found(route.kind, route.name)
            return _reply(named[0])
        keep = listing.predicate(asked.query)
        kept = [item for item in items if keep(item)]
        return _reply(listing.page(route.kind, kept, store.revision, asked.query))

    async def _log(self, request: web.Request, route: Route) -> web.StreamResponse:
        query = request.query
        pod = self.cluster.api.get("pods", route.namespace, route.name)
        lines = container_log(pod, query.get("container", ""), previous=query.get("previous") == "true")
        if since := query.get("sinceSeconds"):
            lines = [line for line in lines if line.at >= self.cluster.clock.now - int(since)]
        if tail := query.get("tailLines"):
            lines = lines[-int(tail) :] if int(tail) else []
        stamped = query.get("timestamps") == "true"
        text = "".join(f"{timestamp(line.at)} {line.text}\n" if stamped else f"{line.text}\n" for line in lines)
        if query.get("follow") != "true":
            return web.Response(text=text)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(text.encode())
        await self._until_gone(route)
        return response

    async def _until_gone(self, route: Route) -> None:
        """Follow until the pod is deleted; nothing more is printed."""
        revision = self.cluster.store.revision
        follow = self.watches.follow("pods", route.namespace, revision, lambda obj: True)
        async for kind, obj in follow:
            if kind == "DELETED" and obj["metadata"]["name"] == route.name:
                return

    async def _watch(self, request: web.Request, asked: Request, route: Route) -> web.StreamResponse:
        keep, store = listing.predicate(asked.query), self.cluster.store
        start = asked.query.get("resourceVersion", "")
        fresh = start in {"", "0"} or asked.query.get("sendInitialEvents") == "true"
        revision = store.revision if fresh else int(start)
        self.watches.check(revision)
        encode = self._encoder(request, route)
        response = web.StreamResponse(headers={"Content-Type": _JSON})
        await response.prepare(request)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a handler always runs in a task
        self._streams.add(task)
        try:
            if fresh:
                for obj in listing.select(store, route.kind, route.namespace, asked.query):
                    await response.write(encode("ADDED", obj))
                if asked.query.get("sendInitialEvents") == "true":
                    await response.write(self._bookmark(route, initial=True))
            seconds = float(asked.query.get("timeoutSeconds") or 1800)
            async with asyncio.timeout(seconds):
                await self._stream(response, asked, route, revision, encode, keep)
        except (TimeoutError, ConnectionResetError):
            pass
        finally:
            self._streams.discard(task)
        return response

    async def _stream(
        self,
        response: web.StreamResponse,
        asked: Request,
        route: Route,
        revision: int,
        encode: Callable[[str, Object], bytes],
        keep: Callable[[Object], bool],
    ) -> None:
        """Events, and bookmarks in between where they are allowed."""
        bookmarks = asked.query.get("allowWatchBookmarks") == "true"
        events = self.watches.follow(route.kind.resource, route.namespace, revision, keep)
        following = asyncio.ensure_future(anext(events))
        try:
            while True:
                done, _ = await asyncio.wait({following}, timeout=_BOOKMARK_EVERY)
                if done:
                    await response.write(encode(*following.result()))
                    following = asyncio.ensure_future(anext(events))
                elif bookmarks:
                    await response.write(self._bookmark(route))
        finally:
            following.cancel()

    def _bookmark(self, route: Route, *, initial: bool = False) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": str(self.cluster.store.revision)}
        if initial:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        obj = {"kind": route.kind.kind, "apiVersion": route.kind.api_version, "metadata": metadata}
        return msgspec.json.encode({"type": "BOOKMARK", "object": obj}) + b"\n"

    def _encoder(self, request: web.Request, route: Route) -> Callable[[str, Object], bytes]:
        include, kind = _wants_table(request), route.kind

        def encode(event: str, obj: Object) -> bytes:
            if include:
                version = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
                shown = table(kind.resource, [obj], version, self.cluster.clock.now, include)
            else:
                shown = {"kind": kind.kind, "apiVersion": kind.api_version, **obj}
            return msgspec.json.encode({"type": event, "object": shown}) + b"\n"

        return encode


def _document(path: str) -> dict[str, Any] | None:
    """The discovery document at a path, if one is there."""
    if path == "/version":
        return discovery.version()
    if path == "/api":
        return discovery.api_versions()
    if path == "/apis":
        return discovery.group_list()
    if path == "/openapi/v3":
        return discovery.openapi_index()
    parts = path.removeprefix("/openapi/v3").strip("/").split("/")
    of = discovery.openapi if path.startswith("/openapi/v3/") else discovery.resource_list
    if parts[0] == "api" and len(parts) == 2:
        return of("", parts[1])
    if parts[0] == "apis" and len(parts) == 3:
        return of(parts[1], parts[2])
    return None


def _wants_table(request: web.Request) -> str:
    """The includeObject parameter when the client prefers a Table, else ""."""
    first = request.headers.get("Accept", "").partition(",")[0]
    return request.query.get("includeObject", "Metadata") if "as=Table" in first else ""


def _reply(
    body: dict[str, Any], status: int = 200, warnings: tuple[str, ...] = (), content_type: str = _JSON
) -> web.Response:
    response = web.Response(body=msgspec.json.encode(body), status=status, headers={"Content-Type": content_type})
    for text in warnings:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    if retry := (body.get("details") or {}).get("retryAfterSeconds") if body.get("kind") == "Status" else None:
        response.headers["Retry-After"] = str(retry)
    return response
