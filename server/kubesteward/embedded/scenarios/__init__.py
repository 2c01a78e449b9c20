"""Named clusters to begin with, one YAML file each: objects in the order in which they are applied.

Documents before the first `---` with the comment `# then` are there from the start; the engine settles, the rest is
applied as a later change, so that the history of an incident is in the cluster too.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.twin import resources as kinds
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request

_LATER = "# then\n"
_BEGAN = 1800.0
"""Seconds before now at which a scenario begins, so that ages look lived-in."""


def names() -> list[str]:
    return sorted(item.name.removesuffix(".yaml") for item in _folder().iterdir() if item.name.endswith(".yaml"))


def _folder() -> Any:
    return resources.files(__name__)


def build(name: str, nodes: int, now: float) -> SimulatedCluster:
    """A cluster in the state that the scenario describes.

    Raises:
        InvalidArguments: there is no such scenario.
    """
    if name not in names():
        raise InvalidArguments(f"there is no scenario {name!r}.", todo=f"Choose one of: {', '.join(names())}.")
    cluster = SimulatedCluster.new(nodes=nodes, now=now - _BEGAN, seed=name)
    first, _, then = _folder().joinpath(f"{name}.yaml").read_text("utf-8").partition(_LATER)
    _apply(cluster, first)
    cluster.engine.advance(now - _BEGAN / 10)
    _apply(cluster, then)
    cluster.engine.advance(now)
    return cluster


def _apply(cluster: SimulatedCluster, text: str) -> None:
    import yaml

    for document in yaml.safe_load_all(text):
        if document:
            _write(cluster, document)
    cluster.engine.settle(60)


def _write(cluster: SimulatedCluster, document: dict[str, Any]) -> None:
    """Create it, or patch what is already there."""
    kind = kinds.of(document["apiVersion"], document["kind"])
    if kind is None:
        raise ValueError(f"a scenario names the unknown kind {document['kind']!r}")
    metadata = document["metadata"]
    namespace = metadata.get("namespace", "default") if kind.namespaced else ""
    if document.get("$delete"):
        request = Request("delete", kind.path(namespace, metadata["name"]))
    else:
        query = {"fieldManager": "scenario", "force": "true"}
        path = kind.path(namespace, metadata["name"])
        request = Request("patch", path, query, "application/apply-patch+yaml", document)
    response = cluster.handle(request)
    if response.status >= 400:
        raise ValueError(f"a scenario's {document['kind']} {metadata['name']} was refused: {response.body['message']}")
