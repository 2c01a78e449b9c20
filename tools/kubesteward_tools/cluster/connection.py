"""How to reach one API server: address, trust and credentials, read by the `kubernetes` package from a kubeconfig.

Exec plugins, token files, client certificates and in-cluster configuration are its business; it is imported when the
first connection is made and not before.
"""

from __future__ import annotations

import asyncio
import copy
import math
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesteward_tools.cluster.credentials import Header, acts_as, in_background, load, unusable
from kubesteward_tools.cluster.proxies import proxy_for
from kubesteward_tools.errors import ClusterUnreachable, SteadyError

RENEWAL_PAUSE = 15.0
"""Seconds between two readings of a configuration that the server refuses: a plugin may open a browser each time."""

LOAD_TIMEOUT = 60.0
"""Seconds for reading the configuration. Exec plugins talk to clouds, and some wait for a person."""


@dataclass(slots=True)
class _Credentials:
    """What all connections to one server share, whomever they act for."""

    configuration: Any
    read: Callable[[], Any] | None
    generation: int = 0
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    renewed: float = -math.inf  # the clock may have begun less than a pause ago


class Connection:
    """`configuration` is a `kubernetes.client.Configuration`; `generation` counts how often it was read anew."""

    def __init__(
        self, cluster: str, configuration: Any, read: Callable[[], Any] | None = None, own: Sequence[Header] = ()
    ) -> None:
        self.cluster = cluster
        self._own = tuple(own)
        """Whom the kubeconfig's user acts as (`as` and the like), as headers; who is acted for goes before."""
        self.who: tuple[str, ...] = ()
        """User and groups that every request is made for; empty where it is the credentials' own user."""
        self.skew: float | None = None
        """Seconds by which this clock was ahead of the server's when it last answered."""
        self._credentials = _Credentials(configuration, read)

    def acting(self, user: str, groups: Sequence[str] = ()) -> Connection:
        """The same server with the same credentials, every request made for `user` (docs: "User impersonation").

        Raises:
            ValueError: a name can be no header.
        """
        if not user or not all(name.isprintable() and name.strip() == name for name in (user, *groups)):
            raise ValueError("a user or group to act for has characters that no header has")
        made = copy.copy(self)
        made.who = (user, *groups)
        return made

    @property
    def itself(self) -> Connection:
        """The same for the credentials' own user."""
        made = copy.copy(self)
        made.who = ()
        return made

    @property
    def configuration(self) -> Any:
        return self._credentials.configuration

    @property
    def generation(self) -> int:
        return self._credentials.generation

    @property
    def url(self) -> str:
        return str(self.configuration.host).rstrip("/")

    @property
    def proxy(self) -> str | None:
        """The proxy of the kubeconfig, or of the environment unless NO_PROXY names the server.

        Raises:
            ClusterUnreachable: it is no HTTP proxy.
        """
        proxy = proxy_for(self.url, self.configuration.proxy, self.configuration.no_proxy)
        if proxy is not None and not proxy.lower().startswith(("http://", "https://")):
            kind = proxy.partition("://")[0][:20]
            why = f"{self.cluster!r} is behind a proxy of the kind {kind!r}; only HTTP proxies are spoken."
            raise ClusterUnreachable(why, todo="Give an HTTP proxy as proxy-url, or name the server in NO_PROXY.")
        return proxy

    @property
    def server_name(self) -> str | None:
        """The name in the server's certificate, where it is not the host of `url`."""
        return self.configuration.tls_server_name or None

    def headers(self) -> Mapping[str, str]:
        """The Authorization header, if the credentials are of that kind. May run an exec plugin whose token expires.

        Raises:
            ClusterUnreachable: they can be no header. Files of tokens end in newlines, which do not count.
        """
        settings = self.configuration.auth_settings().values()
        found = {item["key"]: item["value"].strip() for item in settings if item["in"] == "header" and item["value"]}
        if not all(value.isprintable() for value in found.values()):
            raise unusable(self.cluster, "its token has lines or control characters")
        return found

    async def authorization(self) -> Mapping[str, str]:
        """The same, without holding up everybody else while a plugin runs.

        Raises:
            ClusterUnreachable: the credentials cannot be renewed.
            ValueError: the request is for somebody, and these headers alone would make it the credentials' own user's.
        """
        if self.who or self._own:
            raise ValueError("a request on behalf of a user needs the headers of `sent`")
        return await self._authorized()

    async def _authorized(self) -> Mapping[str, str]:
        if self.configuration.refresh_api_key_hook is None:
            return self.headers()
        return await in_background(self.headers, self.cluster, LOAD_TIMEOUT)

    async def sent(self, headers: Mapping[str, str]) -> list[tuple[str, str]]:
        """These headers with those of the credentials, and of whom the request is made for: several of one name.

        Raises:
            ClusterUnreachable: the credentials cannot be renewed.
        """
        names = ("Impersonate-User", *["Impersonate-Group"] * len(self.who[1:]))
        acting = zip(names, self.who, strict=True) if self.who else self._own
        return [*{**await self._authorized(), **headers}.items(), *acting]

    async def renew(self, generation: int) -> bool:
        """Read the configuration again, for the server refused the credentials of `generation`.

        Returns whether it is worth asking again. Token files change, plugins log in, kubeconfigs are edited.

        Raises:
            ClusterUnreachable: the name stands for another API server by now, of which nothing is known here.
        """
        known = self._credentials
        async with known.renewing:
            if known.read is None or generation != known.generation:
                return generation != known.generation
            if time.monotonic() - known.renewed < RENEWAL_PAUSE:
                return False
            known.renewed = time.monotonic()
            try:
                read = await in_background(known.read, self.cluster, LOAD_TIMEOUT)
            except SteadyError:
                return False
            if read.host != known.configuration.host:
                why = f"the kubeconfig's {self.cluster!r} is another API server than when this server was started."
                raise ClusterUnreachable(why, todo="Restart kubesteward to work on that one.")
            known.configuration = read
            known.generation += 1
            return True

    def ssl_context(self) -> ssl.SSLContext | bool:
        """Raises ClusterUnreachable when a certificate cannot be used."""
        if not self.url.startswith("https"):
            return False
        try:
            context = ssl.create_default_context(cafile=self.configuration.ssl_ca_cert or None)
            if self.configuration.cert_file:
                context.load_cert_chain(self.configuration.cert_file, self.configuration.key_file or None)
        except (OSError, ValueError) as error:
            raise ClusterUnreachable(
                f"a certificate in the configuration of {self.cluster!r} cannot be used ({type(error).__name__}).",
                todo="Check certificate-authority, client-certificate and client-key in the kubeconfig.",
            ) from None
        if not self.configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


async def connect(cluster: str, kubeconfig: str | None, context: str | None) -> Connection:
    """The connection of a context, or of the pod's service account where `context` is None.

    `kubeconfig` is a path, or several joined as in $KUBECONFIG.

    Raises:
        ClusterUnreachable: the configuration cannot be used; the reason is said without any credential.
    """

    def read() -> Any:
        return load(cluster, kubeconfig, context)

    def first() -> tuple[Any, list[Header]]:
        return read(), acts_as(cluster, kubeconfig, context)

    configuration, own = await in_background(first, cluster, LOAD_TIMEOUT)
    return Connection(cluster, configuration, read, own)
