"""OpenAPI v3 schemas of the built-in kinds, with descriptions: made from the models of the official Python client.

They are looked at when somebody asks for a document, never before: the models take a while to load.
"""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import Any

from kubesteward_tools.world.kinds import ResourceType

Schema = dict[str, Any]

METADATA = "io.k8s.v1.ObjectMeta"
_MODEL = re.compile(r"(?P<group>[A-Z][a-z]+)?(?P<version>V\d+(?:(?:alpha|beta)\d+)?)(?P<type>[A-Z].*)")
_CONTAINER = re.compile(r"(List|Dict)\[(?:str, ?)?(.+)\]")
_LEAVES: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "bytes": {"type": "string", "format": "byte"},
    "datetime": {"type": "string", "format": "date-time"},
    "object": {"type": "object"},
}
_EITHER: Schema = {"type": "string", "format": "int-or-string"}
_INT_OR_STRING = frozenset(
    {"V1ServicePort.targetPort", "V1HTTPGetAction.port", "V1TCPSocketAction.port", "V1NetworkPolicyPort.port"}
    | {"V1RollingUpdateDeployment.maxSurge", "V1RollingUpdateDeployment.maxUnavailable"}
    | {"V1RollingUpdateDaemonSet.maxSurge", "V1RollingUpdateDaemonSet.maxUnavailable"}
    | {"V1RollingUpdateStatefulSetStrategy.maxUnavailable"}
    | {"V1PodDisruptionBudgetSpec.maxUnavailable", "V1PodDisruptionBudgetSpec.minAvailable"}
)
"""Fields that the models call objects and that hold a number or a text."""
_RENAMED = {"Event": "CoreV1Event"}


def of_kind(kind: ResourceType) -> dict[str, Schema]:
    """The schema of a kind and of all that it refers to, by name; {} for a kind without a model."""
    model = _model_of(kind)
    return _closure(model) if model else {}


def metadata() -> dict[str, Schema]:
    """The schema of the metadata of every object, with those that it refers to."""
    return _closure("V1ObjectMeta")


def name_of(kind: ResourceType) -> str:
    """What the schema of a kind is called."""
    model = _model_of(kind)
    return _named(model) if model else ".".join([*reversed(kind.group.split(".")), kind.version, kind.kind]).strip(".")


def _model_of(kind: ResourceType) -> str:
    name = _RENAMED.get(kind.kind) or kind.version.capitalize() + kind.kind
    return name if hasattr(_models(), name) else ""


def _named(model: str) -> str:
    """Clients show what stands after the last dot."""
    match = _MODEL.fullmatch(model)
    if match is None:
        return f"io.k8s.{model}"
    return ".".join(filter(None, ("io.k8s", (match["group"] or "").lower(), match["version"].lower(), match["type"])))


def _closure(model: str) -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    waiting = [model]
    while waiting:
        item = waiting.pop()
        if _named(item) not in found:
            found[_named(item)], inner = _schema(item)
            waiting += inner
    return found


@cache
def _models() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package is not ours to mend
        from kubernetes.client import models
    return models


@cache
def _schema(name: str) -> tuple[Schema, tuple[str, ...]]:
    """One model's schema, and the names of the models that it refers to."""
    model = getattr(_models(), name)
    properties, inner = dict[str, Schema](), list[str]()
    fields = {item.serialization_alias or field: item for field, item in model.model_fields.items()}
    for field, code in model.openapi_types.items():
        written = model.attribute_map[field]
        shape = _EITHER if f"{name}.{written}" in _INT_OR_STRING else _shape(code, inner)
        properties[written] = _described(shape, fields[written].description or "")
    schema: Schema = {"type": "object", "properties": properties}
    needed = [written for written, item in fields.items() if item.is_required()]
    if needed:
        schema["required"] = sorted(needed)
    return _described(schema, _about(name)), tuple(inner)


def _shape(code: str, inner: list[str]) -> Schema:
    match = _CONTAINER.fullmatch(code)
    if match is not None and match[1] == "List":
        return {"type": "array", "items": _shape(match[2], inner)}
    if match is not None:
        return {"type": "object", "additionalProperties": _shape(match[2], inner)}
    if code in _LEAVES:
        return _LEAVES[code]
    inner.append(code)
    return {"allOf": [{"$ref": f"#/components/schemas/{_named(code)}"}]}


def _described(schema: Schema, text: str) -> Schema:
    return {"description": text, **schema} if text else schema


def _about(name: str) -> str:
    """What the type is for: the first paragraph of the model's documentation."""
    return (getattr(_models(), name).__doc__ or "").strip().partition("\n\n")[0].strip()
