"""What goes wrong under way: each time one clear sentence, and a state that says what happened and what did not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.types import CallToolResult
from tests.e2e.desk import REPAIR, Desk, opened, text_of

from kubesteward.app import App
from kubesteward.audit.verify import verify
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.mcp.loopback import Loopback, connect
from kubesteward.settings import Settings
from kubesteward_tools.twin.status import ApiError

pytestmark = pytest.mark.anyio


def status_of(result: CallToolResult) -> str:
    return str((result.structured_content or {}).get("status"))


@pytest.mark.requirement("tools.bad-input")
@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("list_resources", {"kind": "Deploymint"}, ["Deploymint", "Deployment"]),
        ("list_resources", {"kind": "pods", "namespace": "shopp"}, ["shopp", "shop"]),
        ("get_resource_yaml", {"kind": "Deployment", "name": "chekout", "namespace": "shop"}, ["chekout", "checkout"]),
        ("list_resources", {"kind": "pods", "label_selector": "app in ("}, ["app in (", "key in (a, b)"]),
        ("list_resources", {"kind": "pods", "cursor": "nonsense"}, ["cursor"]),
        ("list_resources", {"kind": "pods", "colour": "red"}, ["colour", "label_selector"]),
        ("list_resources", {"kind": "pods", "cluster": "prod"}, ["prod", "kubesteward-embedded"]),
        ("get_logs", {"target": "Deployment/web", "namespace": "nowhere"}, ["nowhere"]),
        ("get_logs", {"target": "nobody", "namespace": "shop"}, ["nobody"]),
        ("get_events", {"since": "yesterday-ish"}, ["yesterday-ish", "15m"]),
        ("get_metrics", {"query": "happiness"}, ["cpu_usage"]),
        ("get_action", {"action_id": "act-0"}, ["act-0"]),
        ("simulate_impact", {"action": "explode", "kind": "Pod", "name": "x"}, ["action"]),
        ("scale_workload", {"kind": "Node", "name": "node-1", "replicas": 2}, ["Node"]),
        ("scale_workload", {"kind": "Deployment", "name": "web", "namespace": "shop", "replicas": -1}, ["replicas"]),
        ("patch_resource", {**REPAIR, "patch": "not a patch"}, ["patch"]),
        ("patch_resource", {**REPAIR, "patch": [{"op": "jump"}], "patch_type": "json"}, ["op"]),
        ("patch_resource", {**REPAIR, "patch": {"spec": {"selector": {"matchLabels": {"a": "b"}}}}}, ["immutable"]),
        ("patch_resource", {**REPAIR, "patch": {"spec": {"replicaz": 3}}}, ["unknown field", "spec.replicaz"]),
        ("patch_resource", {**REPAIR, "patch": {"spec": {"replicas": "three"}}}, ["string", "spec.replicas"]),
        ("patch_resource", {**REPAIR, "name": "chekout"}, ["chekout", "checkout"]),
        ("restart_rollout", {"kind": "ConfigMap", "name": "kube-root-ca.crt"}, ["namespaces", "namespace="]),
    ],
)
async def test_bad_input_is_answered_with_a_sentence_that_helps(
    shared: Desk, tool: str, arguments: dict[str, Any], words: list[str]
) -> None:
    async with shared.client(forms=False) as client:
        result = await client.call_tool(tool, arguments)

    said = text_of(result)
    assert result.is_error, said
    assert [word for word in words if word not in said] == [], said
    assert "Traceback" not in said
    assert "pydantic" not in said
    assert len(said) < 1500
    assert shared.attempts == []


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One server for all that changes nothing."""
    async with opened(tmp_path_factory.mktemp("desk")) as made:
        yield made


async def test_without_a_kubeconfig_the_call_says_which_file_is_missing(tmp_path: Path) -> None:
    app = App(Settings.load({}, kubeconfig=tmp_path / "none", state_dir=tmp_path / "state"))
    async with connect(app) as client:
        result = await client.call("list_resources", kind="pods")
    await app.close()

    assert result.is_error
    assert str(tmp_path / "none") in result.text


