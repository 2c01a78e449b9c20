"""A brain is judged by what it has answered itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import QUESTION, app_in
from tests.server.reasoning.loop.scripted import Scripted

from kubesteward.reasoning.brains.base import BrainOffline
from kubesteward.reasoning.evaluation import Case, judged, summary
from kubesteward.reasoning.loop.state import Budget

pytestmark = pytest.mark.anyio

EXPECTED = {"category": "OOMKilled", "culprit": {"kind": "Deployment", "name": "checkout"}}


async def line_of(folder: Path, brain: str) -> dict[str, Any]:
    (folder / "cluster.json").write_text('{"kind": "List", "items": []}', "utf-8")
    app = app_in(folder, Scripted(BrainOffline("nobody answers")))
    try:
        return await judged(app, Case("one", folder, QUESTION, EXPECTED), brain, Budget.model_validate({}))
    finally:
        await app.close()


async def test_a_brain_has_passed_no_case_that_another_had_to_answer(tmp_path: Path) -> None:
    line = await line_of(tmp_path, "scripted")
    told = summary([line])

    assert line["category"] == "OOMKilled"  # the built-in one has found it
    assert (told["passed"], told["failed"], told["answered_by_another"]) == (0, ["one"], ["one"])


async def test_a_brain_has_passed_what_it_has_answered_itself(tmp_path: Path) -> None:
    told = summary([await line_of(tmp_path, "builtin")])

    assert (told["passed"], told["failed"], told["answered_by_another"]) == (1, [], [])
