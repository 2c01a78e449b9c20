"""ConfigMaps, Secrets and PriorityClasses. API docs: core/v1, scheduling/v1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, required

Obj = dict[str, Any]

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_KEY_HELP = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LARGEST = 1024 * 1024
_NEEDED = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
_EITHER = ("username", "password")
_HIGHEST = 1_000_000_000
_OF_THE_SYSTEM = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def config_map(obj: Obj) -> Iterator[FieldError]:
    plain, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for field, values in (("data", plain), ("binaryData", binary)):
        for key, value in values.items():
            if not _KEY.fullmatch(key):
                yield invalid_value(f"{field}[{key}]", key, _KEY_HELP)
            if key in binary and field == "data":
                yield invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
            if not isinstance(value, str):
                yield invalid_value(f"{field}[{key}]", value, "must be a string")
    yield from _too_long("", [*plain.values(), *binary.values()])


def _too_long(path: str, values: list[Any]) -> Iterator[FieldError]:
    if sum(len(value.encode()) for value in values if isinstance(value, str)) > _LARGEST:
        yield FieldError("FieldValueTooLong", path, f"Too long: may not be more than {_LARGEST} bytes")


def secret(obj: Obj) -> Iterator[FieldError]:
    data, kind = obj.get("data") or {}, obj.get("type", "Opaque")
    for key in data:
        if not _KEY.fullmatch(key):
            yield invalid_value(f"data[{key}]", key, _KEY_HELP)
    for key in _NEEDED.get(kind, ()):
        if key not in data:
            yield required(f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and not any(key in data for key in _EITHER):
        yield from (required(f"data[{key}]") for key in _EITHER)
    note = "kubernetes.io/service-account.name"
    if kind == "kubernetes.io/service-account-token" and not (obj["metadata"].get("annotations") or {}).get(note):
        yield required(f"metadata.annotations[{note}]")


def priority_class(obj: Obj) -> Iterator[FieldError]:
    name, value = obj["metadata"].get("name", ""), obj.get("value", 0)
    if name.startswith("system-"):
        if _OF_THE_SYSTEM.get(name) != value:
            why = "priority class names with 'system-' prefix are reserved for system use only"
            yield forbidden_field("metadata.name", f"{why}. error: {name} is not a known system priority class")
    elif value > _HIGHEST:
        yield forbidden_field("value", f"maximum allowed value of a user defined priority is {_HIGHEST}")
    if obj.get("preemptionPolicy", "Never") not in {"Never", "PreemptLowerPriority"}:
        yield invalid_value("preemptionPolicy", obj["preemptionPolicy"], "must be Never or PreemptLowerPriority")
