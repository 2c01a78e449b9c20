"""`/metrics` on the HTTP server: who may read it, and what is answered.

The figures name clusters, rules, models and money. Whoever runs a server on loopback without tokens reads them as they
reach everything else there. As soon as anybody has to show who they are, a scraper has to as well, with a token that is
good for this alone: one that a monitoring system keeps in its configuration must not be able to propose changes.
Without such a token a guarded server has no `/metrics`; loopback is no proof there, since a proxy calls from it too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    from kubesteward.app import App

PATH = "/metrics"
SHORTEST_TOKEN = 16


def routes(app: App, *, guarded: bool, hosts: Sequence[str], tokens: Collection[str]) -> list[Route]:
    """The route, or none where nobody may scrape. `hosts` are the names that are answered, `tokens` those of clients.

    Raises:
        InvalidArguments: the token is too short, or a client's.
    """
    token = app.settings.metrics_token
    if token and len(token) < SHORTEST_TOKEN:
        why = f"KUBESTEWARD_METRICS_TOKEN is shorter than {SHORTEST_TOKEN} characters."
        raise InvalidArguments(why, todo="Make one: openssl rand -hex 32")
    if token and token in tokens:
        raise InvalidArguments("KUBESTEWARD_METRICS_TOKEN is a client's token too.", todo="Give scrapers their own.")
    if guarded and not token:
        return []
    app.measuring = True
    return [Route(PATH, Scraping(app, token, hosts).answer, methods=["GET"])]


class Scraping:
    """Keeps the token's digest alone."""

    def __init__(self, app: App, token: str, hosts: Sequence[str]) -> None:
        self._app = app
        self._token = _digest(token) if token else b""
        self._hosts = hosts

    async def answer(self, request: Request) -> Response:
        """In the format that the scraper asks for: Prometheus' own text, or OpenMetrics."""
        if refused := self._refusal(request):
            return refused
        from prometheus_client.exposition import choose_encoder

        from kubesteward.telemetry.standing import look

        standing, metrics = await look(self._app), self._app.metrics
        metrics.standing.now = standing
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), headers={"content-type": kind, "cache-control": "no-store"})

    def _refusal(self, request: Request) -> Response | None:
        if self._token:
            scheme, _, given = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() == "bearer" and hmac.compare_digest(self._token, _digest(given.strip())):
                return None
            return Response(status_code=401, headers={"www-authenticate": "Bearer"})
        if not _is_among(request.headers.get("host", ""), self._hosts):  # a page that calls itself by another name
            return Response("Invalid Host header", status_code=421)
        return None


def _is_among(host: str, allowed: Sequence[str]) -> bool:
    """`name:*` stands for the name with any port, and without."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return host in allowed or f"{name}:*" in allowed


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
