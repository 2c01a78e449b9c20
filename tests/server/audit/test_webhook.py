"""Checkpoints reach the webhook without anybody waiting for them; what fails is sent again and noticed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kubesteward.audit.log import AuditLog
from kubesteward.audit.verify import verify
from kubesteward.audit.webhook import Webhook, post
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_tools.errors import InvalidArguments


def test_what_a_receiver_keeps_is_an_anchor(tmp_path: Path) -> None:
    token, kept = tmp_path / "token", tmp_path / "anchor.jsonl"
    token.write_text("a-token\n")
    seen: list[dict[str, str]] = []

    def send(_: str, body: bytes, headers: dict[str, str]) -> None:
        seen.append(headers)
        kept.write_text(kept.read_text() + body.decode() + "\n" if kept.exists() else body.decode() + "\n")

    webhook = Webhook("https://anchor.example", token, send=send)
    log = AuditLog(Store.open(tmp_path / "state"), webhook=webhook)
    for number in range(3):
        log.append({"type": "test", "number": number})

    assert webhook.settled(5)
    assert seen[-1]["Authorization"] == "Bearer a-token"
    assert verify(tmp_path / "state", kept).anchored == 3


def test_nobody_who_appends_waits_and_what_failed_is_sent_again(tmp_path: Path) -> None:
    may, tries, taken = threading.Event(), list[bytes](), list[bytes]()

    def send(_: str, body: bytes, __: dict[str, str]) -> None:
        tries.append(body)
        if not may.wait(5) or len(tries) < 3:
            raise ConnectionRefusedError
        taken.append(body)

    webhook = Webhook("https://anchor.example", send=send, first_wait=0.001)
    log = AuditLog(Store.open(tmp_path), webhook=webhook)
    for number in range(5):
        log.append({"type": "test", "number": number})
    may.set()

    assert webhook.settled(5)
    assert webhook.failing == 0.0
    assert "\n5\n" in json.loads(taken[-1])["note"]


def test_a_webhook_that_takes_nothing_is_known_to_fail(tmp_path: Path) -> None:
    failed = threading.Event()

    def send(*_: object) -> None:
        failed.set()
        raise ConnectionRefusedError

    webhook = Webhook("https://anchor.example", tmp_path / "no-token", send=send, first_wait=0.001)
    webhook.add("a note")

    assert not webhook.settled(0.05)
    assert webhook.failing > 0


@pytest.mark.parametrize("address", ["http://anchor.example", "ftp://x", "file:///etc/passwd"])
def test_a_token_is_not_sent_in_the_open(address: str) -> None:
    with pytest.raises(InvalidArguments, match="https"):
        Settings.load({}, audit_webhook=address)


def test_a_checkpoint_is_posted_with_its_token_and_a_redirection_is_not_followed() -> None:
    seen: list[tuple[str, str, bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.path, self.headers["Authorization"], body))
            self.send_response(204 if self.path == "/anchor" else 307)
            self.send_header("Location", "/anchor")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        post(f"{address}/anchor", b"{}", {"Authorization": "Bearer t"})
        with pytest.raises(OSError, match="redirection"):
            post(f"{address}/elsewhere", b"{}", {"Authorization": "Bearer t"})
        server.shutdown()

    assert seen == [("/anchor", "Bearer t", b"{}"), ("/elsewhere", "Bearer t", b"{}")]
