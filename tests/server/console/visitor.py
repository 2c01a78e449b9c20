"""A person with a browser before the approvals page, and what they see of it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx2
from tests.server.gate.lab import Lab

from kubesteward.console.access import Keys, Ticket
from kubesteward.console.application import make_application
from kubesteward.console.pages import Pages
from kubesteward.console.records import BesideServers
from kubesteward.console.site import Site
from kubesteward.settings import Settings

PORT = 4321
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"
WHO = "local:olga"


class Seen(HTMLParser):
    """The outline of a page (its tags and the names of their attributes), its words, and the fields of its forms."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.outline: list[tuple[str, tuple[str, ...]]] = []
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self._open: list[str] = []
        self._words: list[tuple[tuple[str, ...], str]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.outline.append((tag, tuple(given)))
        if tag == "input" and (name := given.get("name")):
            self.fields.setdefault(f"{name}", given.get("value") or "")
            if name == "seal":
                self.fields["seal"] = given.get("value") or ""  # the last one is the decision's
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag not in {"meta", "link", "input", "br"}:
            self._open.append(f"{tag}#{given.get('id', '')}")

    def handle_endtag(self, tag: str) -> None:
        while self._open and not self._open.pop().startswith(f"{tag}#"):
            pass

    def handle_data(self, data: str) -> None:
        self._words.append((tuple(self._open), data))

    @property
    def text(self) -> str:
        return " ".join(" ".join(data for _, data in self._words).split())

    def within(self, part: str, without: str = "") -> str:
        """The words inside an element such as `section#decision`, but not those inside `without`."""
        found = [data for where, data in self._words if part in where and (not without or without not in where)]
        return " ".join(" ".join(found).split())


class Desk:
    """The page over a lab's store, at a time that the test sets."""

    def __init__(self, folder: Path, keys: dict[str, str] | None = None, **settings: Any) -> None:
        self.lab = Lab(folder)
        self.late = 0.0
        self.site = Site.of(Settings.load({}, state_dir=folder, **settings), PORT)
        self.ticket = Ticket(WHO, self.clock)
        self._application: Any = make_application(
            BesideServers(self.lab.store), self.site, self.ticket, Keys(keys or {}), clock=self.clock
        )
        self.visitor = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self._application), base_url=f"{ORIGIN}{self.site.base}"
        )

    @property
    def pages(self) -> Pages:
        """What answers, for tests that put other records behind it."""
        (mount,) = self._application.routes
        return next(route.endpoint.__self__ for route in mount.routes if route.path == "/")

    def clock(self) -> float:
        import time

        return time.time() + self.late

    async def __aenter__(self) -> Desk:
        await self.visitor.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.visitor.__aexit__(kind, error, trace)
        await self.lab.gate.close()

    async def enter(self) -> httpx2.Response:
        return await self.visitor.get("/open", params={"ticket": self.ticket.secret})

    async def see(self, path: str = "/") -> Seen:
        answer = await self.visitor.get(path)
        assert answer.status_code == 200, answer.text
        return Seen(answer.text)

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        return await self.visitor.post(path, data=fields, headers={"Origin": ORIGIN, **headers})

    async def decide(self, action_id: str, decision: str = "approve", **fields: str) -> httpx2.Response:
        """As a person does it: look at the action, fill in the form that is there, send it."""
        seen = await self.see(f"/actions/{action_id}")
        return await self.send(f"/actions/{action_id}", {**seen.fields, "decision": decision, **fields})
