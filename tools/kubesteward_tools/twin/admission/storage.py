"""What admission adds to a new claim: the default class, and the protection that holds it while a pod uses it."""

from __future__ import annotations

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.world.store import Object

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


def _is_default(storage_class: Object) -> bool:
    return bool((storage_class["metadata"].get("annotations") or {}).get(_DEFAULT) == "true")


def _age(storage_class: Object) -> tuple[str, str]:
    metadata = storage_class["metadata"]
    return metadata.get("creationTimestamp", ""), metadata["name"]
