"""`kubesteward doctor`: look at everything the server needs and say, line by line, what is wrong and what to do."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from kubesteward.cli.checks import Check
from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.cli.issuer import issuer
from kubesteward.cli.thinking import brains
from kubesteward.cli.writing import changes_with
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.prometheus.client import Prometheus


def doctor(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """Check Python, settings, brains, store, audit log, guardrails, every context of the kubeconfig, and Prometheus."""
    with one_sentence():
        settings = Settings.load()
        checks = anyio.run(_examine, settings)
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    else:
        for check in checks:
            typer.echo(
                f"{check.state:4}  {check.name}: {check.found}" + (f"\n      {check.todo}" if check.todo else "")
            )
    if any(check.state == "fail" for check in checks):
        raise typer.Exit(FAILED)


async def _examine(settings: Settings) -> list[Check]:
    examinations = (_python, _clients, brains, _store, _guardrails, _clusters, _monitoring, issuer)
    return [check for examine in examinations for check in await examine(settings)]


async def _python(_: Settings) -> list[Check]:
    import platform

    from kubesteward import __version__

    return [Check("version", "ok", f"kubesteward {__version__} on Python {platform.python_version()}")]


async def _clients(_: Settings) -> list[Check]:
    """The model clients come with the default install; only their presence is looked at: importing takes seconds."""
    from importlib.util import find_spec

    missing = [name for name in ("anthropic", "openai", "ollama") if find_spec(name) is None]
    if missing:
        return [Check("model clients", "warn", f"not installed: {', '.join(missing)}", "Reinstall kubesteward.")]
    return [Check("model clients", "ok", "anthropic, openai and ollama are installed")]


async def _store(settings: Settings) -> list[Check]:
    from kubesteward.store.store import Store

    path = Path(settings.state_dir)
    if not _can_be_written(path):
        todo = "Set KUBESTEWARD_STATE_DIR to a folder that can be written."
        return [Check("store", "fail", f"{path} is no folder that can be written", todo)]
    if not Store.exists(path):
        return [Check("store", "ok", f"{path} holds none yet; the first change that is proposed makes it")]
    return [_log(settings), *await _safe_mode(settings)]


def _log(settings: Settings) -> Check:
    from kubesteward.audit.verify import verify

    verification = verify(Path(settings.state_dir), settings.audit_anchor)
    if verification.ok:
        return Check("audit log", "ok", f"{verification.records} records, the chain is unbroken")
    return Check("audit log", "fail", verification.reason, "Stop all servers and keep the file for inspection.")


async def _safe_mode(settings: Settings) -> list[Check]:
    """What would keep a server from changing anything, but for what has to do with its clusters."""
    from contextlib import closing

    from kubesteward.audit.log import AuditLog
    from kubesteward.gate.safety import Pulse
    from kubesteward.store.store import Store
    from kubesteward_tools.errors import SteadyError

    try:
        with closing(Store.open(settings.state_dir)) as store:
            found = await Pulse(store, AuditLog(store, settings.audit_anchor)).troubles()
    except SteadyError as error:
        return [Check("safe mode", "fail", error.message, error.todo)]
    calm = Check("safe mode", "ok", "nothing keeps changes from being made")
    return [Check("safe mode", "warn", item.sentence, item.remedy) for item in found] or [calm]


def _can_be_written(folder: Path) -> bool:
    """Whether it is a folder of ours, or can be made."""
    there = next(item for item in (folder.absolute(), *folder.absolute().parents) if item.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


async def _guardrails(settings: Settings) -> list[Check]:
    from kubesteward.guardrails.sources import GuardrailsUnusable, gathered, rules_of

    try:
        rules = rules_of(gathered(settings.policies))
    except GuardrailsUnusable as error:
        return [Check("guardrails", "fail", f"{error.message} Every change is denied.", error.todo)]
    chosen = ", ".join(settings.policies) or "nothing"
    return [Check("guardrails", "ok", f"{len(rules.rules)} rules of {chosen} can be used")]


async def _clusters(settings: Settings) -> list[Check]:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.errors import SteadyError

    try:
        if settings.bundle:
            clusters = Clusters.from_bundle(settings.bundle)
        else:
            clusters = Clusters.from_kubeconfig(settings.kubeconfig, settings.context)
    except SteadyError as error:
        return [Check("clusters", "fail", error.message, error.todo)]
    try:
        checks = await asyncio.gather(*(_cluster(clusters, name) for name in clusters.names()))
        changes = [] if settings.bundle else await changes_with(settings, clusters)
    finally:
        await clusters.close()
    checks = [*_scopes(settings, clusters.names()), *checks]
    return [*checks, *changes] or [_nothing(settings)]


def _scopes(settings: Settings, contexts: Iterable[str]) -> list[Check]:
    """A scope that fits no context is a cluster whose name is misspelt, and whose level is another than was meant."""
    from fnmatch import fnmatchcase

    from kubesteward_policies.autonomy import scopes

    known, names = scopes(settings.autonomy_scopes), list(contexts)
    if not known:
        return []
    lost = sorted({item.cluster for item in known if not any(fnmatchcase(name, item.cluster) for name in names)})
    if lost:
        todo = "Name contexts in KUBESTEWARD_AUTONOMY_SCOPES as the kubeconfig does."
        return [Check("autonomy", "warn", f"no context is named {', '.join(lost)}", todo)]
    return [Check("autonomy", "ok", f"{settings.autonomy}, and {len(known)} scopes with other levels")]


async def _monitoring(settings: Settings) -> list[Check]:
    """A Prometheus that is configured has to answer; none is no fault."""
    from kubesteward.monitoring import monitors
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.errors import SteadyError

    if not settings.prometheus_url or settings.bundle:
        return []
    try:
        found = monitors(settings, Clusters.from_kubeconfig(settings.kubeconfig, settings.context))
    except SteadyError as error:
        return [Check("prometheus", "fail", error.message, error.todo)]
    return list(await asyncio.gather(*(_prometheus(name, monitor) for name, monitor in found.items())))


async def _prometheus(context: str, monitor: Prometheus) -> Check:
    from kubesteward_tools.errors import SteadyError

    name = f"prometheus of {context}"
    try:
        version = await monitor.version()
    except SteadyError as error:
        return Check(name, "fail", error.message, error.todo)
    finally:
        await monitor.close()
    return Check(name, "ok", f"{monitor.name} answers" + (f", version {version}" if version else ""))


def _nothing(settings: Settings) -> Check:
    """Why there is no cluster at all: none is configured, which is no fault, or what is configured names none."""
    from kubesteward.standin import is_needed

    if is_needed(settings, os.environ, Path.home()):
        todo = "Set KUBECONFIG, or try the embedded cluster: kubesteward demo"
        return Check("clusters", "warn", "no kubeconfig was found", todo)
    todo = "`kubectl config get-contexts` shows what kubectl finds there."
    return Check("clusters", "fail", "the kubeconfig names no context that can be used", todo)


async def _cluster(clusters: Clusters, name: str) -> Check:
    from kubesteward_tools.errors import SteadyError

    try:
        world = await clusters.world(name)
        await world.ensure("namespaces")
    except SteadyError as error:
        return Check(f"context {name}", "fail", error.message, error.todo)
    if why := world.forbidden.get("namespaces"):
        return Check(f"context {name}", "warn", why, "Ask an operator for list and watch, cluster-wide.")
    return Check(f"context {name}", "ok", f"{world.store.count('namespaces')} namespaces seen")
