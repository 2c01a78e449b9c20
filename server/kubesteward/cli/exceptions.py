"""`kubesteward policy except|exceptions`: one change past one guardrail, once, for a reason that is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.gate.exceptions import Exceptions, Granted
    from kubesteward.store.store import Store

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]


def grant(
    rule: Annotated[str, typer.Argument(help="the guardrail that blocks the change, by its id")],
    action: Annotated[str, typer.Option(help="the blocked action, as `kubesteward actions` shows it")],
    justification: Annotated[str, typer.Option(help="why, in a sentence; whoever approves the change reads it")],
    minutes: Annotated[float, typer.Option(help="how long it can be used, up to a day")] = 60.0,
    state_dir: StateDir = None,
) -> None:
    """Except the change of a blocked action from a guardrail: once, and not your own. It still needs a person then."""
    from kubesteward.gate.actions import Actions
    from kubesteward.gate.process import account
    from kubesteward_policies.persons import Person

    with one_sentence(), _opened(state_dir) as (settings, store, exceptions):
        found = Actions(store).get(action)
        grantor = Person(settings.principal, account())
        made = exceptions.grant(found, rule, grantor, justification, minutes)
    typer.echo(
        f"Granted {made.id}: the change of {action} is excepted from {rule} once, until {_moment(made.expires)}. "
        f"{found.principal} has to propose it again, and a person has to agree to it."
    )


def granted(
    state_dir: StateDir = None, as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False
) -> None:
    """Which exceptions were granted, the newest first, and what became of them."""
    with one_sentence(), _opened(state_dir) as (_, __, exceptions):
        exceptions.sweep()
        found = exceptions.newest()
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in found], indent=2))
        return
    for item in found:
        typer.echo(f"{item.id}  {_state(item)}  {item.rule}  {item.action}  {item.grantor}  {item.justification}")
    if not found:
        typer.echo("No exception was granted yet.")


def _state(item: Granted) -> str:
    if item.used_by:
        return f"used by {item.used_by}"
    return f"until {_moment(item.expires)}" if item.ended is None else "expired"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


@contextmanager
def _opened(state_dir: Path | None) -> Iterator[tuple[Settings, Store, Exceptions]]:
    from kubesteward.audit.log import AuditLog
    from kubesteward.gate.exceptions import Exceptions
    from kubesteward.store.store import Store

    settings = Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
    store = Store.open(settings.state_dir)
    try:
        yield settings, store, Exceptions(store, AuditLog(store, settings.audit_anchor))
    finally:
        store.close()
