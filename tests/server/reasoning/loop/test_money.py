"""What an investigation may cost: a hard budget refuses before the call, and the built-in brain goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import ME, app_in, investigated
from tests.server.reasoning.loop.plot import WHOLE
from tests.server.reasoning.providers import asked as served

from kubesteward.reasoning.ledger.budgets import Budget

pytestmark = pytest.mark.anyio


async def test_a_hard_budget_refuses_before_the_call_and_the_built_in_brain_goes_on(tmp_path: Path) -> None:
    async with served("openai", *WHOLE) as made:
        app = app_in(tmp_path, made.brain)
        try:
            app.ledger.budgets.put(Budget("user", ME, "tokens", soft=None, hard=100), "local:operator", 0.0)
            record = await investigated(app, brain="main")
        finally:
            await app.close()

        assert made.server.script.left == len(WHOLE)
    assert (record["brain"]["name"], record["status"]) == ("builtin", "ANSWERED")
    assert "hard limit of 100 tokens" in record["brain"]["status"]
    assert "midnight UTC" in record["brain"]["status"]


async def test_what_it_used_is_in_the_ledger_under_its_name(tmp_path: Path) -> None:
    async with served("openai", *WHOLE) as made:
        app = app_in(tmp_path, made.brain)
        try:
            record = await investigated(app, brain="main")
            rows = app.store.db.execute("SELECT investigation, input, feature FROM usage").fetchall()
        finally:
            await app.close()

    assert {row["investigation"] for row in rows} == {record["id"]}
    assert sum(row["input"] for row in rows) == record["usage"]["input"] == 500
    assert {row["feature"] for row in rows} == {"chat"}
