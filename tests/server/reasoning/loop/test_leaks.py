"""Nothing secret is in what a brain elsewhere is asked: not of the question, nor of what a local brain made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.canaries import Aviary
from tests.server.reasoning.loop.incident import app_in, investigated
from tests.server.reasoning.loop.plot import WHOLE
from tests.server.reasoning.providers import EVERY, asked

from kubesteward.reasoning.brains.base import Ask, Message, Text, ToolCall, ToolResult
from kubesteward.reasoning.brains.remote import outgoing

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "provider", [pytest.param(item, marks=[pytest.mark.slow] if item != EVERY[0] else []) for item in EVERY]
)
async def test_secrets_in_a_question_do_not_leave(
    tmp_path: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    aviary = Aviary()
    token, password = aviary.plant("question", "token"), aviary.plant("question", "password")
    question = f"Why is checkout not well? token={token} password: {password}"
    async with asked(provider, *WHOLE) as made:
        monkeypatch.setattr(type(made.brain), "local", False)
        app = app_in(tmp_path, made.brain)
        try:
            record = await investigated(app, question, brain=made.brain.name)
        finally:
            await app.close()
        sent = str([vars(one) if hasattr(one, "__dict__") else one for one in made.server.heard])

    assert record["run"] == "done"
    assert "checkout" in sent
    assert list(aviary.found(sent)) == []


def test_what_a_local_brain_repeated_is_redacted_when_another_goes_on() -> None:
    aviary = Aviary()
    secret = aviary.plant("question", "token")
    said = f"You gave me token={secret}."
    talk: tuple[Any, ...] = (
        Message("user", (Text(said),)),
        Message("assistant", (Text(said), ToolCall("1", "get_logs", {"target": "pod/x", "pattern": said}))),
        Message("tool", (ToolResult("1", said),)),
    )
    left = outgoing(Ask(said, talk, (), 10))

    assert list(aviary.found(str(left.to_json()))) == []
    assert replace(left, messages=()).max_tokens == 10
