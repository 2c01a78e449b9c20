"""The garbage collector: dependents follow their owners, in the background, in the foreground, or not at all.

Docs: "Garbage Collection"; finalizers `foregroundDeletion` and `orphan`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import NamedTuple

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.deletion import FOREGROUND, ORPHAN
from kubesteward_tools.world.store import Event, Key, Object


class _Gone(NamedTuple):
    uid: str


class Garbage(Base):
    component = "generic-garbage-collector"

    def watches(self, event: Event) -> Iterable[Hashable]:
        metadata = event.obj["metadata"]
        if event.type == "DELETED":
            if self.store.owned_by(metadata.get("uid", "")):
                yield _Gone(metadata["uid"])
            yield from self._foreground_owners(event.obj, event.key.namespace)
        elif "deletionTimestamp" in metadata and not {FOREGROUND, ORPHAN}.isdisjoint(metadata.get("finalizers") or ()):
            yield event.key

    def _foreground_owners(self, obj: Object, namespace: str) -> Iterable[Key]:
        for owner in obj["metadata"].get("ownerReferences") or ():
            kind = self.api.kinds.of(owner["apiVersion"], owner["kind"])
            if kind is not None:
                key = Key(kind.resource, namespace if kind.namespaced else "", owner["name"])
                found = self.store.get(key)
                if found is not None and FOREGROUND in (found["metadata"].get("finalizers") or ()):
                    yield key

    def reconcile(self, key: Hashable) -> None:
        if isinstance(key, _Gone):
            self._collect(key.uid)
        elif isinstance(key, Key) and (obj := self.store.get(key)) is not None:
            finalizers = obj["metadata"].get("finalizers") or []
            if ORPHAN in finalizers:
                self._orphan(obj["metadata"]["uid"])
                self._release(key, obj, ORPHAN)
            elif FOREGROUND in finalizers and not self._blocking(obj):
                self._release(key, obj, FOREGROUND)

    def _collect(self, uid: str) -> None:
        """Delete what has no owner left; take the dead reference away from what has."""
        for key in self.store.owned_by(uid):
            obj = self.store.get(key)
            if obj is None:
                continue
            others = [ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != uid]
            if others:
                self.api.replace(key, {**obj, "metadata": {**obj["metadata"], "ownerReferences": others}})
            elif "deletionTimestamp" not in obj["metadata"]:
                self.api.delete(*key, options={"propagationPolicy": "Background"})

    def _orphan(self, uid: str) -> None:
        for key in self.store.owned_by(uid):
            obj = self.store.get(key)
            if obj is not None:
                metadata = {**obj["metadata"]}
                metadata["ownerReferences"] = [ref for ref in metadata["ownerReferences"] if ref["uid"] != uid]
                if not metadata["ownerReferences"]:
                    del metadata["ownerReferences"]
                self.api.replace(key, {**obj, "metadata": metadata})

    def _blocking(self, owner: Object) -> bool:
        """Delete the dependents, each in the foreground too; whether any of those that block is still there."""
        blocking, uid = False, owner["metadata"]["uid"]
        for key in self.store.owned_by(uid):
            obj = self.store.get(key)
            if obj is None:
                continue
            if "deletionTimestamp" not in obj["metadata"]:
                has_own = bool(self.store.owned_by(obj["metadata"]["uid"]))
                self.api.delete(*key, options={"propagationPolicy": "Foreground" if has_own else "Background"})
            references = obj["metadata"]["ownerReferences"]
            blocks = any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in references)
            blocking = blocking or (blocks and self.store.get(key) is not None)
        return blocking

    def _release(self, key: Key, obj: Object, finalizer: str) -> None:
        rest = [item for item in obj["metadata"].get("finalizers") or () if item != finalizer]
        metadata = {**obj["metadata"], "finalizers": rest}
        self.api.update(*key, {**obj, "metadata": metadata}, user=self.user)
