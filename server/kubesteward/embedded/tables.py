"""Server-side printing: the Tables that `kubectl get` asks for. API doc: meta.k8s.io/v1 Table."""

from __future__ import annotations

from typing import Any

from kubesteward.embedded.columns import COLUMNS, PLAIN, Column
from kubesteward_tools.twin import resources
from kubesteward_tools.world.store import Object


def table(
    resource: str, items: list[Object], metadata: dict[str, Any], now: float, include: str = "Metadata"
) -> Object:
    """A Table; `include` is the includeObject parameter (None, Metadata, Object), `now` in epoch seconds."""
    columns = COLUMNS.get(resource, PLAIN)
    rows = [
        {"cells": [cell(obj, now) for _, _, cell in columns], "object": _object(resource, obj, include)}
        for obj in items
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


def _object(resource: str, obj: Object, include: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        kind = resources.by_resource(resource)
        return {"kind": kind.kind, "apiVersion": kind.api_version, **obj} if kind else obj
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
