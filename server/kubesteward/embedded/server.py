"""The embedded cluster as one object: starts, keeps time moving, writes its kubeconfig, and stops without a trace."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
import os
import secrets
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from kubesteward.embedded import webhooks
from kubesteward.embedded.scenarios import build
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import User

CONTEXT = "kubesteward-embedded"
_LONGEST_NAP = 1.0

log = logging.getLogger(__name__)


class EmbeddedCluster:
    """`async with EmbeddedCluster(...)`: listens on a loopback port, by default a free one, while the block runs.

    `simulated` is the cluster behind it, `token` the administrator's bearer token; `admit` lets others in.
    """

    def __init__(self, *, nodes: int = 3, scenario: str | None = None, port: int = 0) -> None:
        self.simulated: SimulatedCluster = build(scenario or "empty", nodes, time.time())
        self.simulated.api.caller = webhooks.call
        self.token = secrets.token_urlsafe(24)
        self.certificate = b""
        self._port = port
        self._woken = asyncio.Event()
        self._driver: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    @property
    def requests(self) -> list[Any]:
        """What was asked of the server, oldest first (`SeenRequest`)."""
        return list(self._handler.requests)

    async def __aenter__(self) -> EmbeddedCluster:
        from aiohttp import web

        from kubesteward.embedded.certificate import loopback_context
        from kubesteward.embedded.http import ApiHandler

        self._handler = ApiHandler(self.simulated, self.token, self.wake)
        self._runner = web.AppRunner(self._handler.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        context, self.certificate = loopback_context()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self._driver = asyncio.create_task(self._drive())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._driver is not None:
            self._driver.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._driver
        self._handler.close()
        await self._runner.cleanup()

    def wake(self) -> None:
        """Something was written: look at what follows from it now."""
        self._woken.set()

    async def _drive(self) -> None:
        """Real time: do what is due, then sleep until the next thing or until woken."""
        engine = self.simulated.engine
        while True:
            self._woken.clear()
            try:
                engine.advance(time.time())
            except Exception:  # one broken controller must not stop the clock for everything else
                log.exception("the embedded control plane stumbled")
            due = engine.next_due()
            nap = _LONGEST_NAP if due is None else min(max(due - time.time(), 0.0), _LONGEST_NAP)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(nap):  # wait_for loses cancellations that meet a result (Python 3.11)
                    await self._woken.wait()

    def admit(self, user: User) -> str:
        """A bearer token for somebody else, with the rights that RBAC in the cluster gives them."""
        token = secrets.token_urlsafe(24)
        self._handler.accounts[token] = user
        return token

    def kubeconfig(self, token: str = "") -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": CONTEXT,
                    "cluster": {
                        "server": self.url,
                        "certificate-authority-data": base64.b64encode(self.certificate).decode(),
                    },
                }
            ],
            "users": [{"name": CONTEXT, "user": {"token": token or self.token}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
            "current-context": CONTEXT,
        }

    def write_kubeconfig(self, path: Path, token: str = "") -> None:
        """Of the administrator, or of whom the token was made for. JSON is YAML.

        Readable by the owner alone; moved into place whole.

        Raises:
            OSError: the folder is missing or not writable.
        """
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(self.kubeconfig(token), file, indent=1)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
