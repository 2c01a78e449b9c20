"""Server-side printing: the Tables that `kubectl get` asks for. API doc: meta.k8s.io/v1 Table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kubesteward.embedded.columns import Column
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object


def table(
    kind: ResourceType,
    columns: Sequence[Column],
    items: list[Object],
    metadata: dict[str, Any],
    now: float,
    *,
    include: str = "Metadata",
) -> Object:
    """A Table; `include` is the includeObject parameter (None, Metadata, Object), `now` in epoch seconds."""
    rows = [
        {"cells": [cell(obj, now) for _, _, cell in columns], "object": _object(kind, obj, include)} for obj in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": rows,
    }


def _definition(column: Column) -> dict[str, Any]:
    name, priority, _ = column
    form = "name" if name == "Name" else ""
    return {"name": name, "type": "string", "format": form, "description": "", "priority": priority}


def _object(kind: ResourceType, obj: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return {"kind": kind.kind, "apiVersion": kind.api_version, **obj}
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
