"""The proposing tools return exact calls, and what cannot be meant is refused in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.desk import TestDesk, shop

from kubesteward_policies.change import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, Change
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.tool import Answer

pytestmark = pytest.mark.anyio

TOOLS = load_tools()
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"
WEB = {"kind": "deploy", "name": "web", "namespace": "shop"}
BOMB = "a0: &a0 [x, x]\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))
"""Two to the sixtieth, written out."""


async def propose(name: str, **arguments: Any) -> Change:
    meant = {} if "manifest" in arguments else WEB
    change = await TOOLS[name].function(TestDesk(shop().store), **meant, **arguments)
    assert isinstance(change, Change)
    return change


async def test_a_restart_is_the_patch_that_kubectl_sends() -> None:
    [call] = (await propose("restart_rollout")).calls
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-11-21T01:00:00Z"}

    assert (call.path, call.content_type) == (PATH, STRATEGIC_PATCH)
    assert call.body == {"spec": {"template": {"metadata": {"annotations": stamp}}}}


async def test_scaling_patches_the_scale_subresource() -> None:
    [call] = (await propose("scale_workload", replicas=5)).calls
    [tested] = (await propose("scale_workload", replicas=5, expected_replicas=3)).calls

    assert (call.path, call.content_type, call.body) == (f"{PATH}/scale", MERGE_PATCH, {"spec": {"replicas": 5}})
    assert (tested.content_type, tested.body[0]) == (JSON_PATCH, {"op": "test", "path": "/spec/replicas", "value": 3})


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("scale_workload", {"replicas": 3}, "has 3 replicas already"),
        ("scale_workload", {"replicas": 5, "expected_replicas": 9}, "has 3 replicas, not 9"),
        ("patch_resource", {"patch": "spec: [", "patch_type": "merge"}, "no YAML or JSON at line"),
        ("patch_resource", {"patch": {"spec": {}}, "patch_type": "json"}, "is a list of operations"),
        ("patch_resource", {"patch": [{"op": "set", "path": "/x"}], "patch_type": "json"}, "has no valid op"),
        ("patch_resource", {"patch": {"metadata": {"name": "other"}}}, "metadata.name"),
        ("patch_resource", {"patch": {}}, "the patch is empty"),
        ("patch_resource", {"patch": {"metadata": "x"}, "patch_type": "apply"}, "metadata of a patch is an object"),
        ("patch_resource", {"patch": "metadata: {annotations: {until: 2026-01-01}}"}, "a bare date.* into quotes"),
        ("patch_resource", {"patch": "{1: 2}"}, "a key that is no text"),
        ("patch_resource", {"patch": "spec: {replicas: .nan}"}, "what JSON does not"),
        ("patch_resource", {"patch": "spec: {replicas: 99999999999999999999}"}, "beyond 2\\*\\*53"),
        ("patch_resource", {"patch": "&a {spec: *a}"}, "too large"),
        ("patch_resource", {"patch": BOMB}, "too large"),
        ("simulate_impact", {"action": "apply", "manifest": BOMB}, "too large"),
    ],
)
async def test_what_cannot_be_meant_is_refused(tool: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SteadyError, match=words):
        await propose(tool, **arguments)


async def test_a_rehearsal_says_what_scaling_to_nothing_would_do() -> None:
    desk = TestDesk(shop().store)
    answer = await TOOLS["simulate_impact"].function(desk, action="scale", **WEB, params={"replicas": 1})

    assert isinstance(answer, Answer)
    assert answer.data["rehearsal"]["effects"]["pods_stopped"] == 2


async def test_a_rehearsal_may_be_had_as_markdown_with_pictures() -> None:
    desk = TestDesk(shop().store)
    arguments = {**WEB, "params": {"replicas": 1}, "response_format": "markdown"}
    answer = await TOOLS["simulate_impact"].function(desk, action="scale", **arguments)

    assert isinstance(answer, Answer)
    assert "## Rehearsal: " in answer.text
    assert answer.text.count("```mermaid") == 2


async def test_a_drain_cordons_and_evicts() -> None:
    cluster = shop()
    node = cluster.store.objects("pods", "shop")[0]["spec"]["nodeName"]
    answer = await TOOLS["simulate_impact"].function(TestDesk(cluster.store), action="drain", name=node)

    assert isinstance(answer, Answer)
    assert [call.rpartition("/")[2] for call in answer.data["calls"][:2]] == [node, "eviction"]


@pytest.mark.parametrize(
    ("action", "wanted"), [("fail_node", "failure of node "), ("fail_zone", "failure of zone sim-1a")]
)
async def test_a_failure_is_a_question_with_nothing_to_execute(action: str, wanted: str) -> None:
    cluster = shop()
    node = cluster.store.objects("pods", "shop")[0]["spec"]["nodeName"]
    name = node if action == "fail_node" else "sim-1a"
    answer = await TOOLS["simulate_impact"].function(TestDesk(cluster.store), action=action, name=name)

    assert isinstance(answer, Answer)
    assert answer.data["hypothetical"]
    assert "calls" not in answer.data
    assert f"Hypothetical, nothing to execute: {wanted}" in answer.text


@pytest.mark.parametrize(("action", "name"), [("fail_node", "nowhere"), ("fail_zone", "moon"), ("fail_zone", "")])
async def test_what_is_not_there_cannot_fail(action: str, name: str) -> None:
    with pytest.raises(SteadyError, match=r"no node|name a node"):
        await TOOLS["simulate_impact"].function(TestDesk(shop().store), action=action, name=name)


async def test_a_recommendation_is_rehearsed_and_kept() -> None:
    desk = TestDesk(shop().store)
    action = {"action": "restart", **WEB}
    answer = await TOOLS["draft_recommendation"].function(
        desk, title="Restart web", severity="low", reasoning="It leaks.", proposed_actions=[action]
    )

    assert isinstance(answer, Answer)
    assert desk.records.saved[0]["actions"][0]["verdict"] == answer.data["actions"][0]["verdict"]
