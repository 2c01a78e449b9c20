"""What `kubesteward doctor` says about the credentials that changes are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubesteward.cli.checks import Check
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.gate.credentials import WriteCredentials
    from kubesteward_tools.cluster.clusters import Clusters


async def changes_with(settings: Settings, clusters: Clusters) -> list[Check]:
    """A line for each cluster that answers."""
    from kubesteward.gate.credentials import WriteCredentials

    credentials = WriteCredentials(settings, clusters.current)
    connected = [item.name for item in clusters.describe() if item.state == "connected"]
    return [await _changes(settings, credentials, clusters, name) for name in connected]


async def _changes(settings: Settings, credentials: WriteCredentials, clusters: Clusters, name: str) -> Check:
    from kubesteward_tools.errors import SteadyError

    what = f"changes to {name}"
    if not credentials.configured:
        return Check(what, "ok", "made with the credentials that are read with")
    try:
        found = await credentials.find(await clusters.connection(name))
    except SteadyError as error:
        return Check(what, "fail", error.message, error.todo)
    of = settings.write_kubeconfig or settings.kubeconfig or "the kubeconfig"
    return Check(what, "ok", f"made with the context {found.cluster} of {of}")
