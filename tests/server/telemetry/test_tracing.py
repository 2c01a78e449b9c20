"""One trace from the investigation to the audit record, without a word of a prompt, an answer or a secret."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.server.mcp.fakes import SECRET

from kubesteward.telemetry import tracing
from kubesteward.telemetry.asked import wanted

PREFIX = "io.modelcontextprotocol/"
ROOT = Path(__file__).parents[3]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `telemetry` is not installed")
    command = [sys.executable, "-m", "tests.server.telemetry.spans", str(tmp_path_factory.mktemp("spans"))]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def named(run: Any, name: str) -> list[Any]:
    return [span for span in run["spans"] if span["name"] == name]


def test_an_investigation_is_the_parent_of_its_chats_and_tool_calls(run: Any) -> None:
    [first, second] = named(run, "invoke_agent kubesteward")
    [look] = named(run, "tools/call look")
    chats = [span for span in named(run, "chat thinker") if span["trace"] == first["trace"]]

    assert first["attributes"]["gen_ai.conversation.id"] == "inv-1"
    assert [span["parent"] for span in chats] == [first["id"]] * 2
    assert look["parent"] == first["id"]  # though the client was connected before
    assert second["trace"] != first["trace"]


def test_a_chat_tells_model_tokens_and_how_it_ended(run: Any) -> None:
    paid, cached, down = (span["attributes"] for span in named(run, "chat thinker"))

    assert paid.pop("gen_ai.response.time_to_first_chunk") > 0
    assert paid == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "thinker",
        "gen_ai.request.stream": True,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.response.model": "thinker",
        "gen_ai.conversation.id": "inv-1",
        "gen_ai.response.finish_reasons": ["tools"],
        "gen_ai.usage.input_tokens": 90,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "kubesteward.feature": "chat",
        "kubesteward.correlation": "c0ffee",
    }
    assert (cached["kubesteward.cached"], cached["gen_ai.usage.input_tokens"]) == (True, 0)
    assert down["error.type"] == "BRAIN_OFFLINE"


def test_a_tool_call_its_audit_record_and_its_span_share_their_ids(run: Any) -> None:
    records = {record["tool"]: record for record in run["audit"]}
    for name, outcome in (("look", "ok"), ("crash", "INTERNAL")):
        [span] = named(run, f"tools/call {name}")
        record = records[name]

        assert (record["correlation"], record["trace"], outcome) == (
            span["attributes"]["kubesteward.correlation"],
            span["trace"],
            span["attributes"]["kubesteward.outcome"],
        )
        assert span["attributes"]["gen_ai.tool.name"] == name
        assert span["attributes"]["mcp.method.name"] == "tools/call"
        assert span["attributes"]["network.transport"] == "pipe"


@pytest.mark.requirement("telemetry.silent")
def test_failures_are_marked_and_nothing_is_quoted(run: Any) -> None:
    failed = [span for span in run["spans"] if span["status"] == "ERROR"]

    assert {span["name"] for span in failed} == {
        "tools/call crash",
        "tools/call password=[REDACTED]",
        "chat thinker",
        "invoke_agent kubesteward",
        "raising",
    }
    assert {span["described"] for span in failed} == {""}
    assert [event for span in run["spans"] for event in span["events"]] == [
        {"exception": {"exception.type": "RuntimeError", "exception.escaped": "False"}}
    ]
    for text in (SECRET, "be brief", "why?", "look around", "shop", "get_logs"):
        assert text not in json.dumps(run["spans"])


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "mine"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
    ],
)
def test_the_standard_variables_say_whether_spans_are_wanted(environment: dict[str, str], expected: bool) -> None:
    assert wanted(environment) == expected


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)

    assert not tracing.configure()
    assert "pip install 'kubesteward[telemetry]'" in caplog.text


def test_without_an_sdk_there_is_no_trace_and_nothing_to_mark() -> None:
    tracing.mark("c0ffee", "ok", 1)

    assert tracing.trace_id() == ""


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes OTLP over HTTP."""

    bodies: list[bytes]

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quietly."""


def test_a_server_sends_its_spans_to_where_the_variables_say(tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra `telemetry` is not installed")
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    collector = type("Collecting", (Collector,), {"bodies": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "KUBESTEWARD_STATE_DIR": str(tmp_path),
            "KUBECONFIG": str(tmp_path / "none"),
            "NO_PROXY": "127.0.0.1",
        }
        meta: dict[str, Any] = {f"{PREFIX}protocolVersion": "2026-07-28"}
        meta |= {f"{PREFIX}clientCapabilities": {}, f"{PREFIX}clientInfo": {"name": "test", "version": "1"}}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}
        done = subprocess.run(
            [sys.executable, "-m", "kubesteward", "serve"],
            input=json.dumps(call) + "\n",
            env={**ENVIRONMENT, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        server.shutdown()
    requests = [ExportTraceServiceRequest.FromString(body) for body in collector.bodies]
    resources = [item for request in requests for item in request.resource_spans]

    assert done.returncode == 0, done.stderr
    assert [span.name for item in resources for scope in item.scope_spans for span in scope.spans] == ["tools/list"]
    attributes = {item.key: item.value.string_value for item in resources[0].resource.attributes}
    assert attributes["service.name"] == "kubesteward"
