"""The claims that a StatefulSet makes for its pods, and what becomes of them. KEP-1847."""

from __future__ import annotations

from kubesteward_tools.twin.controllers import ordinals
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.controllers.claims import CLAIMS
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Key, Object


class TemplatedClaims:
    """Written in the name of the controller given."""

    def __init__(self, controller: Base) -> None:
        self._controller = controller
        self._api, self._store = controller.api, controller.store

    def ensure(self, stateful_set: Object, ordinal: int) -> None:
        """Make those that are missing. Raises ApiError when one is refused."""
        where = stateful_set["metadata"]["namespace"]
        for claim in ordinals.claims(stateful_set, ordinal).values():
            if self._store.get(Key(CLAIMS, where, claim["metadata"]["name"])) is None:
                self._create(stateful_set, ordinal, claim)

    def _create(self, stateful_set: Object, ordinal: int, claim: Object) -> None:
        metadata, name = stateful_set["metadata"], claim["metadata"]["name"]
        what = f"Create Claim {name} Pod {ordinals.name_of(stateful_set, ordinal)} in StatefulSet {metadata['name']}"
        try:
            self._api.create(CLAIMS, metadata["namespace"], claim, user=self._controller.user)
        except ApiError as error:
            message = f"{what} failed error: {error.message}"
            self._controller.event(stateful_set, "Warning", "FailedCreate", message)
            raise
        self._controller.event(stateful_set, "Normal", "SuccessfulCreate", f"{what} success")

    def are_going(self, stateful_set: Object, ordinal: int) -> bool:
        """Whether one is being deleted, or is about to be with the pod that had this name before."""
        where, pod_name = stateful_set["metadata"]["namespace"], ordinals.name_of(stateful_set, ordinal)
        for claim in ordinals.claims(stateful_set, ordinal).values():
            found = self._store.get(Key(CLAIMS, where, claim["metadata"]["name"]))
            owners = (found or {"metadata": {}})["metadata"].get("ownerReferences") or ()
            if any(owner["kind"] == "Pod" and owner["name"] == pod_name for owner in owners):
                return True
            if found is not None and "deletionTimestamp" in found["metadata"]:
                return True
        return False

    def retain(self, stateful_set: Object, pod: Object) -> None:
        """Give the claims the owners that the retention policy asks for."""
        ordinal = ordinals.ordinal_of(stateful_set, pod)
        if ordinal is None:
            return
        for claim in ordinals.claims(stateful_set, ordinal).values():
            key = Key(CLAIMS, stateful_set["metadata"]["namespace"], claim["metadata"]["name"])
            found = self._store.get(key)
            if found is None or "deletionTimestamp" in found["metadata"]:
                continue
            old = found["metadata"].get("ownerReferences") or []
            new = ordinals.claim_owners(stateful_set, pod, old)
            if new != old:
                rest = {name: value for name, value in found["metadata"].items() if name != "ownerReferences"}
                metadata = {**rest, **({"ownerReferences": new} if new else {})}
                self._api.replace(key, {**found, "metadata": metadata})
