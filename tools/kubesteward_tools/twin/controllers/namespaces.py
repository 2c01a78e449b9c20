"""A namespace that is deleted takes everything in it along, then goes itself."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key

_RESOURCES = tuple(kind.resource for kind in resources.STORED if kind.namespaced)


class Namespaces(Base):
    component = "namespace-controller"
    hears = Hears("namespaces", gone=True)

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == "namespaces" and event.type != "DELETED":
            if "deletionTimestamp" in event.obj["metadata"]:
                yield event.key.name
        elif event.type == "DELETED" and event.key.namespace:
            namespace = self.store.get(Key("namespaces", "", event.key.namespace))
            if namespace is not None and "deletionTimestamp" in namespace["metadata"]:
                yield event.key.namespace

    def reconcile(self, key: Hashable) -> None:
        name = str(key)
        namespace = self.store.get(Key("namespaces", "", name))
        if namespace is None or "deletionTimestamp" not in namespace["metadata"]:
            return
        left = 0
        for resource in (*_RESOURCES, *self._custom(name)):
            for item, obj in list(self.store.items(resource, name)):
                if "deletionTimestamp" not in obj["metadata"]:
                    self.api.delete(*item, options={"propagationPolicy": "Background"})
                left += self.store.get(item) is not None
        if not left:
            self.api.finalize(name, {"spec": {"finalizers": []}})

    def _custom(self, namespace: str) -> list[str]:
        """The custom resources that have objects in a namespace."""
        found = set(self.store.resources()).difference(_RESOURCES)
        return sorted(item for item in found if "." in item and self.store.count(item, namespace))
