"""Containers take environment variables from ConfigMaps and Secrets, one key or all of them.

API docs: v1.EnvVarSource, v1.EnvFromSource. A missing one keeps the container from starting unless it is optional.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, edge, point
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.templates import POD_LIKE, containers, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "env_from"
RESOURCES = POD_LIKE
DEPENDS: Depends = "source"

_ONE = {"configMapKeyRef": "configmaps", "secretKeyRef": "secrets"}
_ALL = {"configMapRef": "configmaps", "secretRef": "secrets"}


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Pod or template → ConfigMap or Secret; the detail names the variable, the container and the key."""
    del kinds
    edges: list[Edge] = []
    for container in containers(pod_spec(key, obj)):
        name = text(container.get("name"))
        for variable in mappings(container.get("env")):
            if "valueFrom" in variable:
                edges += _one(key, variable, mapping(variable["valueFrom"]), name)
        if "envFrom" in container:
            edges += _all(key, mappings(container["envFrom"]), name)
    return edges


def _one(key: Key, variable: Object, source: Object, container: str) -> Iterable[Edge]:
    for field in source:
        if field in _ONE:
            reference = mapping(source[field])
            if name := text(reference.get("name")):
                where = f"env {text(variable.get('name'))} of container {container}, key {text(reference.get('key'))}"
                target = point(_ONE[field], key.namespace, name)
                return (edge((RELATION, key, target, intern(where), reference.get("optional") is True, 1.0)),)
    return ()


def _all(key: Key, sources: list[Object], container: str) -> list[Edge]:
    detail, edges = intern(f"envFrom of container {container}"), []
    for source in sources:
        for field in source:
            if field in _ALL:
                reference = mapping(source[field])
                if name := text(reference.get("name")):
                    target = point(_ALL[field], key.namespace, name)
                    edges.append(edge((RELATION, key, target, detail, reference.get("optional") is True, 1.0)))
    return edges
