"""How to reach one API server: address, trust and credentials, read by the `kubernetes` package from a kubeconfig.

Exec plugins, token files, client certificates and in-cluster configuration are its business; it is imported when the
first connection is made and not before.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubesteward_tools.errors import ClusterUnreachable


@dataclass(frozen=True, slots=True)
class Connection:
    """`configuration` is a `kubernetes.client.Configuration`; credentials may be refreshed by each `headers()`."""

    cluster: str
    configuration: Any

    @property
    def url(self) -> str:
        return str(self.configuration.host).rstrip("/")

    @property
    def proxy(self) -> str | None:
        return self.configuration.proxy or None

    def headers(self) -> Mapping[str, str]:
        """The Authorization header, if the credentials are of that kind."""
        settings = self.configuration.auth_settings().values()
        return {item["key"]: item["value"] for item in settings if item["in"] == "header" and item["value"]}

    def ssl_context(self) -> ssl.SSLContext | bool:
        if not self.url.startswith("https"):
            return False
        context = ssl.create_default_context(cafile=self.configuration.ssl_ca_cert or None)
        if not self.configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.configuration.cert_file:
            context.load_cert_chain(self.configuration.cert_file, self.configuration.key_file or None)
        return context


async def connect(cluster: str, kubeconfig: Path | None, context: str | None) -> Connection:
    """The connection of a context, or of the pod's service account where `context` is None.

    Raises:
        ClusterUnreachable: the configuration cannot be used; the reason is said without any credential.
    """
    try:
        return Connection(cluster, await asyncio.to_thread(_load, kubeconfig, context))
    except Exception as error:  # noqa: BLE001 - exec plugins and parsers raise whatever they like; none of it may leak
        raise ClusterUnreachable(
            f"the configuration of {cluster!r} cannot be used ({type(error).__name__}).",
            todo="Try `kubectl --context NAME get --raw /version`: it shows what is wrong.",
        ) from None


def _load(kubeconfig: Path | None, context: str | None) -> Any:
    from kubernetes import client, config

    configuration = client.Configuration()
    if context is None:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        path = str(kubeconfig) if kubeconfig else None
        config.load_kube_config(  # type: ignore[no-untyped-call]
            config_file=path, context=context, client_configuration=configuration
        )
    return configuration
