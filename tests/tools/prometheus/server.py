"""A loopback server that speaks Prometheus' JSON and answers what a test wants; nothing of PromQL is understood."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    authorization: str


def vector(*series: tuple[Labels, float | str], at: float = 0.0) -> dict[str, Any]:
    """The data of an instant query's answer. Values are text on the wire."""
    result = [{"metric": dict(labels), "value": [at, str(value)]} for labels, value in series]
    return {"resultType": "vector", "result": result}


def matrix(*series: tuple[Labels, list[tuple[float, float | str]]]) -> dict[str, Any]:
    """The data of a range query's answer."""
    result = [{"metric": dict(labels), "values": [[at, str(v)] for at, v in points]} for labels, points in series]
    return {"resultType": "matrix", "result": result}


class Server:
    """`values` makes the data of an answer to an expression; `newest` is what timestamps are answered with."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.values: Callable[[str], dict[str, Any]] = lambda _: vector()
        self.newest = 0.0
        self.warnings: list[str] = []
        self.reply: Callable[[], web.Response] | None = None

    @property
    def expressions(self) -> list[str]:
        """Without those that ask for times."""
        return [item.query["query"] for item in self.asked if not item.query["query"].startswith("max(timestamp(")]

    async def handle(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.asked.append(Asked(request.method, request.path, query, request.headers.get("Authorization", "")))
        if self.reply is not None:
            return self.reply()
        asked = query.get("query", "")
        data = vector(({}, self.newest)) if asked.startswith("max(timestamp(") else self.values(asked)
        return web.json_response({"status": "success", "data": data, "warnings": self.warnings})


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server, application = Server(), web.Application()
    application.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
