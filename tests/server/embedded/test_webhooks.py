"""Webhooks of the embedded cluster are really called: by HTTPS, with a review, within their time."""

from __future__ import annotations

import base64
import http.server
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest

from kubesteward.embedded.certificate import loopback_context

pytestmark = pytest.mark.anyio

MAPS = "/api/v1/namespaces/default/configmaps"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"
Object = dict[str, Any]


class Webhook(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Answers each review with `answer`; `holds` keeps every answer back until it is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context, certificate = loopback_context()
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.bundle = base64.b64encode(certificate).decode()
        self.answer: Object = {"allowed": True}
        self.status = 200
        self.asked: list[Object] = []
        self.holds: threading.Event | None = None

    def hook(self, **more: Any) -> Object:
        rules = [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "operations": ["CREATE"]}]
        config = {"url": f"https://127.0.0.1:{self.server_address[1]}/check", "caBundle": self.bundle}
        known = {"name": "check.example.com", "clientConfig": config, "rules": rules, "sideEffects": "None"}
        return {**known, "admissionReviewVersions": ["v1"], "timeoutSeconds": 5, **more}

    def handle_error(self, *_: Any) -> None:
        """A client that gives up is what some tests are about."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"path": self.path, **review["request"]})
        if self.server.holds is not None:
            self.server.holds.wait(10)
        response = {"uid": review["request"]["uid"], **self.server.answer}
        body = json.dumps({**review, "response": response}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests are silent."""


@contextmanager
def running() -> Iterator[Webhook]:
    with Webhook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            if server.holds is not None:
                server.holds.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with running() as server:
        yield server


async def post(http: aiohttp.ClientSession, path: str, body: Object) -> tuple[int, Object, list[str]]:
    async with http.post(path, json=body) as response:
        return response.status, await response.json(), response.headers.getall("Warning", [])


async def configure(http: aiohttp.ClientSession, hook: Object, plural: str = "validatingwebhookconfigurations") -> None:
    configuration = {"metadata": {"name": "h"}, "webhooks": [hook]}
    assert (await post(http, f"{CONFIGURATIONS}/{plural}", configuration))[0] == 201


def a_map() -> Object:
    return {"metadata": {"name": "m"}, "data": {"a": "1"}}


async def test_a_webhook_is_asked_with_a_review_and_its_warnings_are_passed_on(
    http: aiohttp.ClientSession, webhook: Webhook
) -> None:
    webhook.answer = {"allowed": True, "warnings": ["mind this"]}
    await configure(http, webhook.hook())
    status, _, warnings = await post(http, MAPS, a_map())
    asked = webhook.asked[0]

    assert (status, warnings) == (201, ['299 - "mind this"'])
    assert asked["path"] == "/check?timeout=5s"
    assert (asked["operation"], asked["object"]["data"], asked["oldObject"]) == ("CREATE", {"a": "1"}, None)


async def test_a_webhook_that_says_no_is_quoted(http: aiohttp.ClientSession, webhook: Webhook) -> None:
    webhook.answer = {"allowed": False, "status": {"code": 403, "reason": "Forbidden", "message": "not today"}}
    await configure(http, webhook.hook())
    status, body, _ = await post(http, MAPS, a_map())

    assert (status, body["reason"]) == (403, "Forbidden")
    assert body["message"] == 'admission webhook "check.example.com" denied the request: not today'


async def test_a_mutating_webhook_s_patch_is_applied(http: aiohttp.ClientSession, webhook: Webhook) -> None:
    operations = json.dumps([{"op": "add", "path": "/data/b", "value": "2"}]).encode()
    webhook.answer = {"allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(operations).decode()}
    await configure(http, webhook.hook(), "mutatingwebhookconfigurations")

    assert (await post(http, MAPS, a_map()))[1]["data"] == {"a": "1", "b": "2"}


@pytest.mark.parametrize(("policy", "status"), [("Fail", 500), ("Ignore", 201)])
async def test_a_webhook_that_does_not_answer_in_time_fails_closed_or_open(
    http: aiohttp.ClientSession, webhook: Webhook, policy: str, status: int
) -> None:
    webhook.holds = threading.Event()
    await configure(http, webhook.hook(timeoutSeconds=1, failurePolicy=policy))
    found, body, _ = await post(http, MAPS, a_map())

    assert found == status
    assert (status == 201) or body["message"].endswith("context deadline exceeded")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "the server responded with the status code 503"),
        ({"caBundle": None}, "tls: failed to verify certificate"),
        ({"url": None, "caBundle": None, "service": {"namespace": "default", "name": "kubernetes"}}, "kubernetes"),
    ],
)
async def test_a_call_that_comes_to_nothing_says_why(
    http: aiohttp.ClientSession, webhook: Webhook, change: Object, words: str
) -> None:
    webhook.status = 503
    hook = webhook.hook()
    hook["clientConfig"] = {key: value for key, value in {**hook["clientConfig"], **change}.items() if value}
    await configure(http, hook)
    status, body, _ = await post(http, MAPS, a_map())

    assert status == 500
    assert words in body["message"]


async def test_a_webhook_that_is_gone_refuses_the_connection(http: aiohttp.ClientSession) -> None:
    with running() as server:
        hook = server.hook()
    await configure(http, hook)
    status, body, _ = await post(http, MAPS, a_map())

    assert status == 500
    assert body["message"].endswith("connect: connection refused")
