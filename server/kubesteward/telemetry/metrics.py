"""What a server counts for Prometheus. Labels are our own words and names that the operator configured: no principals,
no namespaces, no text of a client or a cluster, for each value of a label is a series for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from kubesteward import __version__
from kubesteward.telemetry.chats import SORTS
from kubesteward.telemetry.standing import Latest

if TYPE_CHECKING:
    from kubesteward.reasoning.ledger.words import Counted, Payer, Seller

CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
CHAT_SECONDS = (0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0)
RUN_SECONDS = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
WAIT_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 600.0)
RATIOS = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
_OF_A_CHAT = ("provider", "model", "feature")


class Metrics:
    """Of one process, in a registry of its own: importing this changes nothing for anybody else in the process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.standing = Latest()
        self.registry.register(self.standing)
        build = Gauge("kubesteward_build_info", "1, with the version.", ["version"], registry=self.registry)
        build.labels(__version__).set(1)
        self._tools()
        self._gate()
        self._brains()
        self._investigations()

    def _counter(self, name: str, words: str, *labels: str) -> Counter:
        return Counter(f"kubesteward_{name}", words, labels, registry=self.registry)

    def _histogram(self, name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"kubesteward_{name}", words, labels, buckets=buckets, registry=self.registry)

    def _tools(self) -> None:
        self._calls = self._counter(
            "tool_calls", "Tool calls by outcome: ok, asked, cancelled, or the error's code.", "tool", "outcome"
        )
        self._call_seconds = self._histogram("tool_call_seconds", "How long tool calls took.", CALL_SECONDS, "tool")

    def _gate(self) -> None:
        self._decisions = self._counter(
            "gate_decisions", "Verdicts of the gate's stages on proposed changes.", "stage", "decision"
        )
        self._denials = self._counter("gate_denials", "Changes that were denied, by rule.", "stage", "rule")
        self._steps = self._counter("action_steps", "Steps of actions, and what they led to.", "step", "status")
        self._approval = self._histogram(
            "approval_wait_seconds", "From the question to a person's answer.", WAIT_SECONDS, "channel"
        )
        self._refused = self._counter("budget_refusals", "Calls to brains that a budget refused.", "scope", "unit")

    def _brains(self) -> None:
        outcomes = "Questions to brains: end, tools, truncated, refused, cached, cut_off, or the error's code."
        self._chats = self._counter("brain_calls", outcomes, *_OF_A_CHAT, "outcome")
        self._chat_seconds = self._histogram(
            "brain_call_seconds", "From question to end of the answer.", CHAT_SECONDS, *_OF_A_CHAT
        )
        self._tokens = self._counter(
            "brain_tokens", "Tokens that were paid, by sort; reasoning is part of output.", *_OF_A_CHAT, "sort"
        )
        self._dollars = self._counter("brain_cost_dollars", "What they cost, where that is known.", *_OF_A_CHAT)
        self._unpriced = self._counter("brain_unpriced_calls", "Calls whose price nobody knows.", *_OF_A_CHAT)

    def _investigations(self) -> None:
        self._runs = self._counter("investigations", "Investigations by how they ended.", "status")
        self._reused = self._counter(
            "investigations_reused", "Those whose answer was there already, for an unchanged world."
        )
        self._run_seconds = self._histogram("investigation_seconds", "How long investigations took.", RUN_SECONDS)
        self._saturation = self._histogram(
            "context_saturation_ratio", "How full the brain's context was at each question.", RATIOS
        )
        self._claims = self._counter(
            "fact_checked_claims", "Claims of draft answers by what checking found: true, false, unknown.", "result"
        )
        self._rate = Gauge(
            "kubesteward_hallucination_ratio",
            "False claims among those that could be checked, since the start.",
            registry=self.registry,
        )
        self._judged = {"true": 0, "false": 0}
        self._rate.set_function(self._hallucinated)

    def _hallucinated(self) -> float:
        return self._judged["false"] / max(1, sum(self._judged.values()))

    def call(self, tool: str, outcome: str, seconds: float) -> None:
        """A tool call; `tool` is a name of the catalogue, never merely what a client said."""
        self._calls.labels(tool, outcome).inc()
        self._call_seconds.labels(tool).observe(seconds)

    def heard(self, record: Mapping[str, Any]) -> None:
        """A record of the audit log, once it stands: what the gate decided, what became of it."""
        kind = str(record.get("type", ""))
        if kind == "budget_refused":
            budget = record.get("budget") or {}
            self._refused.labels(str(budget.get("scope")), str(budget.get("unit"))).inc()
        if not kind.startswith("action_"):
            return
        self._steps.labels(kind.removeprefix("action_"), str(record.get("status"))).inc()
        if kind == "action_proposed":
            for verdict in record.get("verdicts") or ():
                self._decided(verdict)
        if kind == "action_decided" and (approvals := record.get("approvals")):
            given = approvals[-1]
            self._approval.labels(str(given.get("channel"))).observe(max(0.0, float(given.get("latency") or 0.0)))

    def _decided(self, verdict: Mapping[str, Any]) -> None:
        stage, decision = str(verdict.get("stage")), str(verdict.get("decision"))
        self._decisions.labels(stage, decision).inc()
        if decision == "deny":
            self._denials.labels(stage, str(verdict.get("rule_id") or verdict.get("rule"))).inc()

    def chat(self, payer: Payer, seller: Seller, outcome: str, seconds: float) -> None:
        """A question to a brain has come to its end."""
        self._chats.labels(seller.provider, seller.model, payer.feature, outcome).inc()
        if outcome != "cached":
            self._chat_seconds.labels(seller.provider, seller.model, payer.feature).observe(seconds)

    def used(self, payer: Payer, seller: Seller, counted: Counted, money: int | None) -> None:
        """What it took, in tokens and millionths of a dollar (None: nobody knows)."""
        labels = (seller.provider, seller.model, payer.feature)
        for sort in SORTS:
            self._tokens.labels(*labels, sort).inc(getattr(counted, sort))
        if money is None:
            self._unpriced.labels(*labels).inc()
        else:
            self._dollars.labels(*labels).inc(money / 1_000_000)

    def investigated(self, status: str, seconds: float, *, reused: bool = False) -> None:
        self._runs.labels(status).inc()
        self._reused.inc(reused)
        self._run_seconds.observe(seconds)

    def saturated(self, ratio: float) -> None:
        """How full the context is, 0.0 to 1.0."""
        self._saturation.observe(ratio)

    def checked(self, true: int, false: int, unknown: int = 0) -> None:
        """Claims of one draft answer."""
        for result, count in (("true", true), ("false", false), ("unknown", unknown)):
            self._claims.labels(result).inc(count)
        self._judged["true"] += true
        self._judged["false"] += false
