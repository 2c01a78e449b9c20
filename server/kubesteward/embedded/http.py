"""The loopback HTTP server around the twin's `handle`: authentication, discovery, forms of answers, the request log."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from kubesteward.embedded import calls, discovery, metrics, openapi_v2, openapi_v3
from kubesteward.embedded.execing import PATH, Execution
from kubesteward.embedded.replies import JSON, form, reply, shaped
from kubesteward.embedded.streams import Streams
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.requests import authorize
from kubesteward_tools.twin.route import Request, Route, parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.versions import served

REMEMBERED_REQUESTS = 2000
_BODY_LIMIT = 4 * 2**20
_QUESTIONS = ("reviews",)
_SHOWN = ("get", "list")
_DOCUMENTED = ("/version", "/api", "/openapi")
_DEEPEST = 3

log = logging.getLogger(__name__)

_Special = Callable[[web.Request, Request, Route], Awaitable[web.StreamResponse]]


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
    def attempts(self) -> bool:
        """Whether it meant to change the cluster, whatever came of it."""
        asks = self.path.endswith(_QUESTIONS)
        reads = self.method in {"GET", "HEAD", "OPTIONS"} and not PATH.fullmatch(self.path)
        return not reads and not self.dry_run and not asks

    @property
    def writes(self) -> bool:
        """Whether it changed the cluster."""
        return self.attempts and self.status < 400


@dataclass(slots=True)
class _Entry:
    """A line of the log while it is being written; what goes on for long is closed when it begins."""

    request: web.Request
    log: deque[SeenRequest]
    user: str = ""
    dry_run: bool = False
    closed: bool = False

    def close(self, status: int) -> None:
        if not self.closed:
            self.closed = True
            asked = self.request
            seen = SeenRequest(asked.method, asked.path, asked.query_string, self.user, self.dry_run, status)
            self.log.append(seen)


class ApiHandler:
    """Answers every path. `wake` is called after each write, for what it may have set in motion."""

    def __init__(self, cluster: SimulatedCluster, token: str, wake: Callable[[], None]) -> None:
        self.cluster = cluster
        self.requests: deque[SeenRequest] = deque(maxlen=REMEMBERED_REQUESTS)
        self._streams = Streams(cluster)
        self._execution = Execution(cluster)
        self.accounts: dict[str, User] = {token: ADMIN}
        """Who is behind each bearer token."""
        self._wake = wake

    def application(self) -> web.Application:
        application = web.Application(client_max_size=_BODY_LIMIT)
        application.router.add_route("*", "/{path:.*}", self.handle)
        return application

    def close(self) -> None:
        """End what is being streamed, in order."""
        self._streams.close()
        self._execution.closing.set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        entry = _Entry(request, self.requests)
        try:
            response = await self._answer(request, entry)
        except ApiError as error:
            response = reply(error.as_status(), error.code)
        except web.HTTPRequestEntityTooLarge:
            too_large = ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {_BODY_LIMIT}")
            response = reply(too_large.as_status(), 413)
        except Exception:  # the outermost handler: a fault of the simulation is a 500 of the server
            log.exception("the embedded API server stumbled over %s %s", request.method, request.path)
            fault = ApiError(
                500, "InternalError", "Internal error occurred: the simulation failed; see the server's log"
            )
            response = reply(fault.as_status(), 500)
        entry.close(response.status)
        return response

    async def _answer(self, request: web.Request, entry: _Entry) -> web.StreamResponse:
        account = self._authenticate(request)
        groups = request.headers.getall("Impersonate-Group", [])
        user = calls.acting_user(self.cluster.store, account, request.headers, groups)
        entry.user = user.name
        if (document := await self._static(request)) is not None:
            self._authorize_path(user, request.path)
            return document
        if PATH.fullmatch(request.path) and request.method in {"GET", "POST"}:
            return await self._execution.serve(request, user, entry.close)
        route = parse(served(request.path, request.method), self.cluster.api.kinds)
        verb = calls.verb(request.method, route, request.query)
        body = calls.body(await request.read(), request.content_type)
        asked = Request(verb, request.path, dict(request.query), request.content_type, body, user)
        entry.dry_run = calls.is_dry_run(asked, route)
        special = self._special(asked, route)
        if special:
            authorize(self.cluster.api, asked, route)
            if asked.verb == "watch" or asked.query.get("follow"):
                entry.close(200)
            return await special(request, asked, route)
        return self._simple(request, asked, route)

    def _authenticate(self, request: web.Request) -> User:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        for token, user in self.accounts.items():
            if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
                return user
        raise ApiError(401, "Unauthorized", "Unauthorized")

    def _authorize_path(self, user: User, path: str) -> None:
        if not permits(self.cluster.store, user, Access("get", path=path)).allowed:
            raise ApiError(403, "Forbidden", f'forbidden: User "{user.name}" cannot get path "{path}"')

    def _simple(self, request: web.Request, asked: Request, route: Route) -> web.Response:
        """One request, one answer, straight from the twin."""
        response = self.cluster.handle(asked)
        if asked.verb not in _SHOWN:
            self._wake()
            return reply(response.body, response.status, response.warnings)
        return reply(self._shaped(request, response.body, route), response.status, response.warnings)

    def _shaped(self, request: web.Request, body: dict[str, Any], route: Route) -> dict[str, Any]:
        wanted, include = form(request.headers.get("Accept", "")), request.query.get("includeObject", "Metadata")
        return shaped(body, self.cluster.api, route, wanted, include)

    def _special(self, asked: Request, route: Route) -> _Special | None:
        """Who answers what the twin's `handle` does not."""
        if route.kind.group == "metrics.k8s.io":
            return self._metrics
        if route.subresource == "log" and asked.verb == "get":
            return self._streams.log
        return self._streams.watch if asked.verb == "watch" else None

    async def _metrics(self, request: web.Request, asked: Request, route: Route) -> web.Response:
        return reply(self._shaped(request, metrics.answer(self.cluster, asked, route), route))

    async def _static(self, request: web.Request) -> web.Response | None:
        """Health, discovery, OpenAPI and the request log."""
        kinds = self.cluster.api.kinds
        path, accept = request.path.rstrip("/"), request.headers.get("Accept", "")
        if path.startswith(("/healthz", "/livez", "/readyz")):
            return web.Response(text="ok")
        if path == "/openapi/v2":
            return web.Response(
                body=openapi_v2.document(kinds.custom()), headers={"Content-Type": openapi_v2.MEDIA_TYPE}
            )
        if path == "/debug/requests":
            return reply({"requests": [asdict(item) for item in self.requests]})
        if not path.startswith(_DOCUMENTED) or (path.count("/") > _DEEPEST and not path.startswith("/openapi")):
            return None
        groups = discovery.groups(kinds.custom())
        if path == "/openapi/v3":
            return reply(openapi_v3.index(groups))
        if path.startswith("/openapi/v3/"):
            written = await asyncio.to_thread(openapi_v3.document, path, groups, kinds)
            return reply(written) if written is not None else None
        if path in {"/api", "/apis"} and discovery.AGGREGATED in accept and "v=v2;" in f"{accept};":
            content = f"{JSON};g={discovery.AGGREGATED};v=v2;as=APIGroupDiscoveryList"
            return reply(discovery.aggregated(groups, core=path == "/api"), content_type=content)
        found = discovery.document(path, groups)
        return reply(found) if found is not None else None
