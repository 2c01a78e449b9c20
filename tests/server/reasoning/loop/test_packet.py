"""The context has what a person would look up first, within its budget; its digest changes when the world does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import CHECKOUT_SHORT, app_in, case_of, investigated
from tests.server.reasoning.loop.scripted import END, Pretend, Scripted, says
from tests.server.reasoning.loop.test_conversation import case_of as pretended

from kubesteward.reasoning.loop.calls import Calls, Said
from kubesteward.reasoning.loop.loop import run
from kubesteward.reasoning.loop.packet import LOG_SHOWN, LOGS, METRICS, SHARES, SIMILAR, TOKENS, gather, unaged
from kubesteward.reasoning.loop.state import Culprit
from kubesteward_tools.errors import AskAgain

pytestmark = pytest.mark.anyio


class Unreachable(Pretend):
    async def call(self, tool: str, /, **arguments: Any) -> Said:
        why = {"message": "the API server does not answer.", "todo": "Check that it is up."}
        return Said("CLUSTER_UNREACHABLE", why, is_error=True)


async def test_the_context_has_the_target_and_what_is_around_it_within_its_budget(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        name = (await investigated(app))["id"]
        packet = app.investigator.state(name).packet
    finally:
        await app.close()

    assert {"target", "pods", "topology", "events", "changes", "problems", "logs"} <= set(packet.sections)
    assert packet.tokens <= TOKENS
    assert len(packet.sections["logs"]) <= LOG_SHOWN
    assert "hunter2" not in str(packet.sections)


async def test_however_much_there_is_to_say_the_context_keeps_to_its_budget(tmp_path: Path) -> None:
    case = pretended(tmp_path, hands=(hands := Pretend("x" * 50_000)))
    case.state.intent.target = Culprit.model_validate(CHECKOUT_SHORT)
    case.similar = lambda _state: [{"id": f"inv-{number}", "answer": "y" * 900} for number in range(9)]
    await gather(case, Calls(case, []))
    packet = case.state.packet

    assert set(packet.sections) == {*SHARES, *LOGS}
    assert packet.tokens <= TOKENS
    assert all(LOG_SHOWN - 50 < len(packet.sections[name]) <= LOG_SHOWN for name in LOGS)
    assert len(packet.sections[SIMILAR]) > 1000
    assert {given["query"] for tool, given in hands.made if tool == "get_metrics"} == set(METRICS.values())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"age": "9m", "name": "web"}, {"age": "10m", "name": "web"}),
        ({"restarts": 21}, {"restarts": 22}),
        ({"what": "BackOff (22 times), 9m ago"}, {"what": "BackOff (23 times), 10m ago"}),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}]),
        ([{"what": "restarted (3 times)"}], [{"what": "restarted (4 times)"}, {"what": "restarted (3 times)"}]),
        ({"ready": 1, "brain": ["offline"]}, {"ready": 1}),
        ({"at": "2026-11-21T18:00:59Z"}, {"at": "2026-11-21T18:01:59Z"}),
    ],
)
def test_what_ages_by_itself_changes_nothing(before: object, after: object) -> None:
    assert unaged(before) == unaged(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ready": "2/3"}, {"ready": "3/3"}),
        ({"image": "web:1"}, {"image": "web:2"}),
        ({"status": "Running"}, {"status": "OOMKilled"}),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}]),
    ],
)
def test_what_is_changed_changes_it(before: object, after: object) -> None:
    assert unaged(before) != unaged(after)


async def test_no_brain_is_asked_about_a_cluster_of_which_nothing_can_be_seen(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    brain = Scripted(says("I end.", ("conclude", END)))
    try:
        with pytest.raises(AskAgain) as raised:
            await run(case_of(app, Unreachable(), brain))
    finally:
        await app.close()

    assert str(raised.value) == "the API server does not answer. Check that it is up."
    assert brain.asks == []
