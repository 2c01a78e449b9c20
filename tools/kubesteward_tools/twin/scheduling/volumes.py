"""Volumes: claims must exist and be bound, and bound volumes must be reachable from the node."""

from __future__ import annotations

from kubesteward_tools.twin.scheduling.affinity import matches_terms
from kubesteward_tools.world.store import Key, Object, Store

CONFLICT = "node(s) had volume node affinity conflict"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
_STORAGE = "storageclasses.storage.k8s.io"


def claims(pod: Object) -> list[str]:
    names = [
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    ]
    own = pod["metadata"].get("name", "")
    return names + [f"{own}-{item['name']}" for item in pod["spec"].get("volumes") or () if item.get("ephemeral")]


def blocked(store: Store, pod: Object) -> str:
    """Why no node at all can take the pod: a claim that is missing or not bound, "" when there is none."""
    namespace = pod["metadata"].get("namespace", "")
    for name in claims(pod):
        claim = store.get(Key("persistentvolumeclaims", namespace, name))
        if claim is None:
            return f'persistentvolumeclaim "{name}" not found'
        if "deletionTimestamp" in claim["metadata"]:
            return f'persistentvolumeclaim "{name}" is being deleted'
        if not claim["spec"].get("volumeName") and not _waits(store, claim):
            return UNBOUND
    return ""


def _waits(store: Store, claim: Object) -> bool:
    """The class binds when the first consumer comes."""
    found = store.get(Key(_STORAGE, "", claim["spec"].get("storageClassName") or ""))
    return (found or {}).get("volumeBindingMode") == "WaitForFirstConsumer"


def reachable(store: Store, pod: Object, node: Object) -> str:
    namespace = pod["metadata"].get("namespace", "")
    for name in claims(pod):
        claim = store.get(Key("persistentvolumeclaims", namespace, name))
        volume = store.get(Key("persistentvolumes", "", (claim or {"spec": {}})["spec"].get("volumeName") or ""))
        required = (((volume or {}).get("spec") or {}).get("nodeAffinity") or {}).get("required")
        if required and not matches_terms(required, node):
            return CONFLICT
    return ""
