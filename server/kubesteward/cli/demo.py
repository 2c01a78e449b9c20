"""`kubesteward demo`: the main job on the embedded cluster, from what is wrong to a verified fix, through MCP."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubesteward.cli.exits import FAILED, TERMINATED, one_sentence

if TYPE_CHECKING:
    from kubesteward.mcp.loopback import Loopback

NAMESPACE = "shop"
CONNECT = """\
kubesteward install claude-desktop    # or claude-code, cursor, vscode
kubesteward serve                     # MCP over stdio, with your own kubeconfig"""
UNSAFE = {"kind": "Deployment", "name": "payments", "namespace": NAMESPACE, "dry_run": False}
REPAIR = {
    "spec": {"template": {"spec": {"containers": [{"name": "checkout", "resources": {"limits": {"memory": "192Mi"}}}]}}}
}
SAFE = {"kind": "Deployment", "name": "checkout", "namespace": NAMESPACE, "patch": REPAIR, "dry_run": False}
CAUSE = "OOMKilled | Deployment shop/checkout"


@dataclass(frozen=True, slots=True)
class Scene:
    """One step: what is done, what came of it, and whether it went as it must."""

    title: str
    text: str
    ok: bool = True
    data: dict[str, Any] = field(default_factory=dict)


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="leave the cluster running until Ctrl-C")] = False,
) -> None:
    """Start a cluster with an incident; find it, see an unsafe change blocked, approve a safe one, verify all."""
    with one_sentence():
        try:
            scenes = asyncio.run(_play(None if as_json else _show, serve=serve))
        except asyncio.CancelledError:  # by SIGTERM
            raise SystemExit(TERMINATED) from None
    if as_json:
        typer.echo(json.dumps({"ok": all(item.ok for item in scenes), "steps": [asdict(item) for item in scenes]}))
    if not all(item.ok for item in scenes):
        raise typer.Exit(FAILED)


def _show(scene: Scene) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.panel import Panel

    style = "green" if scene.ok else "red"
    console = Console()
    with console.capture() as drawn:  # printed by rich, a reader that has gone would end the process in the middle
        console.print(Panel(escape(scene.text), title=escape(scene.title), border_style=style, title_align="left"))
    typer.echo(drawn.get(), nl=False)


async def _play(show: Callable[[Scene], None] | None, *, serve: bool) -> list[Scene]:
    from kubesteward.app import App
    from kubesteward.embedded.server import EmbeddedCluster
    from kubesteward.mcp.loopback import connect
    from kubesteward.settings import Settings

    _end_on_sigterm()
    scenes: list[Scene] = []

    def say(scene: Scene) -> None:
        scenes.append(scene)
        if show is not None:
            show(scene)

    with tempfile.TemporaryDirectory(prefix="kubesteward-demo-") as folder:
        async with EmbeddedCluster(nodes=3, scenario="incident") as cluster:
            kubeconfig = Path(folder) / "kubeconfig"
            cluster.write_kubeconfig(kubeconfig)
            app = App(Settings.load({}, kubeconfig=kubeconfig, state_dir=Path(folder) / "state", autonomy=2))
            try:
                async with connect(app) as client:
                    await _observe(client, say)
                    await _block(client, cluster, say)
                    await _repair(client, app, say)
                say(_audit(Path(folder) / "state"))
                say(Scene("How to connect your own client", CONNECT))
                if serve:
                    command = f"kubesteward serve --autonomy 2 --kubeconfig {kubeconfig}"
                    typer.echo(f"While this runs, its cluster is served by:\n{command}", err=show is None)
                    await asyncio.Event().wait()
            finally:
                await app.close()
    return scenes


def _end_on_sigterm() -> None:
    """Cancel what runs, so that the folder with the kubeconfig goes too."""
    task = asyncio.current_task()
    if task is not None and sys.platform != "win32":  # no signal handlers there
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _observe(client: Loopback, say: Callable[[Scene], None]) -> None:
    found = await client.call("cluster_overview")
    say(Scene("What is wrong", found.text, not found.is_error))
    why = await client.call("diagnose")
    say(Scene("Why", why.text, not why.is_error and CAUSE in why.text, why.data))


async def _block(client: Loopback, cluster: Any, say: Callable[[Scene], None]) -> None:
    """The proof is the API server's own log of requests: no write reached it."""
    before = sum(item.writes for item in cluster.requests)
    found = await client.call("restart_rollout", **UNSAFE)
    written = sum(item.writes for item in cluster.requests) - before
    text = f"{found.text}\nWrites that reached the API server: {written}"
    say(Scene("An unsafe change is blocked", text, found.is_error and not written, found.data))


async def _repair(client: Loopback, app: Any, say: Callable[[Scene], None]) -> None:
    proposed = await client.call("patch_resource", **SAFE)
    action_id = str(proposed.data.get("id", ""))
    pending = proposed.data.get("status") == "pending_approval"
    say(Scene("A safe change is rehearsed and waits for a person", proposed.text, pending, proposed.data))
    if not pending:
        return
    app.gate.actions.decide(
        action_id, approve=True, approver="local:demo", channel="cli", digest=proposed.data["digest"]
    )
    say(Scene("A person approves it", f"kubesteward approve {action_id}"))
    done = await client.call("get_action", action_id=action_id, wait=20)
    say(Scene("It is executed and verified", done.text, done.data.get("verified") is True, done.data))


def _audit(state_dir: Path) -> Scene:
    from kubesteward.audit.verify import verify

    found = verify(state_dir)
    text = f"{found.records} records, the chain is unbroken" if found.ok else found.reason
    return Scene("kubesteward audit verify", text, found.ok)
