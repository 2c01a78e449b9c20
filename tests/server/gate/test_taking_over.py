"""What processes that are gone have left open is found at the next start, written down and brought to an end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import Lab, label

from kubesteward.gate.presence import NEVER_SEEN, SILENT
from kubesteward_tools.errors import AskAgain

pytestmark = pytest.mark.anyio

ELSEWHERE = "another-host:1:2/abcd"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr("kubesteward.gate.aftermath.LATER", 0.01)
    return Lab(tmp_path)


async def abandoned(lab: Lab, **changes: Any) -> Any:
    """An action whose intent is written, of a process of another host."""
    approved = await lab.approved(label("blue"))
    taken = lab.gate.actions.move(approved, "executing", "taken", executor=ELSEWHERE)
    assert taken is not None
    return lab.gate.actions.move(taken, "executing", "intent", intended=True, **changes)


def seen(lab: Lab, ago: float) -> None:
    lab.store.db.execute("INSERT INTO processes VALUES (?, ?)", (ELSEWHERE, time.time() - ago))


@pytest.mark.parametrize(("ago", "left"), [(1.0, True), (SILENT + 1, False)])
async def test_another_host_that_has_fallen_silent_is_taken_to_be_gone(lab: Lab, ago: float, left: bool) -> None:
    action = await abandoned(lab)
    seen(lab, ago)
    found = await lab.another_gate().action(action.id, wait=0.7 if left else 5)

    assert found.status == ("executing" if left else "failed")


async def test_a_process_that_never_gave_a_sign_is_gone_after_a_while(lab: Lab) -> None:
    action = await abandoned(lab, asked=time.time() - NEVER_SEEN - 1)
    found = await lab.another_gate().action(action.id, wait=5)

    assert (found.status, found.outcome) == ("failed", "nothing was changed: Deployment shop/web has not moved")


async def test_what_was_found_is_written_down(lab: Lab) -> None:
    action = await abandoned(lab)
    seen(lab, SILENT + 1)
    await lab.another_gate().action(action.id, wait=5)
    (record,) = lab.records("recovered")

    assert (record["of"], record["intended"], record["made"]) == (ELSEWHERE, True, 0)
    assert lab.trail()[-2:] == ["recovered", "outcome"]


async def test_a_cluster_that_does_not_answer_yet_is_asked_until_it_does(lab: Lab) -> None:
    silences = iter(range(2))

    def silent() -> None:
        if next(silences, None) is not None:
            raise AskAgain("no answer.")

    action = await abandoned(lab)
    seen(lab, SILENT + 1)
    lab.writer.reading = silent
    found = await lab.another_gate().action(action.id, wait=8)

    assert found.status == "failed"
    assert found.outcome.startswith("nothing was changed")


async def test_a_process_that_dies_while_it_looks_is_followed_by_the_next(lab: Lab) -> None:
    action = await abandoned(lab)
    lab.gate.actions.move(action, "unknown", "recovered", executor=ELSEWHERE)
    seen(lab, SILENT + 1)
    found = await lab.another_gate().action(action.id, wait=5)

    assert found.status == "failed"


async def test_what_was_executed_and_never_watched_is_watched_by_the_next(lab: Lab) -> None:
    action = await abandoned(lab)
    done = lab.gate.actions.move(action, "executed", "outcome", outcome="applied", done=1)
    assert done is not None
    seen(lab, SILENT + 1)
    found = await lab.another_gate().action(action.id, wait=5)

    assert (found.status, found.verified) == ("executed", True)


async def test_a_process_with_something_open_gives_signs_of_life(lab: Lab) -> None:
    await lab.propose(label("blue"))
    await lab.gate.action((await lab.propose(label("green"))).id, wait=0.5)
    rows = lab.store.db.execute("SELECT name, seen FROM processes").fetchall()

    assert len(rows) == 1
    assert time.time() - rows[0]["seen"] < SILENT
    await lab.gate.close()


async def test_a_process_that_ends_in_order_is_followed_at_once(lab: Lab) -> None:
    await lab.gate.action((await lab.propose(label("blue"))).id, wait=0.5)
    await lab.gate.close()
    (row,) = lab.store.db.execute("SELECT name, seen FROM processes").fetchall()
    lab.store.db.execute("UPDATE processes SET name = ?", (ELSEWHERE,))

    assert lab.another_gate()._presence.gone(ELSEWHERE, time.time())
    assert row["seen"] < time.time() - SILENT
