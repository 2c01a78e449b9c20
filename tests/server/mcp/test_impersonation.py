"""A server that acts for its callers: what the API server lets each of them see and do, and nothing of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ResourceTemplateReference
from tests.server.mcp.test_approval import Person, text_of
from tests.server.mcp.test_http import ALICE, BOB, bearer
from tests.server.mcp.test_overlays import over_http
from tests.server.team import CONTEXT, STEWARD, WRITER, Team, deployment, label, team

from kubesteward.app import App
from kubesteward.gate.actions import Actions
from kubesteward.gate.case import Caller
from kubesteward.mcp.identity import acted_for
from kubesteward.mcp.serve import serve_stdio
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import Forbidden, InvalidArguments, Refused

pytestmark = pytest.mark.anyio
CANARY = "goldbullion"
WEB = "/apis/apps/v1/namespaces/alpha/deployments/web"


def furnished(found: Team) -> Path:
    """Alice may edit alpha, bob beta; the server's account may act for others and nothing else."""
    found.grant("alice", "edit", "alpha")
    found.grant("bob", "edit", "beta")
    found.may_impersonate(STEWARD.name)
    treasure = deployment("alpha")
    treasure["metadata"] |= {"name": "treasure", "labels": {"metal": CANARY}, "annotations": {"metal": CANARY}}
    treasure["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.example/{CANARY}:1"
    found.create("/apis/apps/v1/namespaces/alpha/deployments", treasure)
    found.create(
        "/api/v1/namespaces/alpha/configmaps",
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "map", "namespace": "alpha"},
            "data": {"x": CANARY},
        },
    )
    return found.kubeconfig(STEWARD)


@asynccontextmanager
async def serving(folder: Path, kubeconfig: Path, **more: Any) -> AsyncIterator[tuple[App, str]]:
    tokens = folder / "tokens"
    tokens.write_text(f"alice {ALICE}\nbob {BOB}\n")
    given = {"kubeconfig": kubeconfig, "state_dir": folder / "state", "http_tokens": tokens, "autonomy": 2}
    given |= {"rate_reads_per_minute": 0}
    app = App(Settings.load({}, **{"impersonate": True, "namespaces": "alpha,beta", **given, **more}))
    try:
        async with over_http(app) as url:
            yield app, url
    finally:
        await app.close()


@asynccontextmanager
async def client(
    url: str, token: str, mode: str = "auto", person: Person | None = None, hear: Any = None
) -> AsyncIterator[Client]:
    async with bearer(token) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=person, message_handler=hear) as found:
            yield found


VALUES: dict[str, Any] = {
    "kind": "Deployment",
    "name": "treasure",
    "names": ["treasure"],
    "namespace": "alpha",
    "resource": "Deployment/treasure",
    "related_resource": "Deployment/treasure",
    "target": "Deployment/treasure",
    "query": "cpu_usage",
    "question": "Why is treasure not well?",
    "columns": ["labels", "images"],
    "clusters": ["*"],
}


TREASURE = ("kind", "name", "namespace")


