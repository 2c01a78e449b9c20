"""Claims and their volumes: a claim in use is held until its last pod goes; then its volume follows its reclaim policy.

Docs: "Storage Object in Use Protection", "Persistent Volumes: Reclaiming".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key, Object

CLAIMS, VOLUMES = "persistentvolumeclaims", "persistentvolumes"
_PROTECTION = "kubernetes.io/pvc-protection"


class Claims(Base):
    component = "pvc-protection-controller"
    hears = Hears(CLAIMS, "pods")

    def watches(self, event: Event) -> Iterable[Hashable]:
        key, obj = event.key, event.obj
        if key.resource == "pods" and event.type == "DELETED":
            yield from claims_of(obj)
        elif key.resource == CLAIMS and event.type == "DELETED":
            yield Key(VOLUMES, "", (obj.get("spec") or {}).get("volumeName") or "")
        elif key.resource == CLAIMS and "deletionTimestamp" in obj["metadata"]:
            yield key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (obj := self.store.get(key)) is None:
            return
        if key.resource == VOLUMES:
            self._reclaim(key, obj)
        elif "deletionTimestamp" in obj["metadata"] and not self._is_used(key):
            finalizers = obj["metadata"].get("finalizers") or []
            if _PROTECTION in finalizers:
                self._release(key, obj, [item for item in finalizers if item != _PROTECTION])

    def _release(self, key: Key, claim: Object, finalizers: list[str]) -> None:
        new = {**claim, "metadata": {**claim["metadata"], "finalizers": finalizers}}
        self.api.update(*key, new, user=self.user)

    def _is_used(self, claim: Key) -> bool:
        """By a pod that has a node: one that has none yet cannot start with a claim that is going."""
        keys = (key for key, facts in self.store.known("pods", claim.namespace) if facts.node)
        return any(claim in claims_of(pod) for key in keys if (pod := self.store.get(key)) is not None)

    def _reclaim(self, key: Key, volume: Object) -> None:
        claim = volume["spec"].get("claimRef") or {}
        found = self.store.get(Key(CLAIMS, claim.get("namespace", ""), claim.get("name", "")))
        if found is not None:
            return
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            metadata = {name: value for name, value in volume["metadata"].items() if name != "finalizers"}
            self.api.replace(key, {**volume, "metadata": metadata})
            self.api.remove(*key)
        else:
            self.api.update_status(*key, {**(volume.get("status") or {}), "phase": "Released"})


def claims_of(pod: Object) -> Iterator[Key]:
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if source := volume.get("persistentVolumeClaim"):
            yield Key(CLAIMS, pod["metadata"].get("namespace", ""), source["claimName"])
