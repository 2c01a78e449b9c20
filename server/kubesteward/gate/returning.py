"""Takes an action back that ran without a person and did not come to where it should: once, through the same gate."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kubesteward.gate.action import Action
from kubesteward.gate.case import proposer
from kubesteward.gate.executor import FindWorld
from kubesteward_tools.errors import SteadyError

if TYPE_CHECKING:
    from kubesteward.gate.gate import Gate

log = logging.getLogger(__name__)


def goes_back(action: Action) -> bool:
    """Never what a person has agreed to, for a person sees to that; never a rollback."""
    alone = action.required == 0 and not action.change.reverts
    return alone and action.verified is False and action.done > 0 and not action.reverted_by


class Returning:
    def __init__(self, gate: Gate, find_world: FindWorld) -> None:
        self._gate = gate
        self._find_world = find_world

    async def after(self, action: Action) -> Action:
        """The action with what came of the attempt in its outcome."""
        from kubesteward_tools.proposals.undo import undo

        try:
            world = await self._find_world(action.change, action.who)
            change = await undo(world, self._gate.done(action))
            why = f"{action.id} ran alone and was not verified"
            back = await self._gate.propose(change, proposer(action), dry_run=False, justification=why, alone=True)
            if back.status == "approved":
                back = await self._gate.execute(back.id)
            said = _said(back)
        except SteadyError as error:
            said = f"It was not rolled back: {error}"
        now = self._gate.actions.get(action.id)
        outcome = f"{now.outcome.rstrip('.')}. {said}"
        moved = self._gate.actions.move(now, now.status, "returned", {"outcome": outcome}, outcome=outcome)
        return moved or self._gate.actions.get(action.id)


def _said(back: Action) -> str:
    if back.status == "executed":
        return f"It was rolled back by {back.id}: {back.outcome}"
    if back.status == "pending_approval":
        return f"Its rollback {back.id} waits for a person."
    return f"Its rollback {back.id} is {back.status}: {back.outcome or back.verdicts[-1].reason}"
