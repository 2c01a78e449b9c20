"""The embedded cluster in a server's own process: for `serve --embedded`, and for machines without any kubeconfig.

It is started by the first call that may need a cluster, never before: hosts time a server's first answers.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path

from kubesteward.settings import Settings

log = logging.getLogger(__name__)

NODES = 3
SCENARIO = "incident"


def is_needed(settings: Settings, environment: Mapping[str, str], home: Path) -> bool:
    """Whether no cluster is named anywhere: not by the settings, by kubectl's rules, or by a pod's environment."""
    named = settings.kubeconfig or settings.bundle or settings.context
    return not (
        named
        or environment.get("KUBECONFIG")
        or environment.get("KUBERNETES_SERVICE_HOST")
        or (home / ".kube" / "config").exists()
    )


class StandIn:
    """One embedded cluster, started once."""

    def __init__(self, scenario: str, state_dir: Path) -> None:
        self._scenario = scenario
        self._kubeconfig = state_dir / f"embedded-{os.getpid()}.kubeconfig"
        self._serving: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def start(self) -> Path:
        """The kubeconfig of the running cluster.

        Raises:
            SteadyError: there is no such scenario.
        """
        if self._serving is None:
            from kubesteward.embedded.serve import serve

            log.warning("the embedded cluster stands in, with the scenario %r", self._scenario)
            self._kubeconfig.parent.mkdir(parents=True, exist_ok=True)
            self._serving = asyncio.ensure_future(serve(self._kubeconfig, NODES, self._scenario, self._heard))
        waiting = asyncio.ensure_future(self._listening.wait())
        await asyncio.wait({waiting, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._serving.done():
            await self._serving  # raises why
        return self._kubeconfig

    async def stop(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.wait({self._serving})
            self._kubeconfig.unlink(missing_ok=True)

    def _heard(self, _: str) -> None:
        """The cluster says that it listens."""
        self._listening.set()
