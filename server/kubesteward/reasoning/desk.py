"""Investigations as the tools of one caller see them: others' stay invisible, and the client hears how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kubesteward.audit.actors import CORRELATION
from kubesteward.middleware.agreement import Costly
from kubesteward.reasoning.assembly import who
from kubesteward.reasoning.estimates import question_before
from kubesteward.reasoning.loop.state import Budget
from kubesteward.reasoning.running import Asked

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.gate import Caller
    from kubesteward.middleware.call import Tell

_TOLD = frozenset({"intent", "context", "hypotheses", "thought", "evidence", "conclusion", "causality", "fact_check",
                   "recommendation", "brain", "waiting", "guard", "budget", "memory", "policy"})  # fmt: skip


class OnBehalf:
    """Implements `kubesteward_tools.tool.Investigations`."""

    def __init__(self, app: App, caller: Caller, tell: Tell | None, *, agreed: bool = False) -> None:
        self._app = app
        self._caller = caller
        self._tell = tell
        self._agreed = agreed

    async def begin(self, question: str, target: str, namespace: str, cluster: str, usd: float | None) -> str:
        budget = Budget.model_validate({} if usd is None else {"usd": usd})
        asked = Asked(
            question, self._caller.principal, self._caller.session, target, namespace, cluster,
            role="solver", who=who(self._caller), budget=budget, correlation=CORRELATION.get(),
        )  # fmt: skip
        if usd is None and not self._agreed and (cost := question_before(self._app, asked)):
            raise Costly(cost)
        return self._app.investigator.begin(asked, self._heard)

    async def order(self, investigation: str, order: str) -> None:
        mine = self._caller.principal
        if order == "resume":
            self._app.investigator.resume(investigation, mine, self._heard)
        else:
            self._app.investigator.wish(investigation, order, mine)

    async def look(self, investigation: str, wait: float) -> Mapping[str, Any]:
        investigator = self._app.investigator
        investigator.adopt(investigation, self._caller.principal, self._heard)
        await investigator.wait(investigation, min(wait, self._app.settings.call_timeout / 2))  # or the id were lost
        return investigator.record(investigation, self._caller.principal)

    def _heard(self, step: str, text: str) -> None:
        if self._tell is not None and step in _TOLD:
            self._tell(f"{step}: {text}"[:300])
