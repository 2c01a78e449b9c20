"""Which kinds an API server serves now: the built-in ones, those of the definitions in its store, and some it was told.

A world may hold custom resources without their definition, which not everybody may read. Their kind is known from
discovery or from the objects themselves then; their schema is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.custom.definitions import CRDS, Definition
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Store


class ServedKinds:
    """Looked up in the store every time, so that a definition counts from the moment it is there."""

    def __init__(self, store: Store | None = None, known: Iterable[ResourceType] = ()) -> None:
        self._store = store
        self._known = {(item.group, item.plural): item for item in known}

    def find(self, group: str, plural: str, version: str = "") -> ResourceType | None:
        """In one version, or in the version that objects are kept in."""
        built_in = resources.find(group, plural)
        if built_in is not None:
            return built_in if version in {"", built_in.version} else None
        definition = self.definition(f"{plural}.{group}")
        if definition is not None:
            wanted = version or definition.storage
            served = definition.established and (not version or version in definition.served())
            return definition.type(wanted) if served else None
        found = self._known.get((group, plural)) or self._by_example(group, plural)
        return found if found is not None and version in {"", found.version} else None

    def by_resource(self, resource: str) -> ResourceType | None:
        plural, _, group = resource.partition(".")
        return resources.by_resource(resource) or self.find(group, plural)

    def of(self, api_version: str, kind: str) -> ResourceType | None:
        """By what an object says of itself; the version is not compared."""
        built_in = resources.of(api_version, kind)
        if built_in is not None:
            return built_in
        group = api_version.rpartition("/")[0]
        for item in (*self.custom(), *self._known.values()):
            if (item.group, item.kind) == (group, kind):
                return self.find(item.group, item.plural)
        return None

    def definition(self, resource: str) -> Definition | None:
        if self._store is None or "." not in resource:
            return None
        found = self._store.get(Key(CRDS, "", resource))
        return None if found is None else Definition(found)

    def custom(self) -> Iterator[ResourceType]:
        """Every served version of every definition, sorted by the definitions' names."""
        for definition in self.definitions():
            if definition.established:
                yield from definition.types()

    def definitions(self) -> Iterator[Definition]:
        if self._store is not None:
            for obj in self._store.objects(CRDS):
                yield Definition(obj)

    def is_custom(self, kind: ResourceType) -> bool:
        return resources.by_resource(kind.resource) is None

    def _by_example(self, group: str, plural: str) -> ResourceType | None:
        """What an object of the resource shows of its type."""
        if self._store is None or not group:
            return None
        key, obj = next(self._store.items(f"{plural}.{group}"), (None, None))
        if key is None or obj is None or not obj.get("kind") or "/" not in obj.get("apiVersion", ""):
            return None
        version = obj["apiVersion"].rpartition("/")[2]
        return ResourceType(group, version, obj["kind"], plural, bool(key.namespace), obj["kind"].lower())
