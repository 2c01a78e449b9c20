"""Sends checkpoints to where the log is not. Whoever appends never waits for it; what fails is tried again.

A later checkpoint stands for all before it, so only the newest is sent. The receiver keeps each body as a line of a
file, which `kubesteward audit verify --anchor` reads.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kubesteward_tools.errors import SteadyError

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
SETTING = "KUBESTEWARD_AUDIT_WEBHOOK"

Send = Callable[[str, bytes, dict[str, str]], None]


def post(url: str, body: bytes, headers: dict[str, str]) -> None:
    """The only place where something leaves. Raises OSError."""
    from kubesteward_tools.outgoing import checked, fetch

    try:
        made = fetch(checked(url, SETTING), "the webhook of the audit log", headers, method="POST", data=body)
        status, _ = asyncio.run(made)
    except SteadyError as error:
        raise ConnectionError(error.message) from None
    if status >= 300:
        raise ConnectionError(f"it answered HTTP {status}")


class Webhook:
    """One address; `token` is a file with a bearer token, read before each request so that it can be changed."""

    def __init__(
        self, url: str, token: Path | None = None, *, send: Send = post, first_wait: float = FIRST_WAIT
    ) -> None:
        self._url = url
        self._token = token
        self._send = send
        self._first_wait = first_wait
        self._newest = ""
        self._there = threading.Condition()
        self._thread: threading.Thread | None = None
        self._failing: float | None = None

    def add(self, note: str) -> None:
        """Have it sent."""
        with self._there:
            self._newest = note
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit webhook", daemon=True)
                self._thread.start()
            self._there.notify_all()

    @property
    def failing(self) -> float:
        """Seconds for which nothing has arrived although there was something to send; 0.0 if all has."""
        return time.monotonic() - self._failing if self._failing is not None else 0.0

    def settled(self, seconds: float) -> bool:
        """Wait until all is sent; whether it was."""
        with self._there:
            return self._there.wait_for(lambda: not self._newest, seconds)

    def _run(self) -> None:
        wait = self._first_wait
        while True:
            with self._there:
                self._there.wait_for(lambda: bool(self._newest))
                note = self._newest
            try:
                self._send(self._url, json.dumps({"note": note}).encode(), self._headers())
            except OSError as error:  # without its text, which may quote the address
                self._failing = self._failing or time.monotonic()
                log.warning("a checkpoint of the audit log was not taken by the webhook (%s)", type(error).__name__)
                time.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
                continue
            self._failing, wait = None, self._first_wait
            with self._there:
                if self._newest == note:
                    self._newest = ""
                self._there.notify_all()

    def _headers(self) -> dict[str, str]:
        """Raises OSError."""
        bearer = {"Authorization": f"Bearer {self._token.read_text('utf-8').strip()}"} if self._token else {}
        return {"Content-Type": "application/json", **bearer}
