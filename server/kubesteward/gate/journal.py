"""The steps of an action that is being executed, each written down before anybody relies on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from kubesteward.execution.snapshot import kept, key_of
from kubesteward.gate.action import FINAL, Action, Status
from kubesteward.gate.actions import Actions
from kubesteward.store.store import Store
from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskAgain, Refused
from kubesteward_tools.tool import Done
from kubesteward_tools.world.world import World

Answer = Mapping[str, Any]


class Journal:
    """`actions` is the table that everybody reads; only the process that executes an action moves it through here."""

    def __init__(self, actions: Actions, store: Store) -> None:
        self.actions = actions
        self._store = store

    def must(
        self, action: Action, status: Status, step: str, note: Mapping[str, Any] | None = None, **changes: Any
    ) -> Action:
        """A step that only the executing process takes.

        Raises:
            Refused: somebody else has taken one.
        """
        moved = self.actions.move(action, status, step, note, **changes)
        if moved is None:
            raise Refused(f"action {action.id} was changed by somebody else while it was executed.")
        return moved

    def failed(self, action: Action, why: str, **changes: Any) -> Action:
        """With how far it came, and what can be done about that."""
        outcome = offering(action, f"{progress(action)}: {why}")
        return self.must(action, "failed", "outcome", note={"outcome": outcome}, outcome=outcome, **changes)

    def executed(self, action: Action, outcome: str) -> Action:
        """All calls are made. An action that takes another one back is told of there, in the same transaction."""
        with self._store.transaction():
            moved = self.must(action, "executed", "outcome", outcome=outcome)
            if action.change.reverts:
                first = self.actions.get(action.change.reverts)
                self.must(first, first.status, "reverted", note={"by": action.id}, reverted_by=action.id)
            return moved

    def unclear(self, action: Action, why: str) -> Action:
        """Nobody can tell about the call that was under way; those before it were made."""
        made = f" ({action.done} of {len(action.change.calls)} calls are known to have been made)"
        outcome = offering(action, f"outcome unknown: {why}{made}")
        return self.must(action, "failed", "outcome", note={"outcome": outcome}, outcome=outcome)

    def applied(  # noqa: PLR0917 - a call, and all that is known of what came of it
        self, world: World, action: Action, number: int, answer: Answer | None, status: Status, step: str, **note: Any
    ) -> Action:
        """A call was made; what it left is kept for going back, in the same transaction."""
        call = action.change.calls[number]
        with self._store.transaction():
            if answer is not None and (left := _left(world, call, answer)):
                self.keep(action.id, number, left)
            told = self.actions.keep_transcript(action, number, answer) if answer is not None else {}
            return self.must(action, status, step, note={"call": number, **told, **note}, done=number + 1)

    def keep(self, action_id: str, number: int, obj: Answer) -> None:
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO effects VALUES (?, ?, ?)", (action_id, number, json.dumps(obj)))

    def uid(self, action: Action, target: Ref) -> str:
        """The target's before the action, "" where it was not there."""
        before = (item for item in self.actions.snapshot(action) if Ref.of(item, target.cluster) == target)
        return next((str(item["metadata"].get("uid", "")) for item in before), "")

    def done(self, action: Action) -> Done:
        """For taking it back. Raises AskAgain when it is not over yet."""
        if action.status not in FINAL:
            raise AskAgain(f"action {action.id} is {action.status}.", todo="Wait for its end with get_action, wait=25.")
        before, after = tuple(self.actions.snapshot(action)), self.effects(action.id)
        return Done(action.id, action.change, action.done, before, after, action.reverted_by)

    def effects(self, action_id: str) -> dict[int, dict[str, Any]]:
        """What the calls of an action left, by number, without status and secrets; none for deletions."""
        query = "SELECT number, object FROM effects WHERE action = ? ORDER BY number"
        return {row["number"]: json.loads(row["object"]) for row in self._store.db.execute(query, (action_id,))}


def _left(world: World, call: ApiCall, answer: Answer) -> dict[str, Any] | None:
    key = key_of(world, call.target)
    if key is None or call.verb == "delete" or call.evicts or "metadata" not in answer:
        return None
    return kept(key.resource, answer)


def progress(action: Action) -> str:
    total = len(action.change.calls)
    if not action.done:
        return "nothing was changed"
    made = f"{action.done} of {total} calls were made"
    whole = [step for step in action.change.in_steps() if step.first + len(step.calls) <= action.done]
    return f"{len(whole)} of {len(action.change.steps)} steps and {made}" if action.change.steps else made


def offer(action: Action) -> str:
    """Nothing where there is nothing to go back from; a rollback is not offered to be rolled back."""
    return f" rollback_action(action_id={action.id!r}) goes back." if action.done and not action.change.reverts else ""


def offering(action: Action, said: str) -> str:
    offered = offer(action)
    return f"{said.rstrip('.')}.{offered}" if offered else said