def asked(schema: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Arguments that fit a tool's schema as far as their names say; the others stay away."""
    return {name: given[name] for name in schema["properties"] if name in given}


async def everything(one: Client, app: App) -> str:
    """All that a client can read about alpha and about the cluster, as one text."""
    said = []
    for tool in (await one.list_tools()).tools:
        if app.tools[tool.name].tier is Tier.EXECUTE:
            continue
        wide = {name: value for name, value in VALUES.items() if name not in {"namespace", "clusters"}}
        narrow = {name: value for name, value in VALUES.items() if name != "clusters"}
        many = (narrow, wide, VALUES, {**narrow, "kind": "ConfigMap", "name": "map"})
        for given in many if tool.name != "investigate" else many[:1]:
            answer = await one.call_tool(tool.name, asked(tool.input_schema, given))
            said.append(f"{tool.name}: {text_of(answer)} {json.dumps(answer.structured_content, default=str)}")
    for uri in (
        "kubesteward://clusters",
        "kubesteward://recommendations",
        "kubesteward://world/-/summary",
        "kubesteward://analysis/Deployment/alpha/treasure",
    ):
        try:
            said.append((await one.read_resource(uri)).model_dump_json())
        except MCPError as error:
            said.append(str(error))
    for argument, context in (
        ({"name": "namespace", "value": ""}, {}),
        ({"name": "name", "value": ""}, {"kind": "Deployment", "namespace": "alpha"}),
    ):
        reference = ResourceTemplateReference(uri="kubesteward://analysis/{kind}/{namespace}/{name}{?cluster}")
        said.append((await one.complete(reference, argument, context_arguments=context)).model_dump_json())
    return "\n".join(said)


@pytest.mark.slow
@pytest.mark.requirement("team.isolation")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_bob_reads_nothing_of_alice_s_namespace_by_any_tool_or_resource(tmp_path: Path, mode: str) -> None:
    async with (
        team(tmp_path) as found,
        serving(tmp_path, furnished(found)) as (app, url),
        client(url, ALICE, mode) as alice,
        client(url, BOB, mode) as bob,
    ):
        hers = await everything(alice, app)
        asked_by = {item.user for item in found.cluster.requests}  # the newest ones, no more are kept
        his = await everything(bob, app)
        asked_by |= {item.user for item in found.cluster.requests}
        again = text_of(await alice.call_tool("get_resource_yaml", {name: VALUES[name] for name in TREASURE}))

    assert CANARY in hers
    assert CANARY in again
    assert CANARY not in his
    assert '"treasure"' not in his.partition("completion")[2]
    assert asked_by == {"alice", "bob"}


async def test_what_is_proposed_is_executed_as_whoever_proposed_it(tmp_path: Path) -> None:
    async with team(tmp_path) as found, serving(tmp_path, furnished(found)) as (_, url):
        scaling = {"target": "Deployment/web", "namespace": "alpha", "replicas": 1, "justification": "less is enough"}
        async with client(url, BOB, person=Person()) as bob:
            schema = {tool.name: tool.input_schema for tool in (await bob.list_tools()).tools}["scale_workload"]
            scaling |= {"kind": "Deployment", "name": "web", "dry_run": False}
            refused = await bob.call_tool("scale_workload", asked(schema, scaling))
        async with client(url, ALICE, person=Person()) as alice:
            done = await alice.call_tool("scale_workload", asked(schema, scaling))

        assert refused.is_error
        assert found.written() == [("alice", f"{WEB}/scale")], text_of(done)
        assert found.live(WEB)["spec"]["replicas"] == 1


@pytest.mark.requirement("team.identity")
async def test_an_approval_from_elsewhere_executes_it_as_the_proposer_after_a_restart(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        kubeconfig, alice = furnished(found), Caller("token:alice", can_be_asked=True, user="alice")
        async with serving(tmp_path, kubeconfig) as (app, _):
            action = await app.gate.propose(label("alpha", "a"), alice, dry_run=False)
        store = Store.open(tmp_path / "state")
        Actions(store).approve(action.id, "the operator")
        store.close()
        async with serving(tmp_path, kubeconfig) as (app, _):
            done = await app.gate.execute(action.id)

        assert done.status == "executed", done.outcome
        assert (done.kubernetes_user, done.approvals[0].approver) == ("alice", "the operator")
        assert found.written() == [("alice", WEB)]


async def test_what_nobody_known_proposed_is_not_executed_by_a_server_that_acts_for_callers(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        kubeconfig = furnished(found)
        found.grant(STEWARD.name, "cluster-admin")
        async with serving(tmp_path, kubeconfig) as (app, _):
            with pytest.raises(Refused, match="acts for callers alone"):
                await app.gate.propose(label("alpha", "a"), Caller("local:alice"), dry_run=False)
            with pytest.raises(Refused, match="acts for callers alone"):
                _ = app.desk(Caller("local:alice")).clusters

        assert found.written() == []


async def test_rights_that_the_caller_lacks_are_named_with_the_rule(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        found.grant("carol", "view", "alpha")
        async with serving(tmp_path, furnished(found)) as (app, _):
            carol = Caller("token:carol", can_be_asked=True, user="carol")
            action = await app.gate.propose(label("alpha", "a"), carol, dry_run=False)

    assert action.status == "blocked"
    assert action.verdicts[-1].reason.startswith("carol may not patch deployments in namespace alpha")
    assert "A Role bound to carol needs the rule" in action.verdicts[-1].remediation


async def test_groups_are_acted_for_too(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "staff", "namespace": "alpha"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oidc:staff"}],
        }
        found.create("/apis/rbac.authorization.k8s.io/v1/namespaces/alpha/rolebindings", binding)
        async with serving(tmp_path, furnished(found)) as (app, _):
            dave = Caller("oauth:dave", can_be_asked=True, user="oidc:dave", groups=("oidc:other", "oidc:staff"))
            action = await app.gate.propose(label("alpha", "a"), dave, dry_run=False)
            app.gate.actions.approve(action.id, "operator")
            done = await app.gate.execute(action.id)

    assert done.status == "executed", done.outcome
    assert (done.kubernetes_user, done.kubernetes_groups) == ("oidc:dave", ("oidc:other", "oidc:staff"))
    assert found.written() == [("oidc:dave", WEB)]


async def test_a_server_that_may_not_act_for_others_is_told_the_missing_rule(tmp_path: Path) -> None:
    async with team(tmp_path) as found, serving(tmp_path, found.kubeconfig(STEWARD)) as (app, url):
        async with client(url, ALICE) as alice:
            answer = await alice.call_tool("cluster_overview", {})
        with pytest.raises(Forbidden) as caught:
            await app.desk(Caller("token:alice", user="alice")).clusters.world(CONTEXT)

    assert 'resources: ["users", "groups", "serviceaccounts"], verbs: ["impersonate"]' in caught.value.todo
    assert answer.is_error
    assert "impersonate" in text_of(answer)


async def test_a_credential_for_changes_acts_for_the_caller_too(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        kubeconfig = furnished(found)
        found.grant(WRITER.name, "impersonator")
        async with serving(tmp_path, kubeconfig, write_kubeconfig=found.kubeconfig(WRITER)) as (app, _):
            alice = Caller("token:alice", can_be_asked=True, user="alice")
            action = await app.gate.propose(label("alpha", "a"), alice, dry_run=False)
            app.gate.actions.approve(action.id, "operator")
            done = await app.gate.execute(action.id)

    assert done.status == "executed", (done.outcome, done.verdicts)
    assert found.written() == [("alice", WEB)]


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("system:admin", ()),
        ("system:serviceaccount:kube-system:default", ()),
        ("system:authenticated", ()),
        ("alice", ("system:masters",)),
        ("alice", ("staff", "system:nodes")),
    ],
)
def test_names_of_the_system_are_nobody_s(user: str, groups: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="nobody is acted for"):
        acted_for(user, groups)


def test_groups_are_sorted_and_what_everybody_is_in_is_left_to_the_api_server() -> None:
    assert acted_for("alice", ["b", "system:authenticated", "a", "b"]) == ("alice", ("a", "b"))


async def test_over_standard_input_nobody_is_known_whom_to_act_for(tmp_path: Path) -> None:
    with pytest.raises(InvalidArguments, match="nobody is known"):
        await serve_stdio(Settings.load({}, state_dir=tmp_path, impersonate=True))


async def test_kubectl_acts_for_others_against_the_embedded_cluster(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        kubeconfig = furnished(found)

        async def kubectl(*words: str) -> tuple[int, str]:
            command = ("kubectl", "--kubeconfig", str(kubeconfig), *words)
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, stdout=pipe, stderr=pipe, env={"HOME": str(tmp_path)}
            )
            out, err = await process.communicate()
            return process.returncode or 0, (out + err).decode()

        bob = await kubectl("--as", "bob", "get", "deployments", "-n", "beta", "-o", "name")
        alpha = await kubectl("--as", "bob", "get", "deployments", "-n", "alpha")
        group = await kubectl(
            "--as", "eve", "--as-group", "system:masters", "get", "deployments", "-n", "alpha", "-o", "name"
        )
        itself = await kubectl("get", "deployments", "-n", "beta")

    assert bob == (0, "deployment.apps/web\n")
    assert alpha[0] == 1
    assert 'User "bob" cannot list resource "deployments"' in alpha[1]
    assert group[0] == 0
    assert 'User "steward" cannot list' in itself[1]
