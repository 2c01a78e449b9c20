"""Names, labels and what of the metadata may not change. RFC 1123 and the API conventions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value
from kubesteward_tools.world.kinds import ResourceType

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
_NAME_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_STANDARD_FINALIZERS = {"kubernetes", "orphan", "foregroundDeletion"}
_FREE = "rbac.authorization.k8s.io"

SUBDOMAIN_HELP = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_HELP = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_NAME_HELP = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_HELP = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def check(kind: ResourceType, obj: dict[str, Any], old: dict[str, Any] | None) -> Iterator[FieldError]:
    metadata = obj["metadata"]
    if old is None:
        yield from _name(kind, str(metadata.get("name", "")))
        yield from _finalizers(metadata.get("finalizers") or ())
    else:
        yield from _unchanged(metadata, old["metadata"])
        yield from _held(metadata, old["metadata"])
    yield from labels("metadata.labels", metadata.get("labels") or {})
    for key in metadata.get("annotations") or {}:
        yield from one_label("metadata.annotations", key.lower(), "")
    yield from _owners(metadata.get("ownerReferences") or ())


def _name(kind: ResourceType, name: str) -> Iterator[FieldError]:
    if kind.group == _FREE:
        return
    strict = kind.resource in {"namespaces", "services"}
    pattern, limit, words = (LABEL, 63, LABEL_HELP) if strict else (SUBDOMAIN, 253, SUBDOMAIN_HELP)
    if not pattern.fullmatch(name):
        yield invalid_value("metadata.name", name, words)
    elif len(name) > limit:
        yield FieldError("FieldValueTooLong", "metadata.name", f"Too long: may not be more than {limit} bytes")


def _unchanged(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    for field in ("uid", "name", "namespace"):
        if field in new and new[field] != old.get(field):
            yield invalid_value(f"metadata.{field}", new[field], "field is immutable")


def _held(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    """What is being deleted takes no further finalizers (apimachinery, ValidateObjectMetaUpdate)."""
    added = sorted({*(new.get("finalizers") or ())} - {*(old.get("finalizers") or ())})
    if "deletionTimestamp" in old and added:
        shown = ", ".join(f'"{item}"' for item in added)
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
        yield forbidden_field("metadata.finalizers", why)


def _finalizers(names: Any) -> Iterator[FieldError]:
    for at, name in enumerate(names):
        path = f"metadata.finalizers[{at}]"
        yield from one_label(path, name, "")
        if "/" not in name and name not in _STANDARD_FINALIZERS:
            yield invalid_value(path, name, "name is neither a standard finalizer name nor is it fully qualified")


def _owners(references: Any) -> Iterator[FieldError]:
    controllers = 0
    for at, owner in enumerate(references):
        path = f"metadata.ownerReferences[{at}]"
        controllers += bool(owner.get("controller"))
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                yield invalid_value(f"{path}.{field}", owner.get(field, ""), "must not be empty")
    if controllers > 1:
        why = "Only one reference can have Controller set to true"
        yield invalid_value("metadata.ownerReferences", list(references), why)


def labels(path: str, found: dict[str, Any]) -> Iterator[FieldError]:
    for key, value in found.items():
        yield from one_label(path, key, value)


def one_label(path: str, key: str, value: Any) -> Iterator[FieldError]:
    prefix, slash, name = key.rpartition("/")
    if slash and not SUBDOMAIN.fullmatch(prefix):
        yield invalid_value(path, key, f"prefix part {SUBDOMAIN_HELP}")
    if not _NAME_PART.fullmatch(name):
        yield invalid_value(path, key, f"name part {_NAME_HELP}")
    elif len(name) > 63:
        yield invalid_value(path, key, "name part must be no more than 63 bytes")
    if not isinstance(value, str) or not _LABEL_VALUE.fullmatch(value):
        yield invalid_value(path, value, _VALUE_HELP)
    elif len(value) > 63:
        yield FieldError("FieldValueTooLong", path, "Too long: may not be more than 63 bytes")
