"""Objects from files in the shape that the API gives them: people write by hand, and dumps are cut and edited.

What cannot be what the API says is left out of the object, not the object out of the world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

_TEXTS = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
_MAPPINGS = ("spec", "status", "data", "stringData", "binaryData")

Resource = Callable[[str, str], ResourceType]
"""What a kind of an apiVersion is called."""


def defined(objects: Iterable[Object]) -> dict[tuple[str, str], ResourceType]:
    """By group and kind, what the CustomResourceDefinitions among the objects define."""
    found: dict[tuple[str, str], ResourceType] = {}
    for obj in objects:
        spec = obj.get("spec")
        if obj["kind"] == "CustomResourceDefinition" and isinstance(spec, dict) and isinstance(spec.get("names"), dict):
            names = spec["names"]
            group, kind, plural = _word(spec, "group"), _word(names, "kind"), _word(names, "plural")
            if group and kind and plural:
                namespaced = spec.get("scope") != "Cluster"
                found[group, kind] = ResourceType(group, _version(spec), kind, plural, namespaced, kind.lower())
    return found


def _word(fields: Object, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _version(spec: Object) -> str:
    """The first that is named; apiextensions/v1beta1 knew a single one."""
    versions = spec.get("versions")
    first = versions[0] if isinstance(versions, list) and versions else None
    return (_word(first, "name") if isinstance(first, dict) else _word(spec, "version")) or "v1"


def mended(obj: Object, resource: Resource) -> Object:
    """`obj`, with just those fields that the store reads as they should be. Its metadata is a mapping with a name."""
    new = {name: value for name, value in obj.items() if name not in _MAPPINGS or isinstance(value, dict)}
    spec = new.get("spec") or {}
    if not isinstance(spec.get("nodeName", ""), str):
        new["spec"] = {name: value for name, value in spec.items() if name != "nodeName"}
    return {**new, "metadata": _metadata(obj["metadata"], resource)}


def _metadata(metadata: Object, resource: Resource) -> Object:
    new = dict(metadata)
    for name in _TEXTS:
        if name in new and not isinstance(new[name], str):
            value = _text(new.pop(name))
            new |= {name: value} if value else {}
    for name in ("labels", "annotations"):
        if name in new:
            new[name] = _texts(new[name])
    if "ownerReferences" in new:
        new["ownerReferences"] = list(_owners(new["ownerReferences"], new.get("namespace", ""), resource))
    return new


def _text(value: Any) -> str:
    """YAML reads an unquoted time as a time, and 1 as a number; "" for what is no single value."""
    if isinstance(value, datetime):
        return (value.astimezone(UTC) if value.tzinfo else value).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | str | date) else ""


def _texts(value: Any) -> dict[str, str]:
    items = value.items() if isinstance(value, Mapping) else ()
    return {str(name): _text(item) for name, item in items if isinstance(item, str) or _text(item)}


def _owners(references: Any, namespace: str, resource: Resource) -> Iterable[Object]:
    """Manifests name an owner without its UID: it is then the one that the owner itself is given here."""
    for owner in references if isinstance(references, list) else ():
        if not isinstance(owner, dict):
            continue
        kind, name = _word(owner, "kind"), _word(owner, "name")
        if isinstance(owner.get("uid"), str):
            yield owner
        elif kind and name:
            yield {**owner, "uid": made_uid(resource(_word(owner, "apiVersion"), kind), namespace, name)}


def made_uid(kind: ResourceType, namespace: str, name: str) -> str:
    """For an object that has none."""
    return f"{kind.resource}/{namespace if kind.namespaced else ''}/{name}"
