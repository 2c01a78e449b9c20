"""The dead man's switch: each reason is noticed, named, reported as safe mode, and over when it is gone."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.gate.lab import Lab, label

from kubesteward.audit.checkpoint import PRIVATE, PUBLIC, Signer
from kubesteward.gate import safety
from kubesteward.gate.safety import TRIGGERS, Pulse
from kubesteward_tools.world.store import Key

pytestmark = pytest.mark.anyio


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


async def refusal(lab: Lab) -> str:
    """The rule that refuses a harmless change, or ""."""
    action = await lab.propose(label("blue"))
    return action.verdicts[-1].rule_id if action.status == "blocked" else ""


async def rules(lab: Lab) -> list[str]:
    return [item.rule for item in await lab.gate.safe_mode("lab")]


@pytest.mark.requirement("gate.safe-mode")
def test_every_trigger_says_what_it_is_for() -> None:
    assert [item.__name__ for item in TRIGGERS if not item.__doc__] == []


@pytest.mark.requirement("gate.safe-mode")
async def test_all_well_is_no_safe_mode(lab: Lab) -> None:
    await lab.propose(label("blue"))

    assert await rules(lab) == []


@pytest.mark.requirement("gate.safe-mode")
async def test_a_full_disk_is_safe_mode_until_there_is_room_again(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
        during = await refusal(lab), await rules(lab)

    assert during == ("liveness.disk", ["liveness.disk"])
    assert await refusal(lab) == ""


@pytest.mark.requirement("gate.safe-mode")
async def test_a_key_that_is_gone_or_another_stops_changes_until_it_is_back(lab: Lab) -> None:
    await lab.propose(label("blue"))
    key = lab.settings.state_dir / PRIVATE
    kept = key.read_bytes()
    key.unlink()
    gone = await rules(lab)
    other = lab.settings.state_dir / "other"
    other.mkdir()
    assert Signer(other).public
    key.write_bytes((other / PRIVATE).read_bytes())
    replaced = await rules(lab)
    key.write_bytes(kept)

    assert (gone, replaced) == (["liveness.key"], ["liveness.key"])
    assert await rules(lab) == []


@pytest.mark.requirement("gate.safe-mode")
async def test_a_clock_that_went_back_stops_changes_until_a_person_says_it_is_right(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.propose(label("blue"))
    now = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now() - 120)
        before = await rules(lab)
        Pulse(lab.store, lab.audit).switch.resume(lab.audit, "local:alice")
        after = await rules(lab)

    assert (before, after) == (["liveness.clock"], [])


@pytest.mark.requirement("gate.safe-mode")
async def test_a_server_whose_clock_is_far_off_is_not_changed(lab: Lab) -> None:
    lab.source.skew = -90.0

    assert await refusal(lab) == "liveness.skew"


@pytest.mark.requirement("gate.safe-mode")
async def test_another_cluster_under_the_same_name_is_not_changed(lab: Lab) -> None:
    await lab.propose(label("blue"))
    key = Key("namespaces", "", "kube-system")
    found = lab.cluster.store.get(key)
    assert found is not None
    lab.cluster.store.put(key, {**found, "metadata": {**found["metadata"], "uid": "another"}})

    assert await refusal(lab) == "liveness.identity"


@pytest.mark.requirement("gate.safe-mode")
async def test_a_server_that_was_upgraded_is_left_alone_for_a_while(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "ASK_VERSION_AFTER", 0.0)
    await lab.propose(label("blue"))
    lab.source.serves = "v1.37.0"
    during = await refusal(lab)
    monkeypatch.setattr(safety, "SETTLING", 0.0)

    assert during == "liveness.version"
    assert await refusal(lab) == ""


@pytest.mark.requirement("gate.safe-mode")
async def test_a_view_that_is_old_stops_changes(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await lab.gate._clusters.world("lab")
    asked: list[tuple[str, ...]] = []

    def staleness(*resources: str) -> float:
        asked.append(resources)
        return 20.0

    monkeypatch.setattr(world, "staleness", staleness)

    assert await refusal(lab) == "liveness.stale"
    assert asked[-1] == ("deployments.apps",)  # what the change touches may be less old than all the rest


def failed(lab: Lab, action: Any, **values: Any) -> None:
    body = json.loads(action.model_dump_json()) | values
    with lab.store.transaction() as db:
        db.execute(
            "UPDATE actions SET status = ?, body = ? WHERE id = ?", (body["status"], json.dumps(body), action.id)
        )


@pytest.mark.requirement("gate.safe-mode")
@pytest.mark.parametrize(
    "values",
    [
        {"status": "failed", "intended": True},
        {"status": "unknown", "intended": True},
        {"status": "executed", "intended": True, "misses": ["web was not ready"]},
    ],
)
async def test_many_failures_of_late_leave_changes_to_persons(lab: Lab, values: dict[str, Any]) -> None:
    for name in ("a", "b", "c"):
        failed(lab, await lab.propose(label(name)), **values)
    action = await lab.propose(label("blue"))
    said = [(item.decision.value, item.rule_id) for item in action.verdicts if item.stage == "liveness"]

    assert (said[0], action.status) == (("needs_approval", "liveness.failing"), "pending_approval")


@pytest.mark.requirement("gate.safe-mode")
async def test_failures_before_anything_was_sent_do_not_count(lab: Lab) -> None:
    for name in ("a", "b", "c"):
        failed(lab, await lab.propose(label(name)), status="failed", intended=False)

    assert await rules(lab) == []


@pytest.mark.requirement("gate.safe-mode")
async def test_an_anchor_that_cannot_be_written_is_named_as_such(tmp_path: Path) -> None:
    lab = Lab(tmp_path, audit_anchor=tmp_path / "missing" / "anchor.jsonl")
    gate = lab.gate
    assert gate is not None
    from kubesteward.audit.log import AuditLog

    pulse = Pulse(lab.store, AuditLog(lab.store, tmp_path / "missing" / "anchor.jsonl"))
    pulse.audit.append({"type": "test"})

    assert "liveness.anchor" in [item.rule for item in await pulse.troubles()]


@pytest.mark.requirement("gate.safe-mode")
async def test_a_broken_log_is_named_and_the_public_key_alone_is_no_key(lab: Lab) -> None:
    await lab.propose(label("blue"))
    with lab.store.transaction() as db:
        db.execute("UPDATE audit SET record = replace(record, 'blue', 'grey') WHERE seq = 1")
        db.execute("UPDATE audit SET record = record || ' ' WHERE seq = 1")
    pulse = Pulse(lab.store, type(lab.audit)(lab.store))

    assert [item.rule for item in await pulse.troubles()] == ["liveness.audit"]
    assert (lab.settings.state_dir / PUBLIC).exists()
