"""`kubesteward stop|resume`: closes tier 4 of every server on a store at once, and opens it again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.settings import Settings

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
Reason = Annotated[str, typer.Option(help="shown to everybody who asks for a change, and kept in the audit log")]


def stop(reason: Reason, state_dir: StateDir = None) -> None:
    """Stop all changes now, for every running server on this store. Reading goes on; `resume` ends it."""
    from kubesteward.audit.log import AuditLog
    from kubesteward.gate.actions import Actions
    from kubesteward.gate.switch import Switch
    from kubesteward.store.store import Store

    with one_sentence():
        settings = _settings(state_dir)
        with closing(Store.open(settings.state_dir)) as store:
            audit = AuditLog(store, settings.audit_anchor)
            found = Switch(store).stop(audit, settings.principal, reason)
            actions = Actions(store, audit).with_status("pending_approval", "approved", "executing", "unknown")
    typer.echo(f"All changes are stopped: {found.sentence}.")
    begun = sum(item.status in {"executing", "unknown"} for item in actions)
    typer.echo(f"Open actions: {len(actions)}, of which {begun} had begun; no further call of theirs is made.")


def resume(state_dir: StateDir = None) -> None:
    """Allow changes again, as far as autonomy and approvals do."""
    from kubesteward.audit.log import AuditLog
    from kubesteward.gate.switch import Switch
    from kubesteward.store.store import Store

    with one_sentence():
        settings = _settings(state_dir)
        with closing(Store.open(settings.state_dir)) as store:
            ended = Switch(store).resume(AuditLog(store, settings.audit_anchor), settings.principal)
    typer.echo(f"Changes are possible again; {ended.sentence}." if ended else "Changes were not stopped.")


def _settings(state_dir: Path | None) -> Settings:
    return Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
