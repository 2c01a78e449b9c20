"""Reading of structural schemas: what stands below a field, and what of it the API server knows by itself.

Kubernetes docs: "Extend the API with CustomResourceDefinitions: specifying a structural schema".
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

METADATA = "V1ObjectMeta"
_OBJECT_FIELDS = ("apiVersion", "kind", "metadata")


def below(schema: Schema, name: str) -> Schema | None:
    """The schema of a field, None for one that is not specified."""
    properties = schema.get("properties") or {}
    if name in properties:
        found: Schema = properties[name]
        return found
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        return more
    return {"x-kubernetes-preserve-unknown-fields": True} if more else None


def items(schema: Schema) -> Schema:
    found = schema.get("items")
    return found if isinstance(found, dict) else {}


def is_whole_object(schema: Schema, *, root: bool) -> bool:
    """Whether apiVersion, kind and metadata are there without being specified."""
    return root or bool(schema.get("x-kubernetes-embedded-resource"))


def is_own_field(schema: Schema, name: str, *, root: bool) -> bool:
    return is_whole_object(schema, root=root) and name in _OBJECT_FIELDS


def keeps_unknown(schema: Schema) -> bool:
    return bool(schema.get("x-kubernetes-preserve-unknown-fields"))


def rules_in(schema: Schema) -> bool:
    """Whether the schema has CEL rules anywhere."""
    if schema.get("x-kubernetes-validations"):
        return True
    inner = [*(schema.get("properties") or {}).values(), items(schema), schema.get("additionalProperties")]
    return any(isinstance(item, dict) and item and rules_in(item) for item in inner)
