"""`kubesteward cluster`: the embedded cluster alone, for kubectl and for everything else that speaks to Kubernetes."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Annotated

import typer

from kubesteward.cli.exits import one_sentence


def cluster(
    kubeconfig: Annotated[Path, typer.Option(help="kubeconfig to write; it names the cluster and its token")],
    nodes: Annotated[int, typer.Option(min=1, max=500, help="how many nodes")] = 3,
    scenario: Annotated[str, typer.Option(help="what is in it; a wrong name lists the right ones")] = "healthy",
) -> None:
    """Run a simulated Kubernetes 1.36 cluster on a free loopback port until interrupted."""
    import anyio

    from kubesteward.embedded.serve import serve_until_signal

    with one_sentence():
        if anyio.run(serve_until_signal, kubeconfig, nodes, scenario, typer.echo) == signal.SIGINT:
            raise KeyboardInterrupt
