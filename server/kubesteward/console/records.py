"""The records as the page needs them: within a server, or beside one over the same store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from kubesteward.console.access import KEYED
from kubesteward.gate.actions import PAGE, Actions
from kubesteward.gate.process import account

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.gate.action import Action
    from kubesteward.store.store import Store


class Records(Protocol):
    @property
    def actions(self) -> Actions: ...

    async def decide(self, action_id: str, *, approve: bool, approver: str, digest: str, comment: str) -> Action:
        """Raises ApprovalRefused when it does not fit, ObjectNotFound, StoreUnusable."""
        ...


class BesideServers:
    """`kubesteward console`: what is approved is executed by the server that holds the action."""

    def __init__(self, store: Store) -> None:
        self.actions = Actions(store)

    async def decide(self, action_id: str, **terms: Any) -> Action:
        return self.actions.decide(action_id, channel=PAGE, account=account_of(terms["approver"]), **terms)


class InServer:
    """`kubesteward serve --console`."""

    def __init__(self, app: App) -> None:
        self._app = app

    @property
    def actions(self) -> Actions:
        return Actions(self._app.store, self._app.audit)

    async def decide(self, action_id: str, **terms: Any) -> Action:
        await self._app.ready()
        account = account_of(terms["approver"])
        return await self._app.gate.decide(action_id, channel=PAGE, account=account, **terms)


def account_of(approver: str) -> str:
    """Whoever came in by the link has it from this machine's terminal; who came with a token may be anywhere."""
    return "" if approver.startswith(KEYED) else account()
