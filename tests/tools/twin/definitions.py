"""A definition and its objects, as tests of custom resources need them."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request, Response

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WIDGETS = "/apis/example.com/v1/namespaces/default/widgets"
MERGE, JSON = "application/merge-patch+json", "application/json-patch+json"
NOW = 1_800_000_000.0
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["size"],
    "properties": {
        "size": {"type": "integer", "minimum": 1, "maximum": 10},
        "colour": {"type": "string", "enum": ["red", "blue"], "default": "red"},
        "replicas": {"type": "integer"},
        "note": {"type": "string", "nullable": True, "maxLength": 5, "pattern": "^[a-z]*$"},
        "port": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "parts": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "count": {"type": "integer", "default": 1}},
            },
        },
    },
}
STATUS = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def version(name: str = "v1", *, storage: bool = True, spec: dict[str, Any] = SPEC, **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": spec, "status": STATUS}}
    paths = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    found = {"name": name, "served": True, "storage": storage, "schema": {"openAPIV3Schema": schema}}
    return {**found, "subresources": {"status": {}, "scale": paths}, **more}


def definition(*versions: dict[str, Any], plural: str = "widgets", kind: str = "Widget", **spec: Any) -> dict[str, Any]:
    names = {"plural": plural, "kind": kind, "shortNames": [plural[:2]], "categories": ["all"]}
    body = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": list(versions or [version()])}
    metadata = {"name": f"{plural}.example.com"}
    kind_ = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind_, "metadata": metadata, "spec": {**body, **spec}}


def widget(name: str = "w", *, api: str = "example.com/v1", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": "Widget", "metadata": {"name": name}, "spec": {"size": 1, **spec}}


def cluster_with(*objects: dict[str, Any]) -> SimulatedCluster:
    """A cluster with a definition (the usual one where none is given) and the objects."""
    cluster = SimulatedCluster.new(nodes=1, now=NOW)
    if not any(obj["kind"] == "CustomResourceDefinition" for obj in objects):
        objects = (definition(), *objects)
    for obj in objects:
        done = ask(cluster, "create", CRDS if obj["kind"] == "CustomResourceDefinition" else WIDGETS, obj)
        assert done.status == 201, done.body
        cluster.engine.settle()
    return cluster


def ask(
    cluster: SimulatedCluster, verb: str, path: str, body: Any = None, content: str = MERGE, **query: str
) -> Response:
    content = "application/json" if verb != "patch" else content
    return cluster.handle(Request(verb, path, query, content, body))
