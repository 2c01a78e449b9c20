"""What the API server does to a custom resource before it is stored: prune, default, validate, keep in one version."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.admission.attempt import Unknown
from kubesteward_tools.twin.custom import defaulting, pruning, rules, schemas, values
from kubesteward_tools.twin.custom.definitions import Definition
from kubesteward_tools.twin.custom.rules import MISSING
from kubesteward_tools.twin.status import ApiError, FieldError
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

_BLOCKING = {f"FieldValue{word}" for word in ("NotSupported", "Required", "TooLong", "TooMany", "TypeInvalid")}
"""After one of these the server does not evaluate rules."""
_UNCHECKED = FieldError(
    "FieldValueInvalid",
    "<nil>",
    "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation",
)


def known(definition: Definition | None, kind: ResourceType, obj: Any) -> tuple[Object, list[str]]:
    """The object as the kind's version has it, and the paths of fields that it does not have.

    Raises:
        fields.WrongType: it is no object, or its metadata is none.
    """
    if definition is None:
        return pruning.pruned(obj, {"x-kubernetes-preserve-unknown-fields": True})
    schema = definition.schema(kind.version)
    kept, dropped = pruning.pruned(obj, schema)
    return kept, dropped


def complete(definition: Definition, version: str, obj: Object) -> None:
    """Prune and default, in place."""
    schema = definition.schema(version)
    kept, _ = pruning.pruned(obj, schema)
    obj.clear()
    obj.update(kept)
    defaulting.fill(obj, schema)


def errors(definition: Definition, obj: Object, old: Object | None, undecided: Unknown) -> list[FieldError]:
    """What is wrong with the object in the version that it says it is of; rules nobody can decide are appended."""
    schema = definition.schema(obj["apiVersion"].rpartition("/")[2])
    before: Any = MISSING if old is None else old
    found = sorted(values.check(obj, schema, "", before, root=True), key=lambda item: item.path)
    if any(item.reason in _BLOCKING for item in found):
        return [*found, _UNCHECKED] if schemas.rules_in(schema) else found
    judged = rules.Rules(rules.decide)
    found += judged.check(obj, schema, before)
    if not found:
        for text in judged.undecided:
            undecided.append(f"{obj['kind']} {obj['metadata']['name']}: {text}")
    return found


def in_version(definition: Definition | None, version: str, obj: Object) -> Object:
    """The object as another version shows it. Conversion `None` changes the apiVersion and nothing else."""
    wanted = obj.get("apiVersion", "").rpartition("/")[0] + f"/{version}"
    if definition is None or obj.get("apiVersion") == wanted:
        return obj
    kept, _ = pruning.pruned({**obj, "apiVersion": wanted}, definition.schema(version))
    return kept


def unknown_schema(kind: ResourceType, name: str) -> str:
    return f"{kind.resource} {name}: its definition could not be read; whether the object is valid is not known"


def conversion_unknown(definition: Definition, version: str) -> str:
    """Why nobody knows what a version looks like, "" where that is known."""
    if not definition.converts_by_webhook or version == definition.storage:
        return ""
    return f"{definition.resource}: its webhook converts between {definition.storage} and {version}; it is not asked"


def check_not_terminating(definition: Definition) -> None:
    """Raises ApiError 405: a definition that is going takes nothing new."""
    if definition.is_true("Terminating"):
        raise ApiError(405, "MethodNotAllowed", "create not allowed while custom resource definition is terminating")
