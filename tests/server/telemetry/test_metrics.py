"""What the gate decides, what brains cost and how investigations go is counted, and each world's age looked up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import generate_latest
from tests.server.gate.lab import Lab, scale
from tests.server.mcp.fakes import make_app
from tests.server.reasoning.ledger.purse import ALICE, Purse
from tests.server.reasoning.ledger.test_metered import ASK, CALL, DONE, Scripted
from tests.server.telemetry.scraped import Scraped

from kubesteward.app import App
from kubesteward.audit.log import AuditLog
from kubesteward.gate.switch import Switch
from kubesteward.reasoning.brains.base import BrainOffline, CallMade, Lost, Usage
from kubesteward.reasoning.ledger.budgets import Budget
from kubesteward.reasoning.ledger.ledger import BudgetExceeded
from kubesteward.reasoning.ledger.metered import Metered
from kubesteward.store.store import Store
from kubesteward.telemetry.metrics import Metrics
from kubesteward.telemetry.standing import look

pytestmark = pytest.mark.anyio

CHAT = {"provider": "acme", "model": "thinker", "feature": "chat"}


def shown(metrics: Metrics) -> Scraped:
    return Scraped(generate_latest(metrics.registry).decode())


async def test_what_the_gate_decides_is_counted_from_the_audit_log(tmp_path: Path) -> None:
    lab, metrics = Lab(tmp_path), Metrics()
    lab.gate.actions._audit._hear = metrics.heard
    lab.gate._audit._hear = metrics.heard
    approved = await lab.approved(scale(4))
    await lab.gate.execute(approved.id)
    found = shown(metrics)

    assert found.value("gate_decisions_total", stage="validate", decision="allow") == 1
    assert found.value("gate_decisions_total", stage="approval", decision="needs_approval") == 1
    assert found.value("action_steps_total", step="proposed", status="pending_approval") == 1
    assert found.value("action_steps_total", step="outcome", status="executed") == 1
    assert found.value("approval_wait_seconds_count", channel="elicitation") == 1


def test_denials_are_counted_by_rule() -> None:
    metrics = Metrics()
    verdicts = [{"stage": "guardrails", "decision": "deny", "rule_id": "prod.no-delete"}]
    metrics.heard({"type": "action_proposed", "status": "blocked", "verdicts": verdicts})
    metrics.heard({"type": "tool_call", "tool": "x"})

    assert shown(metrics).value("gate_denials_total", stage="guardrails", rule="prod.no-delete") == 1


def test_only_records_that_stand_are_heard(tmp_path: Path) -> None:
    heard: list[str] = []
    store = Store.open(tmp_path)
    log = AuditLog(store, hear=lambda record: heard.append(record["type"]))

    def undone() -> None:
        with store.transaction():
            log.append({"type": "first"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    with store.transaction():
        log.append({"type": "second"})
        log.append({"type": "third"})

    assert heard == ["second", "third"]


async def test_brains_are_counted_by_tokens_money_and_outcome(tmp_path: Path) -> None:
    purse, metrics = Purse(tmp_path), Metrics()
    purse.audit._hear = metrics.heard

    async def ask(*events: object) -> None:
        brain = Metered(Scripted(*events), purse.ledger, ALICE, world=lambda: "w", watcher=metrics)  # type: ignore[arg-type]  # a script
        assert [event async for event in brain.stream(ASK)]

    await ask(CallMade(CALL), DONE)
    await ask(CallMade(CALL), DONE)
    purse.store.db.execute("DELETE FROM answers")
    with pytest.raises(BrainOffline):
        await ask(Lost(Usage(input=7, cache_read=3, reasoning=1)), BrainOffline("it is down"))
    purse.limit(Budget("user", "*", "usd", hard=1))
    with pytest.raises(BudgetExceeded):
        await ask(DONE)
    found = shown(metrics)

    outcomes = ("tools", "cached", "BRAIN_OFFLINE", "BUDGET_EXCEEDED")
    assert [found.value("brain_calls_total", **CHAT, outcome=outcome) for outcome in outcomes] == [1, 1, 1, 1]
    assert found.value("brain_tokens_total", **CHAT, sort="input") == 97
    assert found.value("brain_tokens_total", **CHAT, sort="cache_read") == 3
    assert found.value("brain_cost_dollars_total", **CHAT) == pytest.approx(0.00011)
    assert found.value("brain_call_seconds_count", **CHAT) == 3
    assert found.value("budget_refusals_total", scope="user", unit="usd") == 1


def test_a_price_that_nobody_knows_is_counted_as_such() -> None:
    metrics = Metrics()
    seller = SimpleNamespace(provider="acme", model="thinker")
    metrics.used(ALICE, seller, Usage(input=1), None)  # type: ignore[arg-type]  # as good as a Seller

    assert shown(metrics).value("brain_unpriced_calls_total", **CHAT) == 1


def test_investigations_are_counted_with_the_share_of_false_claims() -> None:
    metrics = Metrics()
    assert shown(metrics).value("hallucination_ratio") == 0
    metrics.investigated("completed", 12.0)
    metrics.saturated(0.8)
    metrics.checked(true=6, false=2, unknown=5)
    found = shown(metrics)

    assert found.value("investigations_total", status="completed") == 1
    assert found.value("investigation_seconds_bucket", le="15.0") == 1
    assert found.value("context_saturation_ratio_bucket", le="0.75") == 0
    assert found.value("fact_checked_claims_total", result="false") == 2
    assert found.value("hallucination_ratio") == 0.25


async def test_actions_the_stop_and_each_worlds_age_are_looked_up(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    await lab.approved(scale(4))
    Switch(lab.store).stop(AuditLog(lab.store), "local:alice", "enough")
    worlds = {"lab": SimpleNamespace(staleness=lambda: 3.0), "prod": SimpleNamespace(staleness=lambda: 9.0)}
    settings = make_app(tmp_path).settings.model_copy(update={"state_dir": lab.settings.state_dir})
    app = App(
        settings, store=lab.store, clusters=Seen(worlds, "prod"), people=SimpleNamespace(all=lambda: [Seen(worlds)])
    )
    metrics = Metrics()
    metrics.standing.now = await look(app)
    found = shown(metrics)

    assert found.value("actions", status="approved") == 1
    assert found.value("world_staleness_seconds", cluster="lab") == 3
    assert found.value("world_staleness_seconds", cluster="prod") == 9
    assert (found.value("store_up"), found.value("stopped")) == (1, 1)


async def test_a_store_that_cannot_be_read_is_told_and_the_rest_too(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    lab.store.db.execute("DROP TABLE snapshots")
    lab.store.db.execute("ALTER TABLE actions RENAME TO lost")
    settings = make_app(tmp_path).settings.model_copy(update={"state_dir": lab.settings.state_dir})

    assert not (await look(App(settings, store=lab.store))).readable


class Seen:
    """Clusters of which some are not connected."""

    def __init__(self, worlds: dict[str, SimpleNamespace], away: str = "") -> None:
        self._worlds, self._away = worlds, away

    def describe(self) -> list[SimpleNamespace]:
        return [
            SimpleNamespace(name=name, state="not connected" if name == self._away else "connected")
            for name in self._worlds
        ]

    async def world(self, name: str) -> SimpleNamespace:
        return self._worlds[name]
