"""The columns of custom resources, as their definition names them (`additionalPrinterColumns`)."""

from __future__ import annotations

from typing import Any

from kubesteward.embedded import paths
from kubesteward.embedded.cells import Cell, name
from kubesteward.embedded.columns import PLAIN, Column
from kubesteward.embedded.durations import duration
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.custom.definitions import Definition
from kubesteward_tools.world.store import Object


def columns(definition: Definition, version: str) -> tuple[Column, ...]:
    """Name and age where the definition says nothing."""
    named = definition.version(version).get("additionalPrinterColumns") or ()
    if not named:
        return PLAIN
    found = [(item["name"], int(item.get("priority") or 0), _cell(item)) for item in named]
    return (("Name", 0, name), *found)


def _cell(column: dict[str, Any]) -> Cell:
    path, is_date = column["jsonPath"], column["type"] == "date"

    def cell(obj: Object, now: float) -> Any:
        values = paths.found(path, obj)
        if not values or values[0] is None:
            return None
        return _age(values[0], now) if is_date else _shown(values, column["type"])

    return cell


def _shown(values: list[Any], kind: str) -> Any:
    """Texts print all that was found, everything else the first."""
    if kind == "string" and len(values) > 1:
        return ",".join(str(paths.text(item)) for item in values)
    return paths.text(values[0])


def _age(stamp: Any, now: float) -> str:
    try:
        return duration(now - parse_timestamp(str(stamp)))
    except ValueError:
        return "<invalid>"
