"""The addresses of overlays: which cluster or object a URI means, and what is known of it.

    kubesteward://world/{cluster}/summary
    kubesteward://analysis/{kind}/{namespace}/{name}?cluster={cluster}

Parts are percent-encoded, for names of clusters may hold slashes and colons. "-" or "_" stands for the current cluster,
and for the namespace of kinds that have none; without `cluster` it is the current one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from kubesteward_tools.errors import InvalidArguments

if TYPE_CHECKING:
    from kubesteward_tools.overlay.overlay import Overlay
    from kubesteward_tools.tool import Desk

SCHEME = "kubesteward://"
_CURRENT = frozenset({"-", "_"})
_PARTS = 3
_LONGEST = 2000

Look = Callable[["Desk"], Awaitable["Overlay"]]


def looking(uri: str) -> Look | None:
    """What finds out about the cluster or object that a URI means; None when it is no overlay's.

    Raises:
        InvalidArguments: the URI has a query that is not understood, or is very long.
    """
    if not uri.startswith((f"{SCHEME}world/", f"{SCHEME}analysis/")):
        return None
    path, _, query = uri.removeprefix(SCHEME).partition("?")
    what, *parts = map(unquote, path.split("/"))
    if len(uri) > _LONGEST:
        raise InvalidArguments(f"the URI is longer than {_LONGEST} characters.")
    if what == "world":
        return None if query else _of_cluster(parts)
    return _of_object(parts, _cluster_in(query))


def _of_cluster(parts: list[str]) -> Look | None:
    if len(parts) < 2 or parts[-1] != "summary":
        return None
    cluster = "/".join(parts[:-1])

    async def look(desk: Desk) -> Overlay:
        from kubesteward_tools.overlay.overlay import cluster_overlay

        return await cluster_overlay(desk, "" if cluster in _CURRENT else cluster)

    return look


def _of_object(parts: list[str], cluster: str) -> Look | None:
    if len(parts) != _PARTS or not all(parts):
        return None
    kind, namespace, name = parts

    async def look(desk: Desk) -> Overlay:
        from kubesteward_tools.overlay.overlay import object_overlay

        return await object_overlay(desk, kind, namespace, name, "" if cluster in _CURRENT else cluster)

    return look


def _cluster_in(query: str) -> str:
    given = parse_qs(query)
    if set(given) - {"cluster"} or len(given.get("cluster", "1")) != 1:
        raise InvalidArguments("the URI's query is not understood.", todo="It may be ?cluster=NAME.")
    return given.get("cluster", [""])[0]
