"""From an intent to a plan to one action that carries it out."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, Lab

from kubesteward.gate.records import Records
from kubesteward.mcp.registry import Registry
from kubesteward_policies.change import Change
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound
from kubesteward_tools.tool import Answer

pytestmark = [pytest.mark.anyio, pytest.mark.requirement("gate.steps")]

TOOLS = load_tools()
INTENT = "scale deployment web in shop to 5 and restart it"
STEPS = [
    {"action": "scale", "kind": "Deployment", "name": "web", "namespace": "shop", "params": {"replicas": 2}},
    {"action": "cordon", "kind": "Node", "name": "node-1"},
]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def desk(lab: Lab, principal: str = ALICE.principal) -> Any:
    caller = SimpleNamespace(principal=principal)
    records = Records(lab.gate, lab.store, caller)  # type: ignore[arg-type] # only the name is asked for
    now = lab.cluster.clock.now
    return SimpleNamespace(clusters=Clusters.of({"lab": lab.source}), records=records, now=lambda: now)


async def plan(lab: Lab, **arguments: Any) -> Answer:
    found = await TOOLS["plan_change"].function(desk(lab), **arguments)
    assert isinstance(found, Answer)
    return found


async def change_of(lab: Lab, plan_id: str) -> Change:
    found = await TOOLS["execute_plan"].function(desk(lab), plan_id=plan_id)
    assert isinstance(found, Change)
    return found


def node(lab: Lab, number: int) -> str:
    return sorted(key.name for key in lab.cluster.store.keys("nodes"))[number]


async def test_an_intent_becomes_a_plan_with_calls_risk_and_the_way_back(lab: Lab) -> None:
    found = await plan(lab, intent=INTENT)
    first, second = found.data["steps"]

    assert found.data["understood"] == ["scale deployment web in shop to 5", "restart deployment web in shop"]
    assert (first["summary"], first["rollback"]) == (
        "Scale Deployment shop/web from 3 to 5 replicas",
        "scale Deployment shop/web back to 3",
    )
    assert first["calls"][0]["body"] == {"spec": {"replicas": 5}}
    assert second["scope"]["pods"] == 10
    assert lab.writer.writes == lab.writer.asked == []


async def test_a_plan_begins_with_what_to_look_at_and_what_is_seen_there(lab: Lab) -> None:
    found = await plan(lab, intent=INTENT)
    looks = {item["tool"]: item["says"] for item in found.data["diagnostics"]}

    assert looks["list_resources"] == "ready 3/3, status Ready, up_to_date 3"
    assert looks["get_events"] == "0 different warnings in the last hour"
    assert "Look first:" in found.text


async def test_each_step_is_rehearsed_on_what_the_steps_before_leave(lab: Lab) -> None:
    steps = [
        {**STEPS[0], "params": {"replicas": 1}},
        {"action": "scale", "kind": "Deployment", "name": "web", "namespace": "shop", "params": {"replicas": 4}},
    ]
    found = await plan(lab, steps=steps)

    assert found.data["steps"][1]["summary"] == "Scale Deployment shop/web from 1 to 4 replicas"
    assert lab.live()["spec"]["replicas"] == 3


async def test_a_plan_is_executed_as_one_action_step_by_step(lab: Lab) -> None:
    found = await plan(lab, intent=INTENT)
    action = await lab.gate.execute((await lab.approved(await change_of(lab, found.data["plan_id"]))).id)

    assert (action.status, action.verified, action.change.steps) == ("executed", True, (1, 1))
    assert lab.live()["spec"]["replicas"] == 5
    assert "kubectl.kubernetes.io/restartedAt" in lab.live()["spec"]["template"]["metadata"]["annotations"]


async def test_a_plan_can_be_edited_and_is_rehearsed_again(lab: Lab) -> None:
    first = await plan(lab, intent=INTENT)
    second = await plan(lab, plan_id=first.data["plan_id"], steps=STEPS[:1])
    change = await change_of(lab, second.data["plan_id"])

    assert second.data["plan_id"] == first.data["plan_id"]
    assert (second.data["version"], len(change.calls)) == (2, 1)
    assert change.calls[0].body == {"spec": {"replicas": 2}}


async def test_a_plan_whose_cluster_has_moved_is_not_executed_but_planned_anew(lab: Lab) -> None:
    found = await plan(lab, intent=f"drain {node(lab, 0)}")
    pods = [key.name for key in lab.cluster.store.pods_on(node(lab, 0))]
    lab.cluster.api.delete("pods", "shop", pods[0])
    lab.cluster.engine.settle(600)
    with pytest.raises(AskDifferently, match=r"the cluster has moved: step 1 .* has other calls now"):
        await change_of(lab, found.data["plan_id"])
    again = await plan(lab, plan_id=found.data["plan_id"])

    assert again.data["version"] == 2
    assert (await change_of(lab, found.data["plan_id"])).calls


async def test_what_is_done_already_is_not_planned_over(lab: Lab) -> None:
    found = await plan(lab, steps=STEPS[:1])
    lab.change({"spec": {"replicas": 2}})

    with pytest.raises(AskDifferently, match=r"the cluster has moved .*has 2 replicas already"):
        await change_of(lab, found.data["plan_id"])


async def test_nodes_that_are_drained_in_turn_are_all_cordoned_first(lab: Lab) -> None:
    first, second = node(lab, 0), node(lab, 1)
    found = await plan(lab, intent=f"drain node {first}, then {second}")

    assert [step["summary"].split(":")[0] for step in found.data["steps"]] == [
        f"Cordon Node {second}", f"Drain Node {first}", f"Drain Node {second}",
    ]  # fmt: skip
    assert found.data["notes"] == [f"{second} cordoned first, so that the pods of {first} do not move there"]
    assert found.data["verdict"] == "blocked"


async def test_pods_that_the_plan_itself_makes_cannot_be_named(lab: Lab) -> None:
    with pytest.raises(InvalidArguments, match="step 2 concerns pods that earlier steps make anew"):
        await plan(lab, intent=f"restart web in shop, then drain {node(lab, 0)}")


async def test_a_step_that_cannot_be_is_named(lab: Lab) -> None:
    with pytest.raises(InvalidArguments, match="step 2: there is no Deployment 'wbe'"):
        await plan(lab, intent="restart web in shop, then restart wbe in shop")


async def test_plans_of_others_are_not_there(lab: Lab) -> None:
    found = await plan(lab, intent=INTENT)
    other = desk(lab, "local:mallory")
    for tool in ("execute_plan", "plan_change"):
        with pytest.raises(ObjectNotFound):
            await TOOLS[tool].function(other, plan_id=found.data["plan_id"])


async def test_a_plan_keeps_no_password(lab: Lab) -> None:
    step = {"action": "patch", "kind": "Deployment", "name": "web", "namespace": "shop"}
    body = {"metadata": {"annotations": {"example.com/api-token": "hunter2hunter2"}}}
    with pytest.raises(InvalidArguments, match="looks like a password"):
        await plan(lab, steps=[{**step, "params": {"patch": body}}])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [({}, "nothing is to be planned"), ({"intent": "x", "steps": []}, "exclude each other")],
)
async def test_what_is_to_be_planned_has_to_be_said(lab: Lab, arguments: Any, words: str) -> None:
    with pytest.raises(InvalidArguments, match=words):
        await plan(lab, **arguments)


@pytest.mark.parametrize("name", ["plan_change", "execute_plan", "rollback_action"])
def test_definitions_are_short(name: str) -> None:
    found = Registry(TOOLS).definitions[name].model_dump(mode="json", by_alias=True, exclude_none=True)

    assert len(json.dumps(found, separators=(",", ":")).encode()) / 4 <= 165
