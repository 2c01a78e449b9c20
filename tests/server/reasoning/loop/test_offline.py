"""A brain that is offline: the answer and the status say so with the reason, and everything else goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import QUESTION, app_in, investigated
from tests.server.reasoning.loop.scripted import END, IDEAS, WEIGHED, Scripted, says

from kubesteward.mcp.loopback import connect
from kubesteward.reasoning.brains.base import BrainOffline

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("brains.offline")
async def test_the_status_says_so_until_the_brain_answers_again(tmp_path: Path) -> None:
    look = says("I look.", ("get_events", {"namespace": "shop"}))
    script = (says("Three.", ("hypothesise", IDEAS)), look, says("I weigh.", ("weigh", WEIGHED)))
    brain = Scripted(BrainOffline("nobody answers at 127.0.0.1:1"), *script, says("I end.", ("conclude", END)))
    app = app_in(tmp_path, brain)
    try:
        async with connect(app) as client:
            record = await investigated(app, brain=brain.name)
            clusters = await client.call("list_clusters")
            overview = await client.call("cluster_overview")
            answer = await client.call("investigate", investigation=record["id"])
            await investigated(app, f"{QUESTION} Tell me more.", brain=brain.name)
            after = await client.call("list_clusters")
    finally:
        await app.close()

    said = "brain offline: scripted: nobody answers at 127.0.0.1:1."
    assert (record["brain"]["name"], record["status"]) == ("builtin", "ANSWERED")
    assert said in clusters.text
    assert clusters.data["brain"][0].startswith(said)
    assert said in overview.text
    assert said in answer.text
    assert "brain offline" not in after.text
