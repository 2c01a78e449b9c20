"""Answers that go on: watches with bookmarks, and logs that are followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from kubesteward.embedded import replies
from kubesteward.embedded.watching import WatchCache
from kubesteward_tools.twin import listing
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.logs import Excerpt, Line, container_log
from kubesteward_tools.twin.requests import shown
from kubesteward_tools.twin.route import Request, Route
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.store import Object

_BOOKMARK_EVERY = 20.0
_LONGEST_WATCH = 1800.0
_LOOK_AGAIN = 1.0
_TRUE = {"1", "true"}
_INITIAL_END = {"k8s.io/initial-events-end": "true"}


class Streams:
    """All that is being streamed; `close` ends every one of them in order."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self._cache = WatchCache(cluster.store)

    def close(self) -> None:
        self._cache.close()

    async def watch(self, request: web.Request, asked: Request, route: Route) -> web.StreamResponse:
        """What is there already (unless a version is named), then every event until the client has had enough."""
        watch = _Watch(self._cluster, asked, route, replies.form(request.headers.get("Accept", "")))
        opening = watch.opening()
        response = web.StreamResponse(headers={"Content-Type": replies.JSON})
        try:
            await response.prepare(request)
            for line in opening:
                await response.write(line)
            async with asyncio.timeout(watch.seconds):
                async for line in watch.lines(self._cache):
                    await response.write(line)
        except ApiError as error:
            await response.write(_line("ERROR", error.as_status()))
        except (TimeoutError, ConnectionResetError):
            pass  # the end that the client named, or the client's own
        return response

    async def log(self, request: web.Request, asked: Request, route: Route) -> web.StreamResponse:
        """A container's log; with `follow`, on until the container stops."""
        excerpt = _excerpt(asked)
        lines = self._lines(asked, route)
        first = excerpt.text(excerpt.cut(lines, self._cluster.clock.now))
        if asked.query.get("follow") not in _TRUE:
            return web.Response(text=first)
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        try:
            await response.prepare(request)
            await response.write(first.encode())
            async for fresh in self._news(asked, route, lines):
                await response.write(excerpt.text(fresh).encode())
        except (ApiError, ConnectionResetError):
            pass  # the pod or the client is gone
        return response

    def _lines(self, asked: Request, route: Route) -> list[Line]:
        pod = self._cluster.api.get("pods", route.namespace, route.name)
        previous = asked.query.get("previous") in _TRUE
        return container_log(pod, asked.query.get("container", ""), self._cluster.clock.now, previous=previous)

    async def _news(self, asked: Request, route: Route, seen: list[Line]) -> AsyncIterator[list[Line]]:
        """What the container prints from now on, until it stops, its pod is deleted, or the server ends."""
        last = seen[-1].at if seen else 0.0
        while not self._cache.closed and _runs(self._cluster.api.get("pods", route.namespace, route.name)):
            fresh = [line for line in self._lines(asked, route) if line.at > last]
            if fresh:
                last = fresh[-1].at
                yield fresh
            await self._cache.news(_LOOK_AGAIN)


class _Watch:
    """One watch: where it starts, how it is encoded, and when it ends."""

    def __init__(self, cluster: SimulatedCluster, asked: Request, route: Route, wanted: str) -> None:
        query = asked.query
        self._cluster, self._asked, self._route, self._wanted = cluster, asked, route, wanted
        self._include = query.get("includeObject", "Metadata")
        self._keep = listing.predicate(query)
        self._bookmarks = query.get("allowWatchBookmarks") == "true"
        self._initial = query.get("sendInitialEvents") == "true"
        self._fresh = self._initial or query.get("resourceVersion", "") in {"", "0"}
        self._revision = cluster.store.revision if self._fresh else _number("resourceVersion", query["resourceVersion"])
        self.seconds = min(float(_number("timeoutSeconds", query.get("timeoutSeconds") or "0")), _LONGEST_WATCH)
        self.seconds = self.seconds or _LONGEST_WATCH

    def opening(self) -> list[bytes]:
        """ADDED for all that is there, when no version is named to start from."""
        if not self._fresh:
            return []
        found = listing.select(self._cluster.store, self._route.kind, self._route.namespace, self._asked.query)
        lines = [self._event("ADDED", obj) for obj in found]
        return [*lines, self._bookmark(_INITIAL_END)] if self._initial else lines

    async def lines(self, cache: WatchCache) -> AsyncIterator[bytes]:
        """Events, and bookmarks in quiet times where they are allowed. Raises ApiError 410 when history has a gap."""
        events = cache.follow(self._route.kind.resource, self._route.namespace, self._revision, self._keep)
        following = asyncio.ensure_future(anext(events, None))
        try:
            while True:
                done, _ = await asyncio.wait({following}, timeout=_BOOKMARK_EVERY)
                if done:
                    if (found := following.result()) is None:
                        return
                    yield self._event(*found)
                    following = asyncio.ensure_future(anext(events, None))
                elif self._bookmarks:
                    yield self._bookmark({})
        finally:
            following.cancel()

    def _event(self, event: str, obj: Object) -> bytes:
        kind = self._route.kind
        api = self._cluster.api
        whole = {"kind": kind.kind, "apiVersion": kind.api_version, **shown(api, self._route, obj)}
        return _line(event, replies.shaped(whole, api, self._route, self._wanted, self._include))

    def _bookmark(self, annotations: dict[str, str]) -> bytes:
        metadata = {"resourceVersion": str(self._cluster.store.revision), "creationTimestamp": None}
        kind = self._route.kind
        obj: Object = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        if annotations:
            obj["metadata"] = {**metadata, "annotations": annotations}
        if self._wanted == "Table":
            obj = replies.empty_table(self._cluster.api, self._route, obj["metadata"])
        return _line("BOOKMARK", obj)


def _line(event: str, obj: Object) -> bytes:
    return msgspec.json.encode({"type": event, "object": obj}) + b"\n"


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise bad_request(f"{name}: Invalid value: {text!r}: must be a whole number")
    return int(text)


def _excerpt(asked: Request) -> Excerpt:
    """The part of a log that the query asks for. Raises ApiError 400 for a number that is none."""
    query = asked.query
    numbers = {
        name: _number(name, query[name]) for name in ("tailLines", "sinceSeconds", "limitBytes") if name in query
    }
    return Excerpt(
        tail=numbers.get("tailLines"),
        seconds=numbers.get("sinceSeconds"),
        limit=numbers.get("limitBytes"),
        since=query.get("sinceTime", ""),
        stamped=query.get("timestamps") in _TRUE,
    )


def _runs(pod: Object) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return any("running" in (item.get("state") or {}) for item in statuses)
