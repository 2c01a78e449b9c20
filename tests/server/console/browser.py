"""A real Chromium without a window, driven by the Chrome DevTools Protocol, and the page served to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import re
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.server.gate.lab import Lab

from kubesteward.console.access import Ticket
from kubesteward.console.application import make_application
from kubesteward.console.records import BesideServers
from kubesteward.console.serve import make_server
from kubesteward.console.site import Site

PATIENCE = 30.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " ")}


@contextlib.asynccontextmanager
async def served(lab: Lab) -> AsyncIterator[str]:
    """The link that lets one in."""
    import time

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        port = listening.getsockname()[1]
        site, ticket = Site.of(lab.settings, port), Ticket("local:olga", time.time)
        ending = asyncio.Event()
        application = make_application(BesideServers(lab.store), site, ticket, ending=ending)
        server = make_server(application, ending, alone=False)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{port}{site.base}/open?ticket={ticket.secret}"
        finally:
            server.should_exit = True
            await serving


class Page:
    """One tab. What cannot be done within PATIENCE seconds fails."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse, session: str) -> None:
        self._connection = connection
        self._session = session
        self._numbers = itertools.count(1000)
        self._loads = 0
        self.complaints: list[str] = []

    async def ask(self, method: str, **terms: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._connection.send_json({"id": number, "sessionId": self._session, "method": method, "params": terms})
        return await self._until(lambda said: said.get("id") == number)

    async def _until(self, fits: Any) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while True:
                said = await self._connection.receive_json()
                if said.get("method") == "Log.entryAdded" and said["params"]["entry"]["level"] == "error":
                    self.complaints.append(said["params"]["entry"]["text"])
                self._loads += said.get("method") == "Page.loadEventFired"
                if fits(said):
                    assert "error" not in said, said
                    return dict(said.get("result") or said.get("params") or {})

    async def loaded(self) -> None:
        """One load for each call, also when it was over before the answer to what began it."""
        if not self._loads:
            await self._until(lambda said: said.get("method") == "Page.loadEventFired")
        self._loads -= 1

    async def go(self, address: str) -> None:
        await self.ask("Page.navigate", url=address)
        await self.loaded()

    async def script(self, expression: str) -> Any:
        answer = await self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def comes(self, expression: str) -> None:
        """Wait until an expression of the page is true, looking at every frame that it draws."""
        look = f"new Promise(done => {{ const f = () => ({expression}) ? done(true) : requestAnimationFrame(f); f() }})"
        async with asyncio.timeout(PATIENCE):
            await self.script(look)

    async def press(self, key: str) -> None:
        name, code, text = _KEYS[key]
        terms = {"key": name, "windowsVirtualKeyCode": code, "code": key}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **terms)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **terms)

    async def type(self, text: str) -> None:
        await self.ask("Input.insertText", text=text)

    async def looks(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])

    async def picture(self, path: Path) -> None:
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240 - nothing else waits in a test


@contextlib.asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip(f"there is no browser on this machine: none of {', '.join(_NAMES)}")
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--hide-scrollbars",
    ]
    places = [f"--user-data-dir={folder / 'profile'}", "--remote-debugging-port=0", "about:blank"]
    process = await asyncio.create_subprocess_exec(
        program, *flags, *places, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        address = await _address(process)
        async with aiohttp.ClientSession() as client, client.ws_connect(address, max_msg_size=0) as connection:
            yield await _tab(connection)
            await connection.send_json({"id": 1, "method": "Browser.close"})
            await asyncio.wait_for(process.wait(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        async for line in process.stderr:
            if found := re.search(rb"DevTools listening on (ws://\S+)", line):
                return found[1].decode()
    pytest.skip("the browser does not start here")


async def _tab(connection: aiohttp.ClientWebSocketResponse) -> Page:
    async def ask(number: int, method: str, **terms: Any) -> dict[str, Any]:
        await connection.send_json({"id": number, "method": method, "params": terms})
        while (said := await connection.receive_json()).get("id") != number:
            pass
        return dict(said["result"])

    target = await ask(2, "Target.createTarget", url="about:blank")
    session = await ask(3, "Target.attachToTarget", targetId=target["targetId"], flatten=True)
    page = Page(connection, session["sessionId"])
    for domain in ("Page", "Runtime", "Log"):
        await page.ask(f"{domain}.enable")
    return page
