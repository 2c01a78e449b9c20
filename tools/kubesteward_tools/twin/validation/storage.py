"""Claims, volumes and their classes. API docs: core/v1 PersistentVolumeClaimSpec, storage/v1 StorageClass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.selectors import label_selector

Spec = dict[str, Any]

_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
_ALONE = "ReadWriteOncePod"


def claim(obj: Spec) -> Iterator[FieldError]:
    yield from claim_spec("spec", obj.get("spec") or {})


def claim_spec(path: str, spec: Spec) -> Iterator[FieldError]:
    yield from _modes(path, spec.get("accessModes") or [], "at least 1 access mode is required")
    yield from label_selector(f"{path}.selector", spec.get("selector"))
    asked = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if asked is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from _size(f"{path}.resources[storage]", asked)
    yield from _volume_mode(path, spec)


def _modes(path: str, modes: list[str], lacking: str) -> Iterator[FieldError]:
    if not modes:
        yield required(f"{path}.accessModes", lacking)
    for mode in modes:
        if mode not in _MODES:
            yield not_supported(f"{path}.accessModes", mode, _MODES)
    if _ALONE in modes and len(set(modes)) > 1:
        yield forbidden_field(f"{path}.accessModes", f"may not use {_ALONE} with other access modes")


def _size(path: str, text: Any) -> Iterator[FieldError]:
    try:
        if parse(text) <= 0:
            yield invalid_value(path, text, "must be greater than zero")
    except ValueError as error:
        yield invalid_value(path, text, str(error))


def _volume_mode(path: str, spec: Spec) -> Iterator[FieldError]:
    if spec.get("volumeMode", "Filesystem") not in {"Block", "Filesystem"}:
        yield not_supported(f"{path}.volumeMode", spec["volumeMode"], ["Block", "Filesystem"])


def volume(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    yield from _modes("spec", spec.get("accessModes") or [], "")
    if not (spec.get("capacity") or {}).get("storage"):
        yield required("spec.capacity")
    else:
        yield from _size("spec.capacity[storage]", spec["capacity"]["storage"])
    policy = spec.get("persistentVolumeReclaimPolicy", "Retain")
    if policy not in {"Delete", "Recycle", "Retain"}:
        yield not_supported("spec.persistentVolumeReclaimPolicy", policy, ["Delete", "Recycle", "Retain"])
    yield from _volume_mode("spec", spec)


def storage_class(obj: Spec) -> Iterator[FieldError]:
    if not obj.get("provisioner"):
        yield required("provisioner")
    if obj.get("reclaimPolicy", "Delete") not in {"Delete", "Retain"}:
        yield not_supported("reclaimPolicy", obj["reclaimPolicy"], ["Delete", "Retain"])
    modes = ["Immediate", "WaitForFirstConsumer"]
    if obj.get("volumeBindingMode", "Immediate") not in modes:
        yield not_supported("volumeBindingMode", obj["volumeBindingMode"], modes)
