"""Without a model, a question that is no complaint is answered with what it asks for, or not understood."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import app_in, investigated

from kubesteward.reasoning.brains.base import Ask, CallMade, Message, Text, ToolCall, ToolResult
from kubesteward.reasoning.brains.builtin import BuiltIn
from kubesteward.reasoning.loop.intent import kind_of

pytestmark = pytest.mark.anyio

PAYMENTS = {"kind": "Deployment", "namespace": "shop", "name": "payments"}
ANSWERS = {
    "How many replicas does checkout have?": "Deployment shop/checkout: 2/3 ready",
    "What image does checkout run?": "Container checkout runs registry.example.com/shop/checkout:1.8.4",
    "What runs on node-1?": "Node node-1 runs 4 pods.",
    "What changed in shop in the last 2 hours?": "limits.memory 256Mi -> 96Mi",
    "Can alice delete pods in shop?": "alice may not delete pods in shop.",
    "Which configmaps does checkout use?": "Deployment/shop/checkout env from ConfigMap/shop/checkout",
    "Which nodes run checkout?": ", node node-",
    "Which service routes to checkout?": "Service/shop/checkout selects Pod/shop/checkout-",
    "Should I restart checkout?": "warn: deployment shop/checkout would stall if new pods do not become ready",
    "Is the quota used up?": "ResourceQuota shop/shop: used ",
    "Which pvcs are there?": "There are no persistentvolumeclaims.",
    "Show the logs of checkout": "WARN heap at 94 of 96Mi, collecting",
    "Show me the state of the cluster": "3 of 3 nodes and 5 of 6 workloads are ready",
    "Is it safe to drain node-2?": "block: the API server refuses to evict pod shop/checkout-",
    "Scale checkout to 5": "warn: deployment shop/checkout would not come to its end: 2 of 5 pods updated",
}


async def test_the_answer_is_of_what_is_asked_for_and_all_of_it_holds(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        found = {question: await investigated(app, question) for question in ANSWERS}
    finally:
        await app.close()

    assert {question: part for question, part in ANSWERS.items() if part not in found[question]["answer"]} == {}
    assert {question for question, record in found.items() if record["usage"]["claims_false"]} == set()
    assert {record["status"] for record in found.values()} == {"ANSWERED"}


async def test_what_is_not_understood_is_not_answered_with_something_else(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        weather = await investigated(app, "What is the weather?")
        everything = await investigated(app, "Delete everything")
    finally:
        await app.close()

    assert (weather["status"], everything["status"]) == ("INCONCLUSIVE", "INCONCLUSIVE")
    assert "the rules do not understand the question" in weather["answer"]
    assert "'Delete everything' names no kind" in everything["answer"]
    assert weather["usage"]["turns"] <= 2


@pytest.mark.parametrize(
    ("target", "question", "asked"),
    [
        ("Node node-1", "What runs on node-1?", {"field_selector": "spec.nodeName=node-1"}),
        ("Pod shop/web-1", "Which node runs pod web-1?", {"columns": ["ready", "status", "node"]}),
        ("", "List the service accounts", {"kind": "ServiceAccount"}),
        ("", "What is the weather?", {}),
    ],
)
async def test_it_is_looked_up_in_the_cluster_that_is_asked_about(
    target: str, question: str, asked: dict[str, object]
) -> None:
    heads = f"Question: {question}\nIntent: INFORMATIONAL\nTarget: {target}\nCluster: prod\n\n"
    found = [event async for event in BuiltIn().stream(Ask("", (Message("user", (Text(heads),)),), (), 100))]
    calls = [event.call.arguments for event in found if isinstance(event, CallMade)]

    assert [call["cluster"] for call in calls] == ["prod"]
    assert asked.items() <= calls[0].items()


async def test_where_nothing_is_wrong_yet_it_says_what_may_be_soon() -> None:
    course = {"object": PAYMENTS, "part": "pods", "metric": "memory", "of": "limit", "seconds_left": 32_400}
    steps = {
        "diagnose": {"findings": [{"category": "Healthy", "diagnosis": "Healthy: no problem.", "confidence": 0.8}]},
        "hypothesise": {"noted": True},
        "get_events": {"events": []},
        "forecast": {"forecasts": [{**course, "severity": "high"}, {**course, "metric": "cpu", "severity": "info"}]},
        "find_anomalies": {"anomalies": [{"severity": "medium", "sentence": "Node node-2 flaps."}]},
        "weigh": {"noted": True},
    }
    messages = [Message("user", (Text("Question: Is everything fine?\n\n"),))]
    for name, data in steps.items():
        messages.append(Message("assistant", (ToolCall(name, name, {"evidence": [], "hypotheses": []}),)))
        messages.append(Message("tool", (ToolResult(name, json.dumps({"call": name, "data": data})),)))

    found = [event async for event in BuiltIn().stream(Ask("", tuple(messages), (), 100))]
    call = next(event.call for event in found if isinstance(event, CallMade))

    assert (call.name, call.arguments["status"]) == ("conclude", "HEALTHY")
    assert call.arguments["recommendation"]["text"] == (
        "Keep an eye on this: Deployment shop/payments pods: its memory meets its limit in 9 hours. Node node-2 flaps."
    )


@pytest.mark.parametrize(
    "question",
    ["Is it safe to restart web?", "What happens if I drain node-1?", "Is it okay for us to scale web to 9?"],
)
async def test_whether_a_change_is_safe_is_a_plan(question: str) -> None:
    assert kind_of(question) == "PLAN"
