"""Earlier incidents are part of the context, and the role says whose brain is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import ME, QUESTION, OneBrain, app_in, investigated
from tests.server.reasoning.loop.scripted import END, IDEAS, WEIGHED, Scripted, says

from kubesteward.mcp.loopback import connect
from kubesteward.reasoning.brains.registry import Chosen
from kubesteward.reasoning.running import Asked

pytestmark = pytest.mark.anyio


def brain() -> Scripted:
    look = says("I look.", ("get_events", {"namespace": "shop"}))
    return Scripted(
        says("Three.", ("hypothesise", IDEAS)),
        look,
        says("I weigh.", ("weigh", WEIGHED)),
        says("End.", ("conclude", END)),
    )


async def test_what_was_found_before_about_the_same_object_and_its_namespace_is_in_the_context(tmp_path: Path) -> None:
    thinker = brain()
    app = app_in(tmp_path, thinker)
    try:
        before = await investigated(app)
        await investigated(app, "Is deployment/web slow again?", brain=thinker.name, namespace="shop")
        await investigated(app, "Is node-1 well?", brain=thinker.name, target="node/node-1")
    finally:
        await app.close()

    near, elsewhere = (ask.messages[0].text for ask in thinker.asks if len(ask.messages) == 1)
    assert "similar past investigations" in near
    assert f'"id": "{before["id"]}"' in near
    assert '"category": "OOMKilled"' in near
    assert f'"question": "{QUESTION}"' in near
    assert "similar past investigations" not in elsewhere


async def test_what_others_found_is_not(tmp_path: Path) -> None:
    await untold(tmp_path, Asked(QUESTION, "local:them", brain="scripted", who={"channel": "stdio"}))


async def test_what_one_found_with_other_rights_is_not(tmp_path: Path) -> None:
    await untold(tmp_path, Asked(QUESTION, ME, brain="scripted", who={"channel": "stdio", "groups": "guests"}))


async def untold(tmp_path: Path, question: Asked) -> None:
    thinker = brain()
    app = app_in(tmp_path, thinker)
    try:
        await investigated(app)
        name = app.investigator.begin(question)
        await app.investigator.wait(name)
    finally:
        await app.close()

    assert "similar past investigations" not in thinker.asks[0].messages[0].text


class Roles(OneBrain):
    """Remembers who was looked up for what."""

    def __init__(self, thinker: Any) -> None:
        super().__init__(thinker)
        self.looked_up: set[tuple[str, str]] = set()

    def chosen(self, principal: str, role: str) -> Chosen:
        self.looked_up.add((principal, role))
        return super().chosen(principal, role)


async def test_the_tool_asks_the_brain_that_the_caller_chose_for_solving(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    roles = Roles(brain())
    vars(app)["brains"] = roles
    try:
        async with connect(app) as client:
            answer = await client.call("investigate", question=QUESTION, wait=25)
    finally:
        await app.close()

    assert roles.looked_up == {(ME, "solver")}
    assert answer.data["brain"]["name"] == "scripted"
