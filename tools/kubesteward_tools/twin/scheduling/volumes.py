"""Volumes: claims must exist and be bound or bindable on the node, and bound volumes must be reachable from it.

API docs: core/v1 PersistentVolumeClaim, storage/v1 StorageClass (volumeBindingMode, allowedTopologies).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from kubesteward_tools.twin.amounts import amounts
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.scheduling.affinity import matches_terms
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object, Store

CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NOT_BINDABLE = "node(s) didn't find available persistent volumes to bind"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
ZONE = "node(s) had no available volume zone"
IN_USE = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_STORAGE = "storageclasses.storage.k8s.io"
_ZONES = (
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
)


def claim_names(pod: Object) -> Iterable[str]:
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            yield volume["persistentVolumeClaim"]["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod['metadata'].get('name', '')}-{volume['name']}"


class Volumes:
    """The claims of one pod, looked up once and asked for each node."""

    def __init__(self, store: Store, pod: Object) -> None:
        self._store, self._namespace = store, pod["metadata"].get("namespace", "")
        self._names = list(claim_names(pod))
        self._claims = [store.get(Key("persistentvolumeclaims", self._namespace, name)) for name in self._names]
        self.any = bool(self._names)
        self._taken = any(self._exclusive_elsewhere(name, pod) for name in self._exclusive())

    def blocked(self) -> str:
        """Why no node at all can take the pod: a claim that is missing or not bound, "" when there is none."""
        for name, claim in zip(self._names, self._claims, strict=True):
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if "deletionTimestamp" in claim["metadata"]:
                return f'persistentvolumeclaim "{name}" is being deleted'
            if not claim["spec"].get("volumeName") and not self._waits(claim):
                return UNBOUND
        return ""

    def reason(self, node: Object) -> str:
        """Why this node cannot have them, "" when it can."""
        bound = [claim for claim in self._claims if claim and claim["spec"].get("volumeName")]
        volumes = [self._store.get(Key("persistentvolumes", "", claim["spec"]["volumeName"])) for claim in bound]
        if any(volume is None for volume in volumes):
            return NO_VOLUME
        if not all(reachable(volume, node) for volume in volumes if volume):
            return CONFLICT
        waiting = [claim for claim in self._claims if claim and not claim["spec"].get("volumeName")]
        if not all(self._bindable(claim, node) for claim in waiting):
            return NOT_BINDABLE
        return "" if all(in_zone(volume, node) for volume in volumes if volume) else ZONE

    def in_use(self) -> str:
        return IN_USE if self._taken else ""

    def _exclusive(self) -> Iterable[str]:
        for name, claim in zip(self._names, self._claims, strict=True):
            if claim and "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
                yield name

    def _exclusive_elsewhere(self, name: str, pod: Object) -> bool:
        placed = (key for key, facts in self._store.known("pods", self._namespace) if facts.node)
        others = (self._store.get(key) for key in placed if key.name != pod["metadata"].get("name"))
        return any(other and name in claim_names(other) and not is_terminal(other) for other in others)

    def _class(self, claim: Object) -> Object:
        return self._store.get(Key(_STORAGE, "", claim["spec"].get("storageClassName") or "")) or {}

    def _waits(self, claim: Object) -> bool:
        """The class binds when the first consumer comes."""
        return self._class(claim).get("volumeBindingMode") == "WaitForFirstConsumer"

    def _bindable(self, claim: Object, node: Object) -> bool:
        found = self._class(claim)
        if found.get("provisioner") != "kubernetes.io/no-provisioner" and _allowed(found, node):
            return True
        return any(
            fits(volume, claim) and reachable(volume, node) for volume in self._store.objects("persistentvolumes")
        )


def _allowed(storage_class: Object, node: Object) -> bool:
    terms = storage_class.get("allowedTopologies")
    labels = node["metadata"].get("labels") or {}
    return not terms or any(
        all(labels.get(item["key"]) in item["values"] for item in term.get("matchLabelExpressions") or ())
        for term in terms
    )


def fits(volume: Object, claim: Object) -> bool:
    """Whether a volume that nobody has could be this claim's."""
    spec, wanted = volume["spec"], claim["spec"]
    holder = spec.get("claimRef")
    if holder and (holder.get("namespace"), holder.get("name")) != (
        claim["metadata"].get("namespace"),
        claim["metadata"]["name"],
    ):
        return False
    size = amounts((wanted.get("resources") or {}).get("requests")).get("storage", Fraction(0))
    return (
        "deletionTimestamp" not in volume["metadata"]
        and (spec.get("storageClassName") or "") == (wanted.get("storageClassName") or "")
        and (spec.get("volumeMode") or "Filesystem") == (wanted.get("volumeMode") or "Filesystem")
        and set(wanted.get("accessModes") or ()) <= set(spec.get("accessModes") or ())
        and amounts(spec.get("capacity")).get("storage", Fraction(0)) >= size
        and (wanted.get("selector") is None or matches(wanted["selector"], volume["metadata"].get("labels")))
    )


def reachable(volume: Object, node: Object) -> bool:
    required = (volume["spec"].get("nodeAffinity") or {}).get("required")
    return required is None or matches_terms(required, node)


def in_zone(volume: Object, node: Object) -> bool:
    """A volume's zone labels must be the node's; several zones are joined by two underscores."""
    labels, here = volume["metadata"].get("labels") or {}, node["metadata"].get("labels") or {}
    return all(here.get(key) in labels[key].split("__") for key in _ZONES if key in labels)
