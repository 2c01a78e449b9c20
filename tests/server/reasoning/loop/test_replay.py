"""Tapes: played again they say the same for nothing, and with another brain they tell what differs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import CHECKOUT_SHORT, app_in, asked
from tests.server.reasoning.loop.scripted import IDEAS, WEIGHED, Scripted, says

from kubesteward.reasoning.brains.base import BrainOffline
from kubesteward.reasoning.brains.builtin import BuiltIn
from kubesteward.reasoning.replaying import Played, replay
from kubesteward.reasoning.running import Thinking
from kubesteward.store.investigations import Investigations

pytestmark = pytest.mark.anyio

END = {"status": "ANSWERED", "answer": "Deployment shop/web is to blame.", "category": "AppError", "confidence": 0.4,
       "culprit": {"kind": "Deployment", "namespace": "shop", "name": "web"}}  # fmt: skip
OTHER = (
    says("I look.", ("diagnose", {"question": "Why is checkout not well?"})),
    says("I suppose.", ("hypothesise", IDEAS)),
    says("I weigh.", ("weigh", WEIGHED)),
    says("I end.", ("conclude", END)),
)


async def taped(tmp_path: Path, brain: Scripted | None = None) -> tuple[Any, Any]:
    """The state of an investigation, and what is on its tape."""
    app = app_in(tmp_path, brain)
    try:
        name = app.investigator.begin(asked(brain=brain.name if brain else "builtin"))
        await app.investigator.wait(name)
        return app.investigator.state(name), Investigations(app.store).tape(name)
    finally:
        await app.close()


@pytest.mark.requirement("loop.replay")
@pytest.mark.parametrize("brain", [None, Scripted(*OTHER)], ids=["built in", "scripted"])
async def test_a_tape_that_is_played_again_says_the_same_for_nothing(tmp_path: Path, brain: Scripted | None) -> None:
    played: Played = await replay(*await taped(tmp_path, brain))

    assert (played.differences(), played.missing) == ({}, 0)
    assert played.after["usage"].get("input", 0) == 0
    assert played.before["evidence"] == played.after["evidence"]


async def test_another_brain_is_compared_over_the_same_recorded_world(tmp_path: Path) -> None:
    state, tape = await taped(tmp_path, Scripted(*OTHER))
    played = await replay(state, tape, Thinking(BuiltIn()))

    assert played.differences()["category"] == ("AppError", "OOMKilled")
    assert played.after["root_cause"]["culprit"] == CHECKOUT_SHORT


async def test_a_tape_with_a_gap_says_so(tmp_path: Path) -> None:
    state, tape = await taped(tmp_path)
    first = next(row for row in tape if row[0] == "ask")

    with pytest.raises(BrainOffline, match="not on the tape"):
        await replay(state, [row for row in tape if row is not first])


async def test_nothing_recorded_is_nothing_to_play(tmp_path: Path) -> None:
    state, _ = await taped(tmp_path)

    with pytest.raises(BrainOffline, match="nothing was recorded"):
        await replay(state, [])


async def test_what_is_over_for_a_month_is_forgotten_with_its_tape(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        name = app.investigator.begin(asked())
        await app.investigator.wait(name)
        later = Investigations(app.store, lambda: time.time() + 31 * 86400)
        later.begin({"id": "inv-2", "principal": "me", "status": "running", "created": 1.0}, "")

        assert later.load(name) is None
        assert later.tape(name) == []
    finally:
        await app.close()
