"""Run the embedded cluster until interrupted: what `kubesteward cluster` does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from kubesteward.embedded.server import CONTEXT, EmbeddedCluster


async def serve(kubeconfig: Path, nodes: int, scenario: str, announce: Callable[[str], object]) -> None:
    """Write the kubeconfig, say so once the server listens, and go on until cancelled.

    Raises:
        InvalidArguments: there is no such scenario, or the kubeconfig cannot be written.
    """
    async with EmbeddedCluster(nodes=nodes, scenario=scenario) as cluster:
        cluster.write_kubeconfig(kubeconfig)
        announce(
            f"Cluster {CONTEXT} with {nodes} nodes listens on {cluster.url}. Ctrl-C ends it. Use it with:\n"
            f"  kubectl --kubeconfig {kubeconfig} get pods -A"
        )
        await asyncio.Event().wait()


async def serve_until_signal(kubeconfig: Path, nodes: int, scenario: str, announce: Callable[[str], object]) -> None:
    """`serve`, ended in order by SIGINT or SIGTERM; a kubeconfig that was written goes with the cluster."""
    written: list[Path] = []

    def written_and_said(text: str) -> None:
        written.append(kubeconfig)
        announce(text)

    task = asyncio.ensure_future(serve(kubeconfig, nodes, scenario, written_and_said))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
    finally:
        _remove(written)


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
