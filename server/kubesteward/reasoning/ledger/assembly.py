"""A ledger as the settings want it: for the server and for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubesteward.reasoning.ledger.answers import Limits
from kubesteward.reasoning.ledger.ledger import Ledger
from kubesteward.reasoning.ledger.prices import Prices, parse
from kubesteward.reasoning.ledger.words import MILLION

if TYPE_CHECKING:
    from kubesteward.audit.log import AuditLog
    from kubesteward.settings import Settings
    from kubesteward.store.store import Store


def ledger_of(settings: Settings, store: Store, audit: AuditLog) -> Ledger:
    """Raises InvalidArguments: a configured price is none."""
    return Ledger(
        store,
        audit,
        Prices(parse(settings.model_prices)),
        ask_above=round(settings.ask_above_usd * MILLION),
        limits=Limits(fresh=settings.reuse_answers_minutes * 60.0),
    )
