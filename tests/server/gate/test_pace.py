"""Evictions of one change go one by one, wait for budgets, and stop with what was done when time runs out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import Lab, deployment

from kubesteward.execution.answers import Held, OutcomeUnknown
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.watcher import ready_pods
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio

WORKLOAD = Key("deployments.apps", "shop", "web")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def evictions(lab: Lab) -> Change:
    """Of all pods of web."""
    targets = [Ref("lab", "", "Pod", "shop", key.name) for key in lab.cluster.store.keys("pods", "shop")]
    body: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction"}
    calls = tuple(
        ApiCall(
            "create",
            f"/api/v1/namespaces/shop/pods/{target.name}/eviction",
            target,
            {**body, "metadata": {"name": target.name, "namespace": "shop"}},
        )
        for target in targets
    )
    return Change("drain_node", targets[0], calls, "evict all")


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not reached():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


async def test_the_next_pod_goes_when_the_one_before_it_is_replaced_and_ready(lab: Lab) -> None:
    ready: list[int] = []
    lab.writer.before = lambda _: ready.append(ready_pods(lab.cluster.store, WORKLOAD))
    lab.writer.frozen = True
    approved = await lab.approved(evictions(lab))
    running = asyncio.ensure_future(lab.gate.execute(approved.id))
    for number in range(1, 4):
        await until(lambda number=number: len(lab.writer.writes) == number)  # type: ignore[misc]
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(lab.writer.writes) == number
        lab.cluster.engine.settle(600)
    action = await running

    assert (action.status, action.verified) == ("executed", True)
    assert ready == [3, 3, 3]


async def test_a_pod_that_is_not_replaced_is_the_last_to_go(lab: Lab) -> None:
    lab.writer.frozen = True
    approved = await lab.approved(evictions(lab))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert action.outcome.startswith("1 of 3 calls were made: Pod shop/")
    assert "2 of 3 pods of deployment shop/web are ready" in action.outcome


async def test_a_budget_that_says_not_now_is_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubesteward.execution.pace._FIRST", 0.01)
    refusals = iter(range(2))

    def refuse(_: ApiCall) -> None:
        if next(refusals, None) is not None:
            raise Held("Cannot evict pod as it would violate the pod's disruption budget.")

    lab.writer.before = refuse
    approved = await lab.approved(evictions(lab))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("executed", 3)


async def test_a_budget_that_never_lets_go_stops_it_with_what_was_done(lab: Lab) -> None:
    def refuse(_: ApiCall) -> None:
        if lab.writer.writes:
            raise Held("Cannot evict pod as it would violate the pod's disruption budget.")

    lab.writer.before = refuse
    approved = await lab.approved(evictions(lab))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert "could not be evicted within" in action.outcome
    assert "disruption budget" in action.outcome


async def test_a_pod_that_went_by_itself_needs_no_eviction(lab: Lab) -> None:
    change = evictions(lab)
    gone = change.calls[1].path.removesuffix("/eviction")

    def delete(_: ApiCall) -> None:
        if len(lab.writer.writes) == 1:
            lab.cluster.api.delete("pods", "shop", gone.rpartition("/")[2])
            lab.cluster.engine.settle(600)

    lab.writer.after = delete
    approved = await lab.approved(change)
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.done, len(lab.writer.writes)) == ("executed", 3, 2)


async def test_only_the_pod_that_was_meant_is_evicted(lab: Lab) -> None:
    approved = await lab.approved(evictions(lab))
    await lab.gate.execute(approved.id)
    conditions = [call.body["deleteOptions"]["preconditions"] for call in lab.writer.writes]

    assert all(item["uid"] for item in conditions)
    assert len({item["uid"] for item in conditions}) == 3


async def test_a_server_that_ends_waits_for_no_pod(lab: Lab) -> None:
    lab.writer.frozen = True
    lab.writer.after = lambda _: lab.gate.hurry()
    approved = await lab.approved(evictions(lab))
    action = await lab.gate.execute(approved.id)

    assert (action.status, len(lab.writer.writes)) == ("failed", 1)
    assert "the server was stopped before the next eviction" in action.outcome


async def test_a_lost_answer_about_a_pod_whose_name_is_given_again_is_found_out(lab: Lab) -> None:
    spec = {**deployment("db", 2)["spec"], "serviceName": "db"}
    stateful = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}
    lab.create("/apis/apps/v1/namespaces/shop/statefulsets", stateful)
    lab.cluster.engine.settle(600)
    pod = Ref("lab", "", "Pod", "shop", "db-0")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "db-0", "namespace": "shop"}}
    call = ApiCall("create", "/api/v1/namespaces/shop/pods/db-0/eviction", pod, body)
    web = evictions(lab).calls[-1]

    def lose(sent: ApiCall) -> None:
        if sent.target == pod:
            raise OutcomeUnknown("the connection broke.")

    lab.writer.after = lose
    approved = await lab.approved(Change("evict_pod", pod, (web, call), "evict"))
    action = await lab.gate.execute(approved.id)

    assert (action.status, action.done) == ("executed", 2)
    assert lab.records("found_applied")[0]["reason"] == "Pod shop/db-0 is another one by now"
