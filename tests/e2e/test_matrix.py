"""Every tool at every level of autonomy, in every state of approval, read-only or not, called directly: it writes to
the cluster exactly where the table says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult
from tests.e2e.desk import opened
from tests.server.gate.lab import Lab, deployment, label
from tests.server.gate.test_commands import ANSWER, PRINTED

from kubesteward.app import App
from kubesteward.gate.actions import ApprovalRefused
from kubesteward.gate.gate import Gate
from kubesteward.gate.switch import Switch
from kubesteward.mcp.server import build
from kubesteward_policies.change import ApiCall
from kubesteward_policies.tiers import Tier
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.cluster.clusters import Clusters

pytestmark = pytest.mark.anyio

TOOLS = load_tools()
LEVELS = (1, 2, 3, 4)

PREVIEW = "preview"
NOBODY = "nobody is there to be asked"
CLOSED = "the form was closed"
NO = "a person said no in the form"
YES = "a person said yes in the form"
OPERATOR = "the operator said yes on the terminal"
TWICE = "an approval that was used is used again"
LATE = "the operator said yes too late"
SHORT = "the first of two persons has agreed"
STOPPED = "all changes were stopped"
STATES = (PREVIEW, NOBODY, CLOSED, NO, YES, OPERATOR, TWICE, LATE, SHORT, STOPPED)
MADE = frozenset({YES, OPERATOR, TWICE})
"""The states in which a change that needs a person is made, and then once."""

ALONE = frozenset(
    {
        "apply_manifest",
        "cordon_node",
        "delete_resource",
        "execute_plan",
        "patch_resource",
        "restart_rollout",
        "rollback_action",
        "scale_workload",
        "set_rollout_paused",
    }
)
"""What may run without a person at level 4, for its rehearsal here warns of nothing; anything else asks there too."""


def table(tool: str, level: int, state: str, *, read_only: bool) -> int:
    """How often the change is made."""
    if TOOLS[tool].tier != Tier.EXECUTE or read_only or level == 1 or state in {PREVIEW, STOPPED}:
        return 0
    if state == SHORT:  # a guardrail wants two persons, whatever the level
        return 0
    if level == 4 and tool in ALONE:
        return 1
    return int(state in MADE)


@dataclass
class Bench:
    """One simulated cluster with a server over it; `effects` counts how often something was written."""

    lab: Lab
    app: App
    arguments: dict[str, dict[str, Any]]

    @property
    def effects(self) -> int:
        """Of changes, by their intents; the writes are on record before they are made."""
        return len({item["action"] for item in self.lab.records("intent")}) - 1  # that of the set-up


GUARDRAIL = """
rules:
  - id: mine
    conditions: ["true"]
    effect: require_two
    message: two have to agree
    remediation: Ask two.
"""


async def bench(folder: Path, level: int, state: str, *, read_only: bool) -> Bench:
    """The Deployment shop/web with a second revision, a ConfigMap, a plan, and an action that can be taken back."""
    lab = Lab(folder, exec_commands="ps *", auto_pods_per_hour=100.0)
    lab.create("/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "spare"}, "data": {"a": "1"}})
    lab.create("/apis/apps/v1/namespaces/shop/deployments", deployment("other", 2))
    lab.cluster.engine.settle(600)
    lab.change({"spec": {"template": {"metadata": {"annotations": {"revision": "2"}}}}})
    before = await lab.gate.execute((await lab.approved(label("blue"))).id)
    assert before.status == "executed"
    answers(lab)
    rules = folder / "two.yaml"
    rules.write_text(GUARDRAIL)
    settings = lab.settings.model_copy(
        update={
            "autonomy": level,
            "read_only": read_only,
            "policies": (str(rules),) if state == SHORT else ("default",),
            "principal": "local:alice",
            "rate_proposals_per_minute": 0.0,
        }
    )
    clusters = Clusters.of({"lab": lab.source})
    gate = Gate(
        clusters,
        lab.store,
        lab.audit,
        settings,
        open_writer=lambda _: lab.writer,
        verify_seconds=0.05,
        pace_seconds=0.5,
    )
    app = App(settings, clusters=clusters, store=lab.store, audit=lab.audit, gate=gate, standin=None)
    return Bench(lab, app, await _arguments(lab, app, before.id))


def answers(lab: Lab) -> None:
    """Commands in containers too: the simulated cluster runs none."""
    send = lab.writer.apply

    async def apply(call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        if not call.path.endswith("/exec"):
            return await send(call, resource_version)
        lab.writer.writes.append(call)
        return {**ANSWER, **PRINTED}

    lab.writer.apply = apply  # type: ignore[method-assign] # for this one cluster


async def _arguments(lab: Lab, app: App, action: str) -> dict[str, dict[str, Any]]:
    """What each acting tool is called with."""
    web = {"kind": "Deployment", "name": "web", "namespace": "shop"}
    pods = lab.cluster.store.objects("pods", "shop")
    pod = next(item["metadata"]["name"] for item in pods if item["metadata"]["name"].startswith("other"))
    node = sorted(key.name for key in lab.cluster.store.keys("nodes"))[-1]
    steps = [{"action": "cordon", "kind": "Node", "name": node}]
    async with Client(build(app)) as client:
        planned = await client.call_tool("plan_change", {"steps": steps})
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: new, namespace: shop}\ndata: {a: '1'}\n"
    return {
        "apply_manifest": {"yaml": manifest},
        "cordon_node": {"name": node},
        "delete_resource": {"kind": "ConfigMap", "name": "spare", "namespace": "shop"},
        "drain_node": {"name": node},
        "evict_pod": {"name": pod, "namespace": "shop"},
        "exec_in_pod": {"pod": pod, "namespace": "shop", "command": ["ps"]},
        "execute_plan": {"plan_id": (planned.structured_content or {})["plan_id"]},
        "patch_resource": {**web, "patch": {"metadata": {"labels": {"tier": "front"}}}},
        "restart_rollout": web,
        "rollback_action": {"action_id": action},
        "rollback_rollout": web,
        "scale_workload": {**web, "replicas": 4},
        "set_rollout_paused": {**web, "paused": True},
    }


def person(state: str) -> Any:
    """Who sits behind the client's form; None where it shows none."""
    if state not in {CLOSED, NO, YES, TWICE, SHORT}:
        return None

    async def answer(_: ClientRequestContext, __: ElicitRequestParams) -> ElicitResult:
        if state == CLOSED:
            return ElicitResult(action="cancel")
        return ElicitResult(action="accept", content={"approve": state != NO})

    return answer


