"""The monitoring systems that the settings name, by cluster. Nothing is connected before the first question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.prometheus.client import Prometheus


def monitors(settings: Settings, clusters: Clusters) -> dict[str, Prometheus]:
    """A Prometheus for each cluster that has one.

    Raises:
        InvalidArguments: an address is none, or there is no context of that name.
    """
    if not settings.prometheus_url or not clusters.names():
        return {}
    from kubesteward_tools.prometheus.addresses import addresses
    from kubesteward_tools.prometheus.client import Prometheus

    found = addresses(settings.prometheus_url, clusters.current)
    for name in found:
        if name not in clusters.names():
            known = ", ".join(clusters.names()[:10])
            why = f"KUBESTEWARD_PROMETHEUS_URL names the context {name!r}, which is not there."
            raise InvalidArguments(why, todo=f"There are: {known}.")
    token, plain = settings.prometheus_token, settings.plain_http
    return {name: Prometheus(address, token, plain=plain) for name, address in found.items()}
