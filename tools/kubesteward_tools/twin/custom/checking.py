"""What the API server refuses in a CustomResourceDefinition, and what it fills in.

Source: k8s.io/apiextensions-apiserver pkg/apis/apiextensions validation and defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.custom import structural
from kubesteward_tools.twin.custom.definitions import Definition
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required

_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_DOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_HELP = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SCOPES = ("Cluster", "Namespaced")
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_SCALE_PATHS = (("specReplicasPath", ".spec"), ("statusReplicasPath", ".status"))


def fill(obj: dict[str, Any]) -> None:
    """Defaults, in place."""
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    spec.pop("preserveUnknownFields", None)
    spec.setdefault("conversion", {"strategy": "None"})
    names = spec.get("names")
    if isinstance(names, dict) and names.get("kind"):
        names.setdefault("singular", str(names["kind"]).lower())
        names.setdefault("listKind", f"{names['kind']}List")


def check(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    names, group = spec.get("names") or {}, str(spec.get("group") or "")
    wanted = f"{names.get('plural', '')}.{group}"
    if obj["metadata"].get("name") != wanted:
        yield invalid_value("metadata.name", obj["metadata"].get("name"), 'must be spec.names.plural+"."+spec.group')
    yield from _group(group)
    if not spec.get("scope"):
        yield required("spec.scope")
    elif spec["scope"] not in _SCOPES:
        yield not_supported("spec.scope", spec["scope"], _SCOPES)
    yield from _names(names)
    yield from _versions(spec.get("versions") or [])
    yield from _conversion(spec.get("conversion") or {})


def _group(group: str) -> Iterator[FieldError]:
    if not group:
        yield required("spec.group")
    elif not _DOMAIN.fullmatch(group):
        yield invalid_value("spec.group", group, "a lowercase RFC 1123 subdomain is wanted")
    elif "." not in group:
        yield invalid_value("spec.group", group, "should be a domain with at least one dot")


def _names(names: dict[str, Any]) -> Iterator[FieldError]:
    for name in ("plural", "singular", "kind", "listKind"):
        value = str(names.get(name) or "")
        if not value:
            yield required(f"spec.names.{name}")
        elif not _LABEL.fullmatch(value.lower() if name in {"kind", "listKind"} else value):
            yield invalid_value(f"spec.names.{name}", value, _LABEL_HELP)
    for list_name in ("shortNames", "categories"):
        for number, value in enumerate(names.get(list_name) or ()):
            if not _LABEL.fullmatch(str(value)):
                yield invalid_value(f"spec.names.{list_name}[{number}]", value, _LABEL_HELP)
    if names.get("kind") and names.get("kind") == names.get("listKind"):
        yield invalid_value("spec.names.listKind", names["listKind"], "kind and listKind may not be the same")


def _versions(versions: list[dict[str, Any]]) -> Iterator[FieldError]:
    if not versions:
        yield required("spec.versions", "must have at least one version")
        return
    shown = [{key: item.get(key) for key in ("name", "served", "storage")} for item in versions]
    for number, version in enumerate(versions):
        yield from _version(version, f"spec.versions[{number}]")
    found = [item.get("name") for item in versions]
    if len(set(found)) != len(found):
        yield invalid_value("spec.versions", shown, "must contain unique version names")
    if sum(bool(item.get("storage")) for item in versions) != 1:
        yield invalid_value("spec.versions", shown, "must have exactly one version marked as storage version")


def _version(version: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not _LABEL.fullmatch(str(version.get("name") or "")):
        yield invalid_value(f"{path}.name", version.get("name", ""), _LABEL_HELP)
    for name in ("served", "storage"):
        if not isinstance(version.get(name), bool):
            yield required(f"{path}.{name}")
    schema = (version.get("schema") or {}).get("openAPIV3Schema")
    where = f"{path}.schema.openAPIV3Schema"
    if not isinstance(schema, dict):
        yield required(where, "schemas are required")
    else:
        yield from structural.check(schema, where)
    yield from _scale((version.get("subresources") or {}).get("scale"), f"{path}.subresources.scale")
    for number, column in enumerate(version.get("additionalPrinterColumns") or ()):
        yield from _column(column, f"{path}.additionalPrinterColumns[{number}]")


def _scale(scale: dict[str, Any] | None, path: str) -> Iterator[FieldError]:
    if scale is None:
        return
    for name, start in _SCALE_PATHS:
        value = str(scale.get(name) or "")
        if not value:
            yield required(f"{path}.{name}")
        elif not value.startswith(f"{start}."):
            yield invalid_value(f"{path}.{name}", value, f"should be a json path under {start}")
    label = str(scale.get("labelSelectorPath") or "")
    if label and not label.startswith((".spec.", ".status.")):
        yield invalid_value(f"{path}.labelSelectorPath", label, "should be a json path under either .spec or .status")


def _column(column: dict[str, Any], path: str) -> Iterator[FieldError]:
    if not column.get("name"):
        yield required(f"{path}.name")
    if not column.get("type"):
        yield required(f"{path}.type", f"must be one of {','.join(_COLUMN_TYPES)}")
    elif column["type"] not in _COLUMN_TYPES:
        yield not_supported(f"{path}.type", column["type"], _COLUMN_TYPES)
    if not str(column.get("jsonPath") or "").startswith("."):
        yield (
            required(f"{path}.jsonPath", "must start with a dot")
            if not column.get("jsonPath")
            else invalid_value(f"{path}.jsonPath", column["jsonPath"], "is not a JSON path")
        )


def _conversion(conversion: dict[str, Any]) -> Iterator[FieldError]:
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook") or {}
    if strategy not in {"None", "Webhook"}:
        yield not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    elif strategy == "None" and webhook:
        yield forbidden_field("spec.conversion.webhook", "should not be set when strategy is not set to Webhook")
    elif strategy == "Webhook":
        if not webhook.get("clientConfig"):
            yield required("spec.conversion.webhook.clientConfig", "required when strategy is set to Webhook")
        if not webhook.get("conversionReviewVersions"):
            yield required("spec.conversion.webhook.conversionReviewVersions")


def unchanged(new: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    """Group and plural never change, scope and kind not once the definition is established."""
    fixed = [("group",), ("names", "plural")]
    if Definition(old).is_true("Established"):
        fixed += [("scope",), ("names", "kind")]
    for path in fixed:
        now, before = _at(new.get("spec"), path), _at(old.get("spec"), path)
        if now != before:
            yield invalid_value(".".join(("spec", *path)), now, "field is immutable")
    left = {item.get("name") for item in (new.get("spec") or {}).get("versions") or ()}
    for number, version in enumerate((old.get("status") or {}).get("storedVersions") or ()):
        if version not in left:
            yield invalid_value(f"status.storedVersions[{number}]", version, "must appear in spec.versions")


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
