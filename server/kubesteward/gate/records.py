"""KubeSteward's own records as the tools of one caller see them: other principals' stay invisible."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from kubesteward.gate.case import Caller
from kubesteward.gate.gate import Action, Gate
from kubesteward.store.store import Store
from kubesteward_tools.errors import ObjectNotFound
from kubesteward_tools.tool import Done


class Records:
    """Implements `kubesteward_tools.tool.Records`."""

    def __init__(self, gate: Gate, store: Store, caller: Caller) -> None:
        self._gate = gate
        self._store = store
        self._caller = caller

    async def save_recommendation(self, recommendation: Mapping[str, Any]) -> str:
        """Its id. A model wrote it and may quote anything: what is kept is redacted."""
        from kubesteward_tools.text.redact import redact_object

        found, now = f"rec-{secrets.token_hex(4)}", time.time()
        body = {**redact_object(dict(recommendation)), "id": found, "created": now}
        with self._store.transaction() as db:
            row = (found, self._caller.principal, now, json.dumps(body))
            db.execute("INSERT INTO recommendations VALUES (?, ?, ?, ?)", row)
        return found

    async def recommendations(self) -> list[Mapping[str, Any]]:
        """The newest first."""
        query = "SELECT body FROM recommendations WHERE principal = ? ORDER BY created DESC LIMIT 100"
        return [json.loads(row["body"]) for row in self._store.db.execute(query, (self._caller.principal,))]

    async def action(self, action_id: str, wait: float) -> Mapping[str, Any]:
        await self._own(action_id)
        shown = (await self._gate.action(action_id, wait)).shown()
        transcripts = self._gate.actions.transcripts(action_id)
        return {**shown, "transcripts": transcripts} if transcripts else shown

    async def done(self, action_id: str) -> Done:
        return self._gate.done(await self._own(action_id))

    async def _own(self, action_id: str) -> Action:
        """Raises ObjectNotFound, in the same words for another's action as for none."""
        try:
            found = await self._gate.action(action_id, 0.0)
        except ObjectNotFound:
            found = None
        if found is None or found.principal != self._caller.principal:
            raise ObjectNotFound(f"there is no action {action_id!r}.", todo="Use the id that the proposal returned.")
        return found

    async def save_plan(self, plan: Mapping[str, Any], plan_id: str = "") -> str:
        """Its id. Plans make calls again and so are kept as they are; a tool refuses one with a secret in it before."""
        if plan_id:
            await self.plan(plan_id)  # nobody overwrites another's
        found = plan_id or f"plan-{secrets.token_hex(4)}"
        with self._store.transaction() as db:
            row = (found, self._caller.principal, time.time(), json.dumps({**plan, "id": found}))
            db.execute("INSERT OR REPLACE INTO plans VALUES (?, ?, ?, ?)", row)
        return found

    async def plan(self, plan_id: str) -> Mapping[str, Any]:
        query = "SELECT body FROM plans WHERE id = ? AND principal = ?"
        row = self._store.db.execute(query, (plan_id, self._caller.principal)).fetchone()
        if row is None:
            raise ObjectNotFound(f"there is no plan {plan_id!r}.", todo="plan_change makes one and returns its id.")
        return dict(json.loads(row["body"]))
