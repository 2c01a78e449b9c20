"""Stands before every page: refuses what does not come from this site, too often or too large, and tells the browser
to run, send, frame and keep nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from kubesteward.console.access import Clock
from kubesteward.console.limits import Limit
from kubesteward.console.site import Site
from kubesteward_tools.pictures.svg import STYLE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = (600, 60.0)
_PICTURE = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    f"frame-ancestors 'none'; style-src 'self' 'sha256-{_PICTURE}'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    # not `no-referrer`: with that, browsers send `Origin: null` with forms (Fetch, 3.2), and the origin is checked
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, site: Site, clock: Clock) -> None:
        self._app = app
        self._site = site
        self._clock = clock
        self._limit = Limit(*REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.responses import PlainTextResponse

        if scope["type"] != "http":
            return
        refused = self._refused(scope)
        headers = {}
        if refused is None and (seconds := self._limit.wait(self._clock())):
            refused, headers = (429, "Too many requests."), {"Retry-After": str(int(seconds) + 1)}
        inner = self._app if refused is None else PlainTextResponse(f"{refused[1]}\n", refused[0], headers)
        await inner(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        given = _values(scope)
        hosts, origins = given("host"), given("origin")
        if len(hosts) != 1 or hosts[0] not in self._site.hosts:  # DNS rebinding: a stranger's name for our address
            return 421, "This is not served under that name."
        if any(origin not in self._site.origins for origin in origins):
            return 403, "Requests of other sites are not answered."
        if scope["method"] not in {"GET", "HEAD"} and len(origins) != 1:
            return 403, "A form has to say where it comes from."
        if any(site not in {"same-origin", "none"} for site in given("sec-fetch-site")):
            return 403, "What another site began is not answered. Copy the address into your browser's address bar."
        return None


def _values(scope: Scope) -> Callable[[str], list[str]]:
    pairs = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]]
    return lambda wanted: [value for name, value in pairs if name == wanted]


def _with_headers(send: Send) -> Send:
    from starlette.datastructures import MutableHeaders

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(HEADERS)
        await send(message)

    return sending
