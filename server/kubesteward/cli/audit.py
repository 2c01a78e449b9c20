"""`kubesteward audit`: questions to the audit log that need no running server."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kubesteward.cli.exits import BROKEN_AUDIT, one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.audit.query import Filter
    from kubesteward.audit.verify import Verification

app = typer.Typer(name="audit", help="Look into the audit log.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AnchorFile = Annotated[Path | None, typer.Option("--anchor", help="file with copies of the checkpoints")]
Since = Annotated[str, typer.Option(help="from then on: 2026-11-21T10:00:00Z, 2026-11-21 or 24h")]
Until = Annotated[str, typer.Option(help="before then, written likewise")]
Type = Annotated[str, typer.Option("--type", help="kind of record; * and ? stand for any text here and below")]
Principal = Annotated[str, typer.Option(help="who")]
Tool = Annotated[str, typer.Option(help="with which tool")]
Cluster = Annotated[str, typer.Option(help="on which cluster")]
Action = Annotated[str, typer.Option(help="id of an action")]
Outcome = Annotated[str, typer.Option(help="what came of it, as ok, executed or blocked")]

User = Annotated[str, typer.Option(help="who had any part in it: asked, acted, agreed, or was seen by Kubernetes")]
Correlation = Annotated[str, typer.Option(help="everything that one tool call led to")]

TABLE = ("seq", "time", "type", "principal", "tool", "cluster", "action", "outcome")


@app.callback()
def group() -> None:
    """Look into the audit log."""


@app.command()
def verify(
    state_dir: StateDir = None,
    anchor: AnchorFile = None,
    key: Annotated[str, typer.Option(help="the public key that has to have signed the log")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Re-derive chain, tree and checkpoints; exit code 3 names the first record that does not fit."""
    with one_sentence():
        verification = _verified(_settings(state_dir, anchor), key)
    if as_json:
        typer.echo(json.dumps(verification.as_json(), indent=2))
    elif verification.ok:
        said = f"{verification.records} records, the chain is unbroken. Head: {verification.head}"
        signed = f"Signed up to record {verification.signed}, anchored up to record {verification.anchored}."
        typer.echo(f"{said}\n{signed}")
    if not verification.ok:
        _end_broken(verification, silent=as_json)


@app.command()
def query(
    *,
    since: Since = "",
    until: Until = "",
    kind: Type = "",
    principal: Principal = "",
    tool: Tool = "",
    cluster: Cluster = "",
    action: Action = "",
    outcome: Outcome = "",
    user: User = "",
    correlation: Correlation = "",
    limit: Annotated[int, typer.Option(min=0, help="only so many of the newest; 0 for all")] = 100,
    form: Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="how to print it")] = "table",
    state_dir: StateDir = None,
) -> None:
    """Show the records that fit everything given, the oldest first. It does not verify them."""
    from kubesteward.audit.query import select
    from kubesteward.audit.standalone import table

    with one_sentence():
        wanted = _filter(since, until, kind, principal, tool, cluster, action, outcome, user, correlation)
        found = _told(deque(select(_settings(state_dir).state_dir, wanted), maxlen=limit or None))
    if form == "csv":
        typer.echo(table([text for _, text in found]), nl=False)
    elif form == "json":
        typer.echo(json.dumps([record for record, _ in found], indent=2))
    else:
        _print_table([record for record, _ in found])


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="a new folder, or a new file that ends in .zip")],
    *,
    since: Since = "",
    until: Until = "",
    kind: Type = "",
    principal: Principal = "",
    tool: Tool = "",
    cluster: Cluster = "",
    action: Action = "",
    outcome: Outcome = "",
    user: User = "",
    correlation: Correlation = "",
    state_dir: StateDir = None,
    anchor: AnchorFile = None,
) -> None:
    """Write the records that fit as evidence that anybody can verify without KubeSteward."""
    from kubesteward.audit.export import export as write

    with one_sentence():
        settings = _settings(state_dir, anchor)
        wanted = _filter(since, until, kind, principal, tool, cluster, action, outcome, user, correlation)
        verification = _verified(settings, "")
        count = write(settings.state_dir, target, wanted, settings.audit_anchor) if verification.ok else 0
    if not verification.ok:
        _end_broken(verification)
    typer.echo(
        f"{count} of {verification.records} records are in {target}; `python -I -S verify.py` in it checks them."
    )


def _settings(state_dir: Path | None, anchor: Path | None = None) -> Settings:
    given = {"state_dir": state_dir, "audit_anchor": anchor}
    return Settings.load(None, **{name: value for name, value in given.items() if value})


def _verified(settings: Settings, key: str) -> Verification:
    from kubesteward.audit.verify import verify as verify_log

    return verify_log(Path(settings.state_dir), settings.audit_anchor, key)


def _end_broken(verification: Verification, *, silent: bool = False) -> None:
    if not silent:
        field = f" [{verification.field}]" if verification.field else ""
        typer.echo(f"The audit log does not verify: {verification.reason}{field}", err=True)
    raise typer.Exit(BROKEN_AUDIT)


def _filter(since: str, until: str, *patterns: str) -> Filter:
    from kubesteward.audit.query import Filter, moment

    now = time.time()
    return Filter(moment(since, now) if since else None, moment(until, now) if until else None, *patterns)


def _told(found: Iterable[tuple[dict[str, Any], str]]) -> list[tuple[dict[str, Any], str]]:
    """Without what older versions of redaction may have let through."""
    from kubesteward_policies.digest import canonical_json
    from kubesteward_tools.text.redact import redact_object

    records = (redact_object(record) for record, _ in found)
    return [(record, canonical_json(record).decode()) for record in records]


def _print_table(records: list[dict[str, Any]]) -> None:
    from kubesteward.audit.standalone import named
    from kubesteward_tools.text.fence import clean

    shown = [named(record) for record in records]
    lines = [TABLE, *(tuple(clean(str(row[name] or "-")).replace("\n", " ") for name in TABLE) for row in shown)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TABLE))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
