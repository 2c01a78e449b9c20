"""What an investigation may cost: a hard budget refuses before the call, and the built-in brain goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import ME, app_in, asked, investigated
from tests.server.reasoning.loop.plot import WHOLE
from tests.server.reasoning.loop.scripted import Scripted, says
from tests.server.reasoning.providers import asked as served

from kubesteward.reasoning.brains.base import Usage
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


async def test_what_it_used_is_in_the_ledger_and_a_soft_limit_is_told_once(tmp_path: Path) -> None:
    async with served("openai", *WHOLE) as made:
        app = app_in(tmp_path, made.brain)
        try:
            app.ledger.budgets.put(Budget("user", ME, "tokens", soft=1, hard=None), "local:operator", 0.0)
            record = await investigated(app, brain="main")
            rows = app.store.db.execute("SELECT investigation, input, feature FROM usage").fetchall()
        finally:
            await app.close()

    assert {row["investigation"] for row in rows} == {record["id"]}
    assert sum(row["input"] for row in rows) == record["usage"]["input"] == 500
    assert {row["feature"] for row in rows} == {"chat"}
    [warned] = [step for step in record["explanation_trace"] if step["step"] == "budget"]
    assert "soft limit" in warned["detail"]


class Dear(Scripted):
    """Elsewhere, and each answer takes 4,000 tokens."""

    provider = "anthropic"
    model = "claude-sonnet-4-5"
    local = False


async def test_a_hard_budget_holds_for_investigations_that_run_side_by_side(tmp_path: Path) -> None:
    hard = 30_000
    turns = [says(f"Look {at}.", ("get_events", {"namespace": "shop", "since": f"{at}m"})) for at in range(1, 60)]
    brain = Dear(*turns, used=Usage(input=100, output=3900))
    apps = [app_in(tmp_path, brain) for _ in range(2)]
    try:
        apps[0].ledger.budgets.put(Budget("user", ME, "tokens", soft=None, hard=hard), "local:operator", 0.0)
        begun = [(app, app.investigator.begin(asked("Why is it so?", "scripted"))) for app in apps]
        for app, name in begun:
            await app.investigator.wait(name)
        records = [app.investigator.record(name) for app, name in begun]
        used = apps[0].store.db.execute("SELECT SUM(input + output) FROM usage").fetchone()[0]
    finally:
        for app in apps:
            await app.close()

    assert 0 < used <= hard
    assert {record["brain"]["name"] for record in records} == {"builtin"}
    assert all("hard limit" in record["brain"]["status"] for record in records)
