"""A server over an embedded cluster, in one process, and what its API server saw of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, InputRequiredResult

from kubesteward.app import App
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.server import build
from kubesteward.settings import Settings

YES = ElicitResult(action="accept", content={"approve": True})
LIMIT = {"containers": [{"name": "checkout", "resources": {"limits": {"memory": "192Mi"}}}]}
REPAIR = {
    "kind": "Deployment",
    "name": "checkout",
    "namespace": "shop",
    "patch": {"spec": {"template": {"spec": LIMIT}}},
    "dry_run": False,
}
"""Ends the incident; a person has to agree."""
UNSAFE = {"kind": "Deployment", "name": "payments", "namespace": "shop", "dry_run": False}
"""A restart that the quota would leave half-way."""


class Turnstile(Identity):
    """Lets a test say who calls."""

    who = "local:alice"

    def principal(self, ctx: Context) -> str:
        return self.who


@dataclass
class Desk:
    """One server; `attempts` is every request that meant to change the cluster."""

    cluster: EmbeddedCluster
    app: App
    identity: Turnstile

    @property
    def attempts(self) -> list[str]:
        return [f"{item.method} {item.path}" for item in self.cluster.requests if item.attempts]

    @contextlib.asynccontextmanager
    async def client(self, mode: str = "auto", *, forms: bool = True) -> AsyncIterator[Client]:
        """`forms`: a person who agrees to everything sits behind it."""
        asked = agree if forms else None
        async with Client(build(self.app, self.identity), mode=mode, elicitation_callback=asked) as client:
            yield client

    def memory(self) -> str:
        """The limit of checkout's container, as the cluster has it."""
        spec = self.cluster.simulated.store.objects("deployments.apps", "shop")
        (checkout,) = (item for item in spec if item["metadata"]["name"] == "checkout")
        return str(checkout["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"])


async def agree(_: ClientRequestContext, __: ElicitRequestParams) -> ElicitResult:
    return YES


@contextlib.asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[Desk]:
    """A server over the incident, at autonomy 2 unless `settings` says otherwise."""
    async with EmbeddedCluster(nodes=3, scenario="incident") as cluster:
        kubeconfig = folder / "kubeconfig"
        cluster.write_kubeconfig(kubeconfig)
        chosen = Settings.load(
            {}, **{"kubeconfig": kubeconfig, "state_dir": folder / "state", "autonomy": 2, **settings}
        )
        app = App(chosen)
        try:
            yield Desk(cluster, app, Turnstile(chosen))
        finally:
            await app.close()


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def asked(client: Client, tool: str, arguments: dict[str, Any]) -> str:
    """The sealed state of the question that a call ends with (2026-07-28)."""
    result = await client.session.call_tool(tool, arguments, allow_input_required=True)
    assert isinstance(result, InputRequiredResult), result
    assert result.request_state
    return result.request_state


async def answer(client: Client, tool: str, arguments: dict[str, Any], state: str) -> CallToolResult:
    """The same call again, with a yes."""
    result = await client.session.call_tool(
        tool, arguments, input_responses={"approval": YES}, request_state=state, allow_input_required=True
    )
    assert isinstance(result, CallToolResult)
    return result