async def call(made: Bench, tool: str, state: str) -> CallToolResult:
    terms = {"dry_run": state == PREVIEW, "justification": "the ticket says that it is wanted"}
    async with Client(build(made.app), mode="legacy", elicitation_callback=person(state)) as client:
        return await client.call_tool(tool, {**made.arguments[tool], **terms})


async def go_on(made: Bench, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens after the call, on the terminal or by whoever tries it once more."""
    gate, newest = made.app.gate, made.lab.gate.actions.newest(1)[0]
    if state == TWICE and newest.status == "executed":
        await gate.execute(newest.id)
        with pytest.raises(ApprovalRefused):
            gate.actions.approve(newest.id, "local:operator")
    if newest.status != "pending_approval":
        return
    if state == OPERATOR:
        gate.actions.approve(newest.id, "local:operator")
        await gate.execute(newest.id)
    if state == LATE:
        with monkeypatch.context() as later:
            later.setattr("kubesteward.gate.actions.time.time", lambda: newest.expires + 1)
            with pytest.raises(ApprovalRefused):
                gate.actions.approve(newest.id, "local:operator")


def acting() -> Iterator[Any]:
    """All cells; those of one tool at the levels that differ most are the quick ones."""
    quick = {("patch_resource", 2), ("patch_resource", 4)}
    for tool in sorted(name for name, item in TOOLS.items() if item.tier == Tier.EXECUTE):
        for level in LEVELS:
            marks = () if (tool, level) in quick else (pytest.mark.slow,)
            yield pytest.param(tool, level, marks=marks, id=f"{tool}-{level}")


@pytest.mark.requirement("gate.matrix")
@pytest.mark.parametrize(("tool", "level"), list(acting()))
async def test_a_change_is_made_where_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str, level: int
) -> None:
    for state in STATES:
        for read_only in (False, True):
            made = await bench(tmp_path / f"{STATES.index(state)}{read_only}", level, state, read_only=read_only)
            if state == STOPPED:
                Switch(made.lab.store).stop(made.lab.audit, "local:operator", "enough")
            before = len(made.lab.writer.writes)
            await call(made, tool, state)
            if not read_only:
                await go_on(made, state, monkeypatch)
            await made.app.gate.close()

            assert (state, read_only, made.effects) == (
                state,
                read_only,
                table(tool, level, state, read_only=read_only),
            )
            assert (len(made.lab.writer.writes) > before) == (made.effects > 0), (state, made.lab.trail())


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("read_only", [False, True])
async def test_what_reads_or_recommends_answers_everywhere_and_writes_nothing(
    tmp_path: Path, level: int, read_only: bool
) -> None:
    arguments: dict[str, dict[str, Any]] = {
        "cluster_overview": {},
        "draft_recommendation": {"title": "t", "severity": "info", "reasoning": "r"},
        "get_action": {"action_id": "act-00000000"},
        "get_events": {"namespace": "shop"},
        "get_logs": {"target": "Deployment/checkout", "namespace": "shop"},
        "get_metrics": {"query": "restarts", "target": "Deployment/checkout", "namespace": "shop"},
        "get_resource_yaml": {"kind": "Deployment", "name": "checkout", "namespace": "shop"},
        "get_topology": {"resource": "Deployment/checkout", "namespace": "shop"},
        "list_clusters": {},
        "list_resources": {"kind": "Pod"},
        "plan_change": {"intent": "restart deployment checkout in shop"},
        "simulate_impact": {"action": "restart", "kind": "Deployment", "name": "checkout", "namespace": "shop"},
        "check_policy": {"resource": "deploy/checkout", "namespace": "shop"},
        "correlate_failures": {},
        "diagnose": {},
        "diff_resources": {"a": "shop/deploy/checkout", "b": "shop/deploy/web"},
        "explain_permissions": {"verb": "get", "resource": "secrets", "namespace": "shop"},
        "find_anomalies": {"namespace": "shop"},
        "forecast": {},
        "investigate": {"question": "Why is checkout not well?", "namespace": "shop"},
        "what_changed": {"namespace": "shop"},
    }
    assert sorted(arguments) == sorted(name for name, tool in TOOLS.items() if tool.tier != Tier.EXECUTE)
    async with opened(tmp_path, autonomy=level, read_only=read_only) as desk, desk.client() as client:
        answered = {name: await client.call_tool(name, given) for name, given in arguments.items()}

        assert [name for name, found in answered.items() if found.is_error] == ["get_action"]  # there is none
        assert desk.attempts == []
