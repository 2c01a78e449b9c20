"""A prediction: the answers to a case's calls, and the summary of what follows from them."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.cases.case import Case
from kubesteward_tools.twin.cases.play import Play
from kubesteward_tools.twin.cases.summary import summarise
from kubesteward_tools.twin.cases.unsimulated import unsimulated


def predict(case: Case) -> dict[str, Any]:
    """`{id, responses, summary}`; the same case gives the same bytes."""
    play = Play.of(case)
    outcome = play.run()
    return {"id": case.id, "responses": play.responses, "summary": summarise(outcome, unsimulated(play))}
