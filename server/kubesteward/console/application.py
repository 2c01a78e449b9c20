"""The one place where the approvals page is put together."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from kubesteward.console import events
from kubesteward.console.access import Clock, Keys, Ticket
from kubesteward.console.pages import Pages, Refusal
from kubesteward.console.records import Records
from kubesteward.console.site import Site
from kubesteward.console.templating import asset
from kubesteward_tools.errors import ObjectNotFound, SteadyError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

_TYPES = {"console.css": "text/css", "console.js": "text/javascript"}


def make_application(
    records: Records,
    site: Site,
    ticket: Ticket | None,
    keys: Keys | None = None,
    *,
    clock: Clock = time.time,
    ending: asyncio.Event | None = None,
) -> Starlette:
    """`ticket` lets the operator in, `keys` people from elsewhere. `ending` ends the live updates when it is set."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.routing import Mount, Route

    from kubesteward.console.guard import Guard

    pages = Pages(records, site, ticket, keys or Keys({}), clock)
    routes = [
        Route("/", pages.index),
        Route("/open", pages.open, methods=["GET"]),
        Route("/enter", pages.enter, methods=["POST"]),
        Route("/leave", pages.leave, methods=["POST"]),
        Route("/events", _Live(pages, events.until(ending or asyncio.Event()))),
        Route("/actions/{id}", pages.action),
        Route("/actions/{id}", pages.decide, methods=["POST"]),
        *(Route(f"/{name}", _asset(name, kind)) for name, kind in _TYPES.items()),
    ]

    async def complain(_: Request, error: Exception) -> Response:
        return pages.refusal(_refusal(error))

    return Starlette(
        routes=[Mount(site.base, routes=routes)],
        middleware=[Middleware(Guard, site=site, clock=clock)],
        exception_handlers={Refusal: complain, SteadyError: complain},
    )


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, Refusal):
        return error
    status = HTTPStatus.NOT_FOUND if isinstance(error, ObjectNotFound) else HTTPStatus.SERVICE_UNAVAILABLE
    return Refusal(status, "That cannot be shown", str(error))


def _asset(name: str, kind: str) -> Any:
    from starlette.responses import Response

    text = asset(name)

    async def answer(_: Request) -> Response:
        return Response(text, media_type=kind)

    return answer


class _Live:
    """The address of the live updates; an ASGI application, so that the end of a stream is seen here."""

    def __init__(self, pages: Pages, pause: events.Pause) -> None:
        self._pages = pages
        self._pause = pause
        self._open = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, StreamingResponse

        request = Request(scope, receive)
        self._pages.session(request)
        if self._open >= events.STREAMS:
            await PlainTextResponse("Too many streams.\n", 429, {"Retry-After": "30"})(scope, receive, send)
            return
        found = events.stream(self._pages.records.actions, self._pages.clock, self._pause)
        self._open += 1
        try:
            await StreamingResponse(found, media_type="text/event-stream")(scope, receive, send)
        finally:
            self._open -= 1
