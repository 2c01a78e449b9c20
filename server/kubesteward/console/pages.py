"""What each address answers. A decision is taken here only after everything that can be refused was refused."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from kubesteward.console import shown
from kubesteward.console.access import SESSION_SECONDS, Clock, Keys, Session, Sessions, Ticket
from kubesteward.console.limits import Limit
from kubesteward.console.records import Records, account_of
from kubesteward.console.site import COOKIE, Site
from kubesteward.console.templating import environment
from kubesteward.gate.actions import PAGE, ApprovalRefused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from kubesteward.gate.action import Action

RECENT = 50
FORM_BYTES = 16 * 1024
TRIES = (10, 60.0)
"""Guesses at a link or a token."""
DECISIONS = (30, 60.0)


class Refusal(Exception):
    """Ends a request with a page that says why."""

    def __init__(self, status: HTTPStatus, title: str, why: str, **more: Any) -> None:
        super().__init__(why)
        self.status = status
        self.terms = {"title": title, "why": why, "changes": [], "action": None, **more}


class Pages:
    """One for a process. Times in epoch seconds."""

    def __init__(self, records: Records, site: Site, ticket: Ticket | None, keys: Keys, clock: Clock) -> None:
        self.records = records
        self.sessions = Sessions(clock)
        self.clock = clock
        self._site = site
        self._ticket = ticket
        self._keys = keys
        self._tries = Limit(*TRIES)
        self._decisions = Limit(*DECISIONS)
        self._templates = environment(site.base)

    def session(self, request: Request) -> Session:
        """Raises Refusal where nobody has come in."""
        found = self.sessions.find(request.cookies.get(COOKIE, ""))
        if found is None:
            why = "This page is for whoever started it."
            raise Refusal(HTTPStatus.UNAUTHORIZED, "Come in first", why, login=bool(self._keys))
        return found

    async def index(self, request: Request) -> Response:
        session, table = self.session(request), self.records.actions
        pending = table.with_status("pending_approval")
        open_ids = {item.id for item in pending}
        recent = [item for item in table.newest(RECENT) if item.id not in open_ids]
        return self._page("index.html", session, pending=pending, recent=recent, live="")

    async def action(self, request: Request) -> Response:
        session = self.session(request)
        found = self.records.actions.get(request.path_params["id"])
        session.remember(found)
        undecided = found.status == "pending_approval" and self.clock() <= found.expires
        return self._page(
            "action.html",
            session,
            action=found,
            undecided=undecided,
            objection=found.objection(session.principal, PAGE, account_of(session.principal)),
            seal=session.seal("decide", f"{found.id} {found.digest}"),
            calls=shown.calls(found),
            picture=shown.picture(found),
            live=found.id,
        )

    async def decide(self, request: Request) -> Response:
        from starlette.responses import RedirectResponse

        session, form = self.session(request), await _form(request)
        self._bounded(self._decisions)
        action_id, digest = request.path_params["id"], form.get("digest", "")
        if not digest or not session.sealed(form.get("seal", ""), "decide", f"{action_id} {digest}"):
            raise Refusal(HTTPStatus.FORBIDDEN, "Not decided", "This form is not one that this page gave you.")
        if form.get("decision") not in {"approve", "reject"}:
            raise Refusal(HTTPStatus.BAD_REQUEST, "Not decided", "Choose either to approve or to reject.")
        now = self.records.actions.get(action_id)
        if now.digest != digest or now.status != "pending_approval":
            raise self._stale(session, digest, now, "What you decided about is not what is there now.")
        try:
            await self.records.decide(
                action_id,
                approve=form["decision"] == "approve",
                approver=session.principal,
                digest=digest,
                comment=form.get("comment", ""),
            )
        except ApprovalRefused as error:
            raise self._stale(session, digest, self.records.actions.get(action_id), str(error)) from None
        return RedirectResponse(f"{self._site.base}/actions/{action_id}", HTTPStatus.SEE_OTHER)

    def _stale(self, session: Session, digest: str, now: Action, why: str) -> Refusal:
        seen = session.shown.get(digest)
        found = shown.changes(seen, now) if seen is not None else []
        found = found or [f"Its state is now: {shown.WORDS[now.status]}."]
        return Refusal(
            HTTPStatus.CONFLICT, "Not decided", f"{why} Nothing was decided by you.", changes=found, action=now
        )

    async def open(self, request: Request) -> Response:
        """Exchange the link for a cookie, after which the link is void."""
        self._bounded(self._tries)
        given = request.query_params.get("ticket", "") if request.method == "GET" else ""  # a HEAD only looks
        principal = self._ticket.use(given) if self._ticket else None
        if principal is None:
            why = "This link was used before, or is too old. Run `kubesteward console` for a new one."
            raise Refusal(HTTPStatus.FORBIDDEN, "This link is void", why)
        return self._entered(principal)

    async def enter(self, request: Request) -> Response:
        """Exchange a person's token for a cookie."""
        self._bounded(self._tries)
        principal = self._keys.principal((await _form(request)).get("token", ""))
        if principal is None:
            raise Refusal(HTTPStatus.FORBIDDEN, "Not let in", "This token is not known here.", login=bool(self._keys))
        return self._entered(principal)

    def _entered(self, principal: str) -> Response:
        from starlette.responses import RedirectResponse

        answer = RedirectResponse(f"{self._site.base}/", HTTPStatus.SEE_OTHER)
        answer.set_cookie(
            COOKIE,
            self.sessions.begin(principal),
            max_age=int(SESSION_SECONDS),
            path=self._site.base,
            secure=self._site.public,
            httponly=True,
            samesite="strict",
        )
        return answer

    async def leave(self, request: Request) -> Response:
        session, form = self.session(request), await _form(request)
        if not session.sealed(form.get("seal", ""), "leave"):
            raise Refusal(HTTPStatus.FORBIDDEN, "Not left", "This form is not one that this page gave you.")
        self.sessions.end(request.cookies[COOKIE])
        return self.refusal(Refusal(HTTPStatus.OK, "You have left", "Nobody can decide with this browser any more."))

    def refusal(self, error: Refusal) -> Response:
        return self._page("refusal.html", None, error.status, **{"login": False, "live": "", **error.terms})

    def _bounded(self, limit: Limit) -> None:
        if seconds := limit.wait(self.clock()):
            why = f"That was too often. Try again in {int(seconds) + 1} seconds."
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "Slow down", why)

    def _page(self, name: str, session: Session | None, status: HTTPStatus = HTTPStatus.OK, **terms: Any) -> Response:
        from starlette.responses import HTMLResponse

        who, leave = (session.principal, session.seal("leave")) if session else ("", "")
        made = self._templates.get_template(name).render(who=who, leave=leave, now=self.clock(), **terms)
        return HTMLResponse(made, status)


async def _form(request: Request) -> Mapping[str, str]:
    """Raises Refusal for what no form of this page sends."""
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > FORM_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Not decided", "That is more than this page takes.")
    try:
        pairs = parse_qsl(data.decode("utf-8"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        raise Refusal(HTTPStatus.BAD_REQUEST, "Not decided", "That is not a form of this page.") from None
    if len(dict(pairs)) != len(pairs):
        raise Refusal(HTTPStatus.BAD_REQUEST, "Not decided", "That is not a form of this page.")
    return dict(pairs)
