"""Containers take environment variables from ConfigMaps and Secrets, one key or all of them.

API docs: v1.EnvVarSource, v1.EnvFromSource. A missing one keeps the container from starting unless it is optional.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.templates import POD_LIKE, containers, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "env_from"
RESOURCES = POD_LIKE
DEPENDS: Depends = "source"

_ONE = (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets"))
_ALL = (("configMapRef", "configmaps"), ("secretRef", "secrets"))


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Pod or template → ConfigMap or Secret; the detail names the variable, the container and the key."""
    del kinds
    for container in containers(pod_spec(key, obj)):
        if container.get("env"):
            yield from _variables(key, container)
        if container.get("envFrom"):
            yield from _whole(key, container)


def _variables(key: Key, container: Object) -> Iterator[Edge]:
    for variable in mappings(container["env"]):
        if (source := variable.get("valueFrom")) and isinstance(source, dict):
            for field, resource in _ONE:
                reference = source.get(field)
                if reference and isinstance(reference, dict) and (name := text(reference.get("name"))):
                    where = f"env {text(variable.get('name'))} of container {text(container.get('name'))}"
                    detail = intern(f"{where}, key {text(reference.get('key'))}")
                    target = Key(resource, key.namespace, name)
                    yield Edge(RELATION, key, target, detail, reference.get("optional") is True)


def _whole(key: Key, container: Object) -> Iterator[Edge]:
    detail = intern(f"envFrom of container {text(container.get('name'))}")
    for source in mappings(container["envFrom"]):
        for field, resource in _ALL:
            reference = mapping(source.get(field))
            if name := text(reference.get("name")):
                yield Edge(RELATION, key, Key(resource, key.namespace, name), detail, reference.get("optional") is True)
