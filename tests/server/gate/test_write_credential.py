"""Changes are made with a credential of their own where one is named, and never on another API server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.server.team import CONTEXT, STEWARD, WRITER, Team, label, team

from kubesteward.app import App
from kubesteward.cli.doctor import Check, _clusters
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.gate.case import Caller
from kubesteward.gate.credentials import contexts
from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

pytestmark = pytest.mark.anyio
ALICE = Caller("local:alice", can_be_asked=True)


@asynccontextmanager
async def app(tmp_path: Path, **settings: Any) -> AsyncIterator[App]:
    made = App(Settings.load({}, state_dir=tmp_path / "state", autonomy=2, **settings))
    try:
        yield made
    finally:
        await made.close()


async def executed(made: App) -> Any:
    action = await made.gate.propose(label("alpha", "a"), ALICE, dry_run=False)
    if action.status != "pending_approval":
        return action
    made.gate.actions.approve(action.id, "operator")
    return await made.gate.execute(action.id)


def reader(found: Team) -> Path:
    found.grant(STEWARD.name, "view")
    return found.kubeconfig(STEWARD)


def writer(found: Team) -> Path:
    found.grant(WRITER.name, "edit", "alpha")
    return found.kubeconfig(WRITER)


async def test_changes_are_made_with_the_credential_for_changes_and_nothing_is_read_with_it(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        settings = {"kubeconfig": reader(found), "write_kubeconfig": writer(found)}
        async with app(tmp_path, **settings) as made:
            action = await executed(made)

        assert action.status == "executed", action.outcome
        assert {user for user, _ in found.written()} == {WRITER.name}
        read = {item.path for item in found.cluster.requests if item.user == WRITER.name and item.method == "GET"}
        assert read <= {"/apis/apps/v1/namespaces/alpha/deployments/web"}
        asked = [item.user for item in found.cluster.requests if item.path.endswith("reviews") or item.dry_run]
        assert set(asked) == {WRITER.name}


async def test_with_a_reading_credential_alone_the_denial_says_what_to_add(tmp_path: Path) -> None:
    async with team(tmp_path) as found, app(tmp_path, kubeconfig=reader(found)) as made:
        action = await executed(made)

        assert action.status == "blocked"
        assert action.verdicts[-1].stage == "rights"
        assert "KUBESTEWARD_WRITE_KUBECONFIG" in action.verdicts[-1].remediation
        assert found.written() == []


async def test_what_the_credential_for_changes_may_not_do_is_denied(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        settings = {"kubeconfig": reader(found), "write_kubeconfig": writer(found)}
        async with app(tmp_path, **settings) as made:
            action = await made.gate.propose(label("beta", "a"), ALICE, dry_run=False)

        assert action.verdicts[-1].rule_id == "rights.missing"
        assert action.verdicts[-1].reason.startswith(
            "KubeSteward's user for changes may not patch deployments.apps"
        ) or (action.verdicts[-1].reason.startswith("KubeSteward's user for changes may not patch deployments"))


async def test_a_credential_of_another_api_server_is_refused(tmp_path: Path) -> None:
    async with team(tmp_path) as found, EmbeddedCluster(nodes=1) as other:
        elsewhere = tmp_path / "other.kubeconfig"
        other.write_kubeconfig(elsewhere)
        found.grant(STEWARD.name, "view")
        settings = {"kubeconfig": found.kubeconfig(STEWARD), "write_kubeconfig": elsewhere}
        async with app(tmp_path, **settings) as made:
            action = await executed(made)

        assert action.status == "blocked"
        assert "is for another API server" in action.verdicts[-1].reason
        assert not any(item.attempts for item in other.requests)


async def test_the_same_server_by_another_name_is_accepted(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        path = writer(found)
        path.write_text(path.read_text().replace("127.0.0.1", "localhost"))
        found.grant(WRITER.name, "view")
        async with app(tmp_path, kubeconfig=reader(found), write_kubeconfig=path) as made:
            action = await executed(made)

        assert action.status == "executed", (action.outcome, action.verdicts)


async def test_a_context_of_the_same_kubeconfig_may_be_the_one_to_write_with(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        config = json.loads(reader(found).read_text())
        writing = json.loads(writer(found).read_text())
        config["users"].append({"name": "writer", "user": writing["users"][0]["user"]})
        config["contexts"].append({"name": "w", "context": {**config["contexts"][0]["context"], "user": "writer"}})
        path = tmp_path / "both.kubeconfig"
        path.write_text(json.dumps(config))
        async with app(tmp_path, kubeconfig=path, write_context=f"{CONTEXT}=w") as made:
            action = await executed(made)

        assert action.status == "executed", action.outcome
        assert {user for user, _ in found.written()} == {WRITER.name}


async def test_a_cluster_without_a_credential_for_changes_cannot_be_changed(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        settings = {"kubeconfig": tmp_path / "admin", "write_context": "elsewhere=w"}
        found.cluster.write_kubeconfig(tmp_path / "admin")
        async with app(tmp_path, **settings) as made:
            action = await executed(made)

        assert action.status == "blocked"
        assert "no credential for changes" in action.verdicts[-1].reason


async def test_doctor_tells_both_credentials(tmp_path: Path) -> None:
    async with team(tmp_path) as found:
        one, two = reader(found), writer(found)
        alone = await _clusters(Settings.load({}, kubeconfig=one))
        both = await _clusters(Settings.load({}, kubeconfig=one, write_kubeconfig=two))
        wrong = await _clusters(Settings.load({}, kubeconfig=one, write_context="nowhere"))

    assert _changes(alone) == ("ok", "made with the credentials that are read with")
    assert _changes(both) == ("ok", f"made with the context {CONTEXT} of {two}")
    assert _changes(wrong) == ("fail", f"there is no credential for changes to '{CONTEXT}'.")


def _changes(checks: list[Check]) -> tuple[str, str]:
    return next((check.state, check.found) for check in checks if check.name == f"changes to {CONTEXT}")


def test_contexts_to_write_with_are_told_apart() -> None:
    assert contexts("a=aw, b=bw", "c") == {"a": "aw", "b": "bw"}
    assert contexts("w", "c") == {"c": "w"}
    assert contexts("", "c") == {}


@pytest.mark.parametrize("text", ["a=", "=b", "a=x,a=y", "w,v"])
def test_a_list_of_contexts_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_WRITE_CONTEXT"):
        contexts(text, "c")
