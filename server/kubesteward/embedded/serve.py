"""Run the embedded cluster until interrupted: what `kubesteward cluster` does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from kubesteward.embedded.server import CONTEXT, EmbeddedCluster
from kubesteward_tools.errors import InvalidArguments


async def serve(kubeconfig: Path, nodes: int, scenario: str, announce: Callable[[str], object]) -> None:
    """Write the kubeconfig, say so once the server listens, and go on until cancelled.

    Raises:
        InvalidArguments: there is no such scenario, or the kubeconfig cannot be written.
    """
    async with EmbeddedCluster(nodes=nodes, scenario=scenario) as cluster:
        _write(cluster, kubeconfig)
        announce(
            f"Cluster {CONTEXT} with {nodes} nodes listens on {cluster.url}. Ctrl-C ends it. Use it with:\n"
            f"  kubectl --kubeconfig {kubeconfig} get pods -A"
        )
        await asyncio.Event().wait()


def _write(cluster: EmbeddedCluster, kubeconfig: Path) -> None:
    try:
        cluster.write_kubeconfig(kubeconfig)
    except OSError as error:
        why = f"the kubeconfig {kubeconfig} cannot be written ({error.strerror})."
        raise InvalidArguments(why, todo="Name a file in a folder that is there and writable.") from None


async def serve_until_signal(kubeconfig: Path, nodes: int, scenario: str, announce: Callable[[str], object]) -> int:
    """`serve`, ended in order by SIGINT or SIGTERM, whose number is returned.

    A kubeconfig that was written goes with the cluster.
    """
    written, heard = list[Path](), list[int]()

    def written_and_said(text: str) -> None:
        written.append(kubeconfig)
        announce(text)

    task = asyncio.ensure_future(serve(kubeconfig, nodes, scenario, written_and_said))

    def end(number: int) -> None:
        heard.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    try:
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()
    finally:
        _remove(written)
    return heard[0] if heard else 0


def _remove(files: list[Path]) -> None:
    for file in files:
        file.unlink(missing_ok=True)
