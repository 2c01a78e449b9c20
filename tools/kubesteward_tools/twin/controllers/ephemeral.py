"""Claims for the ephemeral volumes of pods: each lives and goes with its pod. KEP-1698."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.controllers.claims import CLAIMS
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Event, Key, Object


class Ephemeral(Base):
    component = "ephemeral-volume-controller"
    hears = Hears("pods")

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == "pods" and event.type == "ADDED" and any(_templates(event.obj)):
            yield event.key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (pod := self.store.get(key)) is None or is_terminal(pod):
            return
        for name, template in _templates(pod):
            if self.store.get(Key(CLAIMS, key.namespace, name)) is None:
                self._create(key, pod, name, template)

    def _create(self, key: Key, pod: Object, name: str, template: Object) -> None:
        owner = {**owner_reference(pod), "apiVersion": "v1", "kind": "Pod"}
        metadata = {**(template.get("metadata") or {}), "name": name, "ownerReferences": [owner]}
        claim = {"metadata": metadata, "spec": template.get("spec") or {}}
        try:
            self.api.create(CLAIMS, key.namespace, claim, user=self.user)
        except ApiError as error:
            message = f"ephemeral volume {name}: create PVC {name}: {error.message}"
            self.event(pod, "Warning", "FailedCreate", message)


def _templates(pod: Object) -> Iterable[tuple[str, Object]]:
    for volume in pod["spec"].get("volumes") or ():
        if template := (volume.get("ephemeral") or {}).get("volumeClaimTemplate"):
            yield f"{pod['metadata']['name']}-{volume['name']}", template