async def test_a_broken_kubeconfig_is_named_and_not_quoted(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text("users: [{name: a, user: {token: hunter2-correct-horse}\n")
    app = App(Settings.load({}, kubeconfig=path, state_dir=tmp_path / "state"))
    async with connect(app) as client:
        result = await client.call("list_resources", kind="pods")
    await app.close()

    assert result.is_error
    assert str(path) in result.text
    assert "hunter2" not in result.text


@pytest.mark.requirement("world.dead-context")
async def test_a_dead_api_server_blocks_neither_the_server_nor_other_contexts(tmp_path: Path) -> None:
    async with EmbeddedCluster(scenario="healthy") as cluster:
        config = cluster.kubeconfig()
        config["clusters"].append({"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}})
        config["contexts"].append({"name": "dead", "context": {"cluster": "dead", "user": "kubesteward-embedded"}})
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config | {"current-context": "dead"}))
        app = App(Settings.load({}, kubeconfig=path, state_dir=tmp_path / "state"))
        async with connect(app) as client:
            with anyio.fail_after(20):
                dead = await client.call("list_resources", kind="pods")
                alive = await client.call("list_resources", kind="nodes", cluster="kubesteward-embedded")
                both = await client.call("list_clusters")
        await app.close()

    assert dead.is_error
    assert "'dead'" in dead.text
    assert not alive.is_error
    assert "dead" in both.text


async def test_when_the_api_server_dies_reading_goes_on_and_changing_stops(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, desk.client(forms=False) as client:
        await client.call_tool("simulate_impact", simulated())
        await desk.cluster.__aexit__(None, None, None)
        with anyio.fail_after(20):
            read = await client.call_tool("list_resources", {"kind": "deployments", "namespace": "shop"})
            change = await client.call_tool("patch_resource", REPAIR)

    assert not read.is_error
    assert "checkout" in text_of(read)
    assert change.is_error
    assert "does not answer" in text_of(change) or "cannot be reached" in text_of(change), text_of(change)
    assert "Traceback" not in text_of(change)


def simulated() -> dict[str, Any]:
    return {"action": "restart", "kind": "Deployment", "name": "web", "namespace": "shop"}


@pytest.mark.requirement("gate.lost-answer")
async def test_an_answer_that_never_comes_is_looked_up_and_nothing_is_done_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The API server makes the change and then says that it has failed."""
    async with opened(tmp_path) as desk:
        whole = desk.cluster.simulated.api.update

        def made_and_lost(*arguments: Any, **more: Any) -> Any:
            whole(*arguments, **more)
            raise ApiError(500, "InternalError", "etcdserver: request timed out")

        monkeypatch.setattr(desk.cluster.simulated.api, "update", Once(made_and_lost, whole))
        async with desk.client() as client:
            result = await client.call_tool("patch_resource", REPAIR)
            action = str((result.structured_content or {})["id"])
            followed = await client.call_tool("get_action", {"action_id": action, "wait": 25})
        attempts = [item.status for item in desk.cluster.requests if item.attempts]
        memory = desk.memory()

    assert status_of(followed) == "executed", text_of(followed)
    assert attempts == [500]
    assert memory == "192Mi"
    assert verify(tmp_path / "state").ok


class Once:
    """The first change, not the dry run before it, goes wrong."""

    def __init__(self, wrong: Any, right: Any) -> None:
        self._wrong, self._right, self._done = wrong, right, False

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        if self._done or more.get("dry_run") or more.get("user") is None:  # controllers write without a user
            return self._right(*arguments, **more)
        self._done = True
        return self._wrong(*arguments, **more)


@pytest.mark.requirement("gate.dead-man")
async def test_a_store_that_cannot_be_written_stops_changes_and_not_reading(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    async with opened(tmp_path, state_dir=tmp_path / "file" / "state") as desk:
        async with desk.client() as client:
            read = await client.call_tool("list_resources", {"kind": "deployments", "namespace": "shop"})
            change = await client.call_tool("patch_resource", REPAIR)

        assert not read.is_error, text_of(read)
        assert change.is_error
        assert "STORE_UNUSABLE" in text_of(change)
        assert desk.attempts == []


@pytest.mark.requirement("gate.dead-man")
async def test_a_broken_audit_log_stops_changes(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, desk.client() as client:
        await client.call_tool("list_resources", {"kind": "pods", "namespace": "shop"})
        desk.app.store.db.execute("UPDATE audit SET record = replace(record, 'list_resources', 'delete_all')")
        change = await client.call_tool("patch_resource", REPAIR)

        assert change.is_error
        assert "audit" in text_of(change)
        assert desk.attempts == []


SECRET = "hunter2-correct-horse-battery"


@pytest.mark.requirement("secrets.nowhere")
async def test_a_secret_of_the_cluster_is_in_no_result_log_or_store(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tmp_path) as desk:
        desk.cluster.simulated.api.create(
            "secrets",
            "shop",
            {"metadata": {"name": "db"}, "stringData": {"password": SECRET}, "type": "Opaque"},
        )
        async with connect(desk.app) as client:
            said = await everything(client)
        await desk.app.close()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file())

    assert "db" in said
    assert SECRET not in said
    assert SECRET not in caplog.text
    assert SECRET.encode() not in kept


async def everything(client: Loopback) -> str:
    secret = {"kind": "Secret", "name": "db", "namespace": "shop"}
    patch = {"stringData": {"password": SECRET}}
    found = [
        await client.call("get_resource_yaml", **secret),
        await client.call("list_resources", kind="secrets", namespace="shop", response_format="detailed"),
        await client.call("patch_resource", **secret, patch=patch),
        await client.call("simulate_impact", action="patch", **secret, params={"patch": patch}),
        await client.call("draft_recommendation", title="t", severity="info", reasoning=f"password={SECRET}"),
    ]
    return "\n".join(f"{item.text} {json.dumps(item.data)}" for item in found)
