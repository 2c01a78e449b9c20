"""Short ways to write the objects of these tests and to read what is derived from them."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.relations import Edge, Link, Selection, derive
from kubesteward_tools.world.store import Key, Object

CUSTOM = {
    ("shop.example.com", "Shelf"): ResourceType("shop.example.com", "v1", "Shelf", "shelves", namespaced=True),
    ("shop.example.com", "Mall"): ResourceType("shop.example.com", "v1", "Mall", "malls", namespaced=False),
}


def kinds(group: str, kind: str) -> ResourceType | None:
    """A cluster that knows two custom kinds beside what is built in, one of them without namespaces."""
    return CUSTOM.get((group, kind))


def links(relation: str, resource: str, obj: Object, namespace: str = "shop", name: str = "web") -> list[Link]:
    """What one relation says about one object."""
    found = derive(Key(resource, namespace, name), obj, kinds)
    return [link for link in found if link.relation == relation]


def targets(relation: str, resource: str, obj: Object, namespace: str = "shop") -> list[tuple[str, str, str, str]]:
    """Resource, namespace and name of each target, and the edge's detail."""
    found = links(relation, resource, obj, namespace)
    return [(*link.target, link.detail) for link in found if isinstance(link, Edge)]


def selected(relation: str, resource: str, obj: Object, namespace: str = "shop") -> list[tuple[Any, ...]]:
    """Resource, namespace, selector and detail of each selection."""
    found = links(relation, resource, obj, namespace)
    return [tuple(link[2:]) for link in found if isinstance(link, Selection)]


def pod(**spec: Any) -> Object:
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def workload(**spec: Any) -> Object:
    """A Deployment, StatefulSet, DaemonSet, ReplicaSet or Job with this pod template."""
    return {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": {"spec": spec}}}


def app(**fields: Any) -> Object:
    """A container called app."""
    return {"name": "app", **fields}
