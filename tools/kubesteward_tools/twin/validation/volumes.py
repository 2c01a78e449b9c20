"""A pod's volumes. API doc: core/v1 Volume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, required
from kubesteward_tools.twin.validation.metadata import LABEL, LABEL_HELP

_MUST_NAME = {
    "persistentVolumeClaim": "claimName",
    "configMap": "name",
    "secret": "secretName",
    "hostPath": "path",
}


def volumes(path: str, found: Any) -> Iterator[FieldError]:
    seen = set[str]()
    for at, volume in enumerate(found):
        where, name = f"{path}[{at}]", volume.get("name") or ""
        if not name:
            yield required(f"{where}.name")
        elif not LABEL.fullmatch(name):
            yield invalid_value(f"{where}.name", name, LABEL_HELP)
        elif name in seen:
            yield FieldError("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{name}"')
        seen.add(name)
        yield from _source(where, volume)


def _source(path: str, volume: dict[str, Any]) -> Iterator[FieldError]:
    kinds = [key for key, value in volume.items() if key != "name" and value is not None]
    for extra in kinds[1:]:
        yield forbidden_field(f"{path}.{extra}", "may not specify more than 1 volume type")
    for kind, field in _MUST_NAME.items():
        if kind in kinds and not volume[kind].get(field):
            yield required(f"{path}.{kind}.{field}")
