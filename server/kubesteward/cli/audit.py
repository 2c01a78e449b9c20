"""`kubesteward audit`: questions to the audit log that need no running server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from kubesteward.cli.exits import BROKEN_AUDIT, one_sentence
from kubesteward.settings import Settings

app = typer.Typer(name="audit", help="Look into the audit log.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look into the audit log."""


@app.command()
def verify(
    state_dir: Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Re-derive the whole hash chain; exit code 3 names the first record that does not fit."""
    from kubesteward.audit.verify import verify as verify_chain

    with one_sentence():
        settings = Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
        verification = verify_chain(Path(settings.state_dir))
    if as_json:
        typer.echo(json.dumps(asdict(verification), indent=2))
    elif verification.ok:
        typer.echo(f"{verification.records} records, the chain is unbroken. Head: {verification.head}")
    else:
        typer.echo(f"The audit log does not verify: {verification.reason}", err=True)
    if not verification.ok:
        raise typer.Exit(BROKEN_AUDIT)
