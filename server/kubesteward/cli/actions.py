"""`kubesteward actions|approve|reject`: the operator's side of the gate. A model has no way to these."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.gate.action import Action

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Comment = Annotated[str, typer.Option(help="kept with the decision")]
ActionId = Annotated[str, typer.Argument(help="as `kubesteward actions` shows it")]


def actions(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """List what was proposed, the newest first, and what became of it."""
    from kubesteward.gate.actions import Actions
    from kubesteward.store.store import Store
    from kubesteward_tools.text.redact import redact_object

    with one_sentence(), closing(Store.open(settings_for(state_dir).state_dir)) as store:
        found = Actions(store).newest()
        if as_json:
            typer.echo(json.dumps([redact_object(item.shown()) for item in found], indent=2))
            return
        for item in found:
            agreed = (
                f" ({len(item.agreed)} of {item.required} have agreed)" if item.waiting and item.required > 1 else ""
            )
            typer.echo(f"{item.id}  {item.status:17} {item.change.summary}{agreed}")
        if not found:
            typer.echo("Nothing was proposed yet.")


def approve(
    action: ActionId,
    comment: Comment = "",
    yes: Annotated[bool, typer.Option("--yes", help="do not ask again")] = False,
    state_dir: StateDir = None,
) -> None:
    """Show an action with its rehearsal, ask, and approve it. The server that holds it then executes it."""
    _decide(action, state_dir, comment, agreed=True, ask=not yes)


def reject(action: ActionId, comment: Comment = "", state_dir: StateDir = None) -> None:
    """Reject an action for good."""
    _decide(action, state_dir, comment, agreed=False, ask=False)


def settings_for(state_dir: Path | None) -> Settings:
    return Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))


def _decide(action_id: str, state_dir: Path | None, comment: str, *, agreed: bool, ask: bool) -> None:
    from kubesteward.audit.log import AuditLog
    from kubesteward.gate.actions import Actions
    from kubesteward.gate.process import account
    from kubesteward.store.store import Store

    with one_sentence():
        settings = settings_for(state_dir)
        with closing(Store.open(settings.state_dir)) as store:
            table = Actions(store, AuditLog(store, settings.audit_anchor))
            action = table.get(action_id)
            refusal = action.objection(settings.principal, "cli", account()) if agreed else ""
            if ask and action.status == "pending_approval" and not refusal:  # else it is refused below, unasked
                _show(action)
                _confirm()
            decided = table.decide(
                action.id,
                approve=agreed,
                approver=settings.principal,
                channel="cli",
                digest=action.digest,
                comment=comment,
                account=account(),
            )
    typer.echo(_said(decided))


def _said(decided: Action) -> str:
    if decided.status == "pending_approval":
        return f"Agreed to {decided.id}: {decided.waiting}, other than {decided.principal}. Nothing is executed yet."
    return f"{'Approved' if decided.status == 'approved' else 'Rejected'} {decided.id}."


def _confirm() -> None:
    """Raises typer.Exit unless a person says yes, KeyboardInterrupt when they interrupt."""
    if not sys.stdin.isatty():
        typer.echo("Nothing was decided. Without a terminal, use --yes.", err=True)
        raise typer.Exit(FAILED)
    try:
        agreed = typer.confirm("Approve?")
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        typer.echo("Nothing was decided; `kubesteward reject` refuses it for good.", err=True)
        raise typer.Exit(FAILED)


def _show(action: Action) -> None:
    """As the form of a client shows it, without secrets, and with the whole rehearsal."""
    from kubesteward.gate.quoting import in_own_words, quotations
    from kubesteward_policies.verdict import Decision
    from kubesteward_tools.text.fence import clean, fence
    from kubesteward_tools.text.redact import redact

    change = action.change
    lines = [change.summary, f"Cluster: {change.cluster}", f"Proposed by {action.principal}"]
    lines += [f"  {call.verb.upper()} {call.path} {json.dumps(call.body)}" for call in change.calls]
    if action.rehearsal:
        lines.append(fence(redact(action.rehearsal.render()), f"the rehearsal of {action.id}"))
    asking = [item for item in action.verdicts if item.decision is Decision.NEEDS_APPROVAL and item.stage != "approval"]
    lines += [f"Asked by {item.stage}: {in_own_words(item)} [{item.rule_id}]" for item in asking]
    if quoted := quotations(asking):
        lines.append(fence(redact(quoted), f"the reasons of {action.id}"))
    if action.required > 1:
        lines.append(f"{action.waiting[:1].upper()}{action.waiting[1:]}.")
    text = "\n".join(lines)
    typer.echo(redact(clean(text, cap=len(text))))
