"""What admission adds to a new claim: the default class, and the protection that holds it while a pod uses it."""

from __future__ import annotations

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import forbidden
from kubesteward_tools.world.store import Key, Object

CLAIMS, CLASSES = "persistentvolumeclaims", "storageclasses.storage.k8s.io"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_PROTECTION = "kubernetes.io/pvc-protection"


def default_class(attempt: Attempt) -> None:
    """Of several defaults the youngest. A claim that names the class "" wants none."""
    if attempt.resource != CLAIMS or attempt.operation != "CREATE":
        return
    spec, metadata = attempt.obj["spec"], attempt.obj["metadata"]
    if spec.get("storageClassName") is None and _OLD_CLASS not in (metadata.get("annotations") or {}):
        defaults = [item for item in attempt.store.objects(CLASSES) if _is_default(item)]
        if defaults:
            spec["storageClassName"] = max(defaults, key=_age)["metadata"]["name"]


def protection(attempt: Attempt) -> None:
    if attempt.resource == CLAIMS and attempt.operation == "CREATE":
        finalizers = attempt.obj["metadata"].setdefault("finalizers", [])
        if _PROTECTION not in finalizers:
            finalizers.append(_PROTECTION)


def resizable(attempt: Attempt) -> None:
    """Raises ApiError 403 when a claim is to grow whose class does not allow it (PersistentVolumeClaimResize)."""
    if attempt.resource != CLAIMS or attempt.old is None or attempt.subresource:
        return
    now, was = (
        ((item["spec"].get("resources") or {}).get("requests") or {}).get("storage", "0")
        for item in (attempt.obj, attempt.old)
    )
    if parse(now) <= parse(was) or not attempt.old["spec"].get("volumeName"):
        return
    storage_class = attempt.store.get(Key(CLASSES, "", attempt.obj["spec"].get("storageClassName") or "")) or {}
    if not storage_class.get("allowVolumeExpansion"):
        why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must "
        why += "support resize"
        raise forbidden(attempt.kind, attempt.name, why)


def _is_default(storage_class: Object) -> bool:
    return bool((storage_class["metadata"].get("annotations") or {}).get(_DEFAULT) == "true")


def _age(storage_class: Object) -> tuple[str, str]:
    metadata = storage_class["metadata"]
    return metadata.get("creationTimestamp", ""), metadata["name"]
