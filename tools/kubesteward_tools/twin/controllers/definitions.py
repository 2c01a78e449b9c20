"""CustomResourceDefinitions: their names are accepted when they become free, and their objects go before they do.

Source: apiextensions-apiserver's naming, establishing and finalizing controllers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.custom import naming
from kubesteward_tools.twin.custom.definitions import CLEANUP, CRDS, Definition
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key, Object


class Definitions(Base):
    component = "customresourcedefinition-controller"
    hears = Hears(CRDS, gone=True)

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == CRDS:
            if event.type != "DELETED":
                yield event.key.name
            group = event.key.name.partition(".")[2]
            yield from (key.name for key in self.store.keys(CRDS) if key.name.endswith(f".{group}"))
        elif event.type == "DELETED" and "." in event.key.resource and self._terminating(event.key.resource):
            yield event.key.resource

    def _terminating(self, name: str) -> bool:
        found = self.store.get(Key(CRDS, "", name))
        return found is not None and "deletionTimestamp" in found["metadata"]

    def reconcile(self, key: Hashable) -> None:
        name = str(key)
        obj = self.store.get(Key(CRDS, "", name))
        if obj is None:
            return
        if "deletionTimestamp" in obj["metadata"]:
            self._clean(name, obj)
            return
        others = (Definition(other) for other in self.store.objects(CRDS))
        self.api.update_status(CRDS, "", name, naming.status(obj, others, self.api.clock.timestamp))

    def _clean(self, name: str, obj: Object) -> None:
        """Delete the objects; their finalizers hold them, and through them the definition."""
        if CLEANUP not in (obj["metadata"].get("finalizers") or ()):
            return
        for key in list(self.store.keys(name)):
            found = self.store.get(key)
            if found is not None and "deletionTimestamp" not in found["metadata"]:
                self.api.delete(*key)
        if not self.store.count(name):
            rest = [item for item in obj["metadata"]["finalizers"] if item != CLEANUP]
            metadata = {**obj["metadata"], "finalizers": rest}
            self.api.update(CRDS, "", name, {**obj, "metadata": metadata}, user=self.user)
