"""The relations of the world's graph: one file each, found by folder. A relation that is there twice is an error.

A relation reads one object and says what it points to, so that the graph can look again at just the object that an
event names. Its module has RELATION (the name), RESOURCES (what it reads: a tuple of resources, or "*" for all),
DEPENDS (which end breaks or changes when the other does), perhaps DEPENDS_BY_KIND with exceptions by (source resource,
target resource), "*" for any, and `derive(key, obj, kinds)`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, Link, Selection
from kubesteward_tools.world.store import Key, Object

__all__ = ["Depends", "Edge", "Kinds", "Link", "Relation", "Selection", "depends", "derive", "load", "names"]

Derive = Callable[[Key, Object, Kinds], Iterable[Link]]


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation as its module declares it."""

    name: str
    resources: tuple[str, ...]  # ("*",): all
    depends: Depends
    exceptions: Mapping[tuple[str, str], Depends]
    derive: Derive


def load(modules: Iterable[ModuleType]) -> dict[str, Relation]:
    """The relations among the modules by name, sorted.

    Raises:
        ValueError: two relations have one name.
    """
    found: dict[str, Relation] = {}
    for module in modules:
        if (name := getattr(module, "RELATION", None)) is None:
            continue
        if name in found:
            raise ValueError(f"two relations are called {name!r}; the second one is in {module.__name__}")
        found[name] = _relation(name, module)
    return dict(sorted(found.items()))


def _relation(name: str, module: ModuleType) -> Relation:
    resources = ("*",) if module.RESOURCES == "*" else tuple(module.RESOURCES)
    return Relation(name, resources, module.DEPENDS, getattr(module, "DEPENDS_BY_KIND", {}), module.derive)


def _modules() -> list[ModuleType]:
    return [importlib.import_module(found.name) for found in pkgutil.iter_modules(__path__, f"{__name__}.")]


_RELATIONS = load(_modules())
_EVERYWHERE = tuple(item.derive for item in _RELATIONS.values() if item.resources == ("*",))
_BY_RESOURCE: dict[str, tuple[Derive, ...]] = {
    resource: tuple(item.derive for item in _RELATIONS.values() if {"*", resource} & {*item.resources})
    for resource in sorted({resource for item in _RELATIONS.values() for resource in item.resources} - {"*"})
}


def names() -> tuple[str, ...]:
    """The names of all relations, sorted."""
    return tuple(_RELATIONS)


def resources() -> tuple[str, ...]:
    """What has to be in the store so that every relation is seen, custom kinds with owners aside; sorted."""
    return tuple(_BY_RESOURCE)


def derive(key: Key, obj: Object, kinds: Kinds) -> list[Link]:
    """All that one object points to, in the order of the relations' names. Never raises, whatever the object holds."""
    found: list[Link] = []
    for read in _BY_RESOURCE.get(key.resource, _EVERYWHERE):
        found += read(key, obj, kinds)
    return found


def depends(relation: str, source: str, target: str = "") -> Depends:
    """Which end of an edge between these resources breaks or changes when the other does.

    `endpoints` and `grants` need `target`: of one source, the one end depends here and the other there.

    Raises:
        KeyError: there is no such relation.
    """
    found = _RELATIONS[relation]
    for pair in ((source, target), (source, "*"), ("*", target)):
        if (exception := found.exceptions.get(pair)) is not None:
            return exception
    return found.depends
