"""Named clusters to begin with, one YAML file each, so that a demonstration or a test has something to look at.

A file is a stream of documents, taken in order:
- `include: NAME` plays `parts/NAME.yaml` first;
- `wait: SECONDS` lets that much time pass; the last moment of the file is now;
- `delete: {...}` names an object (apiVersion, kind, metadata) to delete;
- anything else is applied as `kubectl apply` would, into its namespace; `status` goes to the status subresource.

What containers do is told by annotations of their pods (`sim.kubesteward.dev/...`, see the twin's outlook and logs).
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from kubesteward_policies.change import MERGE_PATCH, STRATEGIC_PATCH
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.twin import resources as kinds
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key

_A_MOMENT = 1.0
_SUFFIX = ".yaml"

Document = dict[str, Any]


def names() -> list[str]:
    return sorted(item.name.removesuffix(_SUFFIX) for item in _folder().iterdir() if item.name.endswith(_SUFFIX))


def _folder() -> Traversable:
    return resources.files(__name__)


def check(name: str) -> None:
    """Raises InvalidArguments with the right names when there is no such scenario."""
    if name not in names():
        raise InvalidArguments(f"there is no scenario {name!r}.", todo=f"Choose one of: {', '.join(names())}.")


def build(name: str, nodes: int, now: float) -> SimulatedCluster:
    """A cluster that has lived through the scenario, ending at `now` (epoch seconds).

    Raises:
        InvalidArguments: there is no such scenario.
    """
    check(name)
    documents = list(_documents(_folder() / f"{name}{_SUFFIX}"))
    length = sum(float(item.get("wait", _A_MOMENT)) for item in documents)
    cluster = SimulatedCluster.new(nodes=nodes, now=now - length, seed=name)
    for document in documents:
        if "wait" not in document:
            _write(cluster, document)
        passes = float(document.get("wait", _A_MOMENT))
        cluster.engine.advance(min(cluster.clock.now + passes, now))
    cluster.engine.advance(now)
    return cluster


def _documents(file: Traversable) -> Iterator[Document]:
    import yaml

    for document in yaml.safe_load_all(file.read_text("utf-8")):
        if document and "include" in document:
            yield from _documents(_folder() / "parts" / f"{document['include']}{_SUFFIX}")
        elif document:
            yield document


def _write(cluster: SimulatedCluster, document: Document) -> None:
    for request in _requests(cluster, document):
        response = cluster.handle(request)
        if response.status >= 400:
            raise ValueError(f"a scenario's {request.verb} {request.path} was refused: {response.body['message']}")


def _requests(cluster: SimulatedCluster, document: Document) -> Iterator[Request]:
    """What is there already is changed by what a document says of it, and keeps the rest."""
    if "delete" in document:
        kind, namespace, name = _place(document["delete"])
        yield Request("delete", kind.path(namespace, name))
        return
    kind, namespace, name = _place(document)
    content = {key: value for key, value in document.items() if key != "status"}
    if content.keys() - {"apiVersion", "kind", "metadata"} or "status" not in document:
        if cluster.store.get(Key(kind.resource, namespace, name)) is None:
            yield Request("create", kind.path(namespace), body=content)
        else:
            yield Request("patch", kind.path(namespace, name), {}, STRATEGIC_PATCH, content)
    if "status" in document:
        body = {"status": document["status"]}
        yield Request("patch", kind.path(namespace, name, "status"), {}, MERGE_PATCH, body)


def _place(document: Document) -> tuple[ResourceType, str, str]:
    kind = kinds.of(document["apiVersion"], document["kind"])
    if kind is None:
        raise ValueError(f"a scenario names the unknown kind {document['kind']!r}")
    metadata = document["metadata"]
    return kind, metadata.get("namespace", "default") if kind.namespaced else "", metadata["name"]
