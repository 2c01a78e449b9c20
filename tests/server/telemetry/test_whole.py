"""From the tool call to the last look-up: one correlation in records, usage and spans, and figures of the brain."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from tests.server.telemetry.test_tracing import ENVIRONMENT


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `telemetry` is not installed")
    command = [sys.executable, "-m", "tests.server.telemetry.whole", str(tmp_path_factory.mktemp("whole"))]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.requirement("telemetry.correlation")
def test_all_that_a_call_led_to_has_its_correlation(run: Any) -> None:
    [asked] = [item for item in run["audit"] if item.get("tool") == "investigate"]
    [other] = [item for item in run["audit"] if item.get("tool") == "list_clusters"]
    name = run["record"]["id"]
    silent = [item for item in run["audit"] if item.get("client") == f"investigation {name}"]

    assert run["record"]["correlation"] == asked["correlation"] != other["correlation"]
    assert {"list_resources", "get_topology", "get_events"} <= {item["tool"] for item in silent}
    assert {item["correlation"] for item in silent} == {asked["correlation"]}
    assert run["usage"]
    assert {tuple(row) for row in run["usage"]} == {(asked["correlation"], name)}


def test_its_spans_are_one_trace_with_the_same_correlation(run: Any) -> None:
    spans = [span for span in run["spans"] if not span["name"].endswith("list_clusters")]
    told = [span for span in spans if "kubesteward.correlation" in span["attributes"]]
    [agent] = [span for span in spans if span["name"] == "invoke_agent kubesteward"]
    chats = [span for span in spans if span["name"].startswith("chat ")]

    assert {span["attributes"]["kubesteward.correlation"] for span in told} == {run["record"]["correlation"]}
    assert {"invoke_agent kubesteward", "tools/call investigate", "tools/call get_events"} <= {s["name"] for s in told}
    assert [span["name"] for span in spans if "network.transport" in span["attributes"]] == ["tools/call investigate"]
    assert chats
    assert {span["trace"] for span in chats} == {agent["trace"]}
    assert agent["attributes"]["gen_ai.conversation.id"] == run["record"]["id"]
    assert agent["attributes"]["gen_ai.request.model"] == "model"
    assert agent["attributes"]["gen_ai.usage.output_tokens"] == 5 * run["record"]["usage"]["turns"]
    assert agent["attributes"]["kubesteward.hallucination_rate"] > 0
    assert agent["attributes"]["kubesteward.tool_errors"] == 1
    assert 0 < agent["attributes"]["kubesteward.context_saturation"] < 1


@pytest.mark.parametrize(
    ("figure", "at_least"),
    [
        ("kubesteward_investigations_total[('status', 'done')]", 1),
        ("kubesteward_context_saturation_ratio_count[]", 4),
        ("kubesteward_fact_checked_claims_total[('result', 'false')]", 1),
        ("kubesteward_hallucination_ratio[]", 0.01),
        ("kubesteward_tool_calls_total[('outcome', 'ok'), ('tool', 'get_events')]", 1),
    ],
)
def test_what_the_brain_did_is_counted(run: Any, figure: str, at_least: float) -> None:
    assert run["figures"].get(figure, 0) >= at_least, run["figures"].keys()
