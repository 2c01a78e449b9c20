"""`kubesteward console`: the approvals page over the store, beside the servers whose changes it lets through."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.settings import Settings


def console(
    host: Annotated[str, typer.Option(help="address to listen on; others than loopback need tokens")] = "",
    port: Annotated[int, typer.Option(help="port to listen on; 0 lets the system choose", min=0, max=65535)] = 0,
    state_dir: Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")] = None,
) -> None:
    """Serve the approvals page and print a link that works once. Ctrl-C ends it and all its sessions."""
    given = {"console_host": host, "console_port": port, "state_dir": state_dir}
    with one_sentence():
        import anyio

        from kubesteward.console.serve import serve_alone

        anyio.run(serve_alone, Settings.load(None, **{name: value for name, value in given.items() if value}))
