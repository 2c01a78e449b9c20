"""Server-side apply: who manages which fields of an object, and whom a write takes them from. KEP-555.

Only objects that carry `managedFields` are looked after, and those that come into being by an apply: where the list was
left away when a cluster was read, nobody can say who owns what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin import fieldsets
from kubesteward_tools.twin.fieldsets import Fields, Path
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Object

Entries = list[dict[str, Any]]
FieldsOf = Callable[[Object], dict[Path, Any]]
"""Every field of an object that can have an owner, with its value."""


@dataclass(frozen=True, slots=True)
class Manager:
    """`operation` is Apply or Update; the same name manages apart what it writes by each, and by a subresource."""

    name: str
    operation: str
    subresource: str = ""

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Manager:
        return cls(entry.get("manager", ""), entry.get("operation", "Update"), entry.get("subresource", ""))

    def conflict(self, version: str) -> str:
        """As a refusal names the manager of a field."""
        words = f' with subresource "{self.subresource}"' if self.subresource else ""
        return f'"{self.name}"{words}' + (f" using {version}" if self.operation == "Update" else "")


def tracked(obj: Object | None) -> bool:
    return obj is not None and "managedFields" in obj["metadata"]


def given_up(old: Object, applied: Object, manager: Manager, fields_of: FieldsOf = fieldsets.fields_of) -> Object:
    """The object without the fields that this manager applied before, does not any more, and nobody else has."""
    owners = _owners(old)
    others = {path for who, (_, fields) in owners.items() if who != manager for path in fields}
    mine = owners.get(manager, ({}, frozenset()))[1]
    return fieldsets.without(old, mine - fields_of(applied).keys() - others)


def conflicts(
    old: Object, new: Object, applied: Object, manager: Manager, fields_of: FieldsOf = fieldsets.fields_of
) -> dict[Manager, list[Path]]:
    """The fields that the apply changes and others manage."""
    before, after = fields_of(old), fields_of(new)
    changed = {path for path in fields_of(applied) if before.get(path) != after.get(path)}
    found = {who: sorted(changed & fields) for who, (_, fields) in _owners(old).items() if who != manager and fields}
    return {who: paths for who, paths in found.items() if paths}


def refusal(found: dict[Manager, list[Path]], version: str) -> ApiError:
    """409 with a cause for each field."""
    count = sum(map(len, found.values()))
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {who.conflict(version)}",
            "field": fieldsets.words(path),
        }
        for who, paths in found.items()
        for path in paths
    ]
    if count == 1:
        text = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        parts = [
            f"conflicts with {who.conflict(version)}:\n" + "\n".join(f"- {fieldsets.words(path)}" for path in paths)
            for who, paths in found.items()
        ]
        text = f"Apply failed with {count} conflicts: " + "\n".join(parts)
    return ApiError(409, "Conflict", text, causes=causes)


def after_apply(
    old: Object | None,
    applied: Object,
    manager: Manager,
    taken: Iterable[Path],
    *,
    version: str,
    now: str,
    fields_of: FieldsOf = fieldsets.fields_of,
) -> Entries:
    """The list once `manager` has applied; fields that it took by force are no longer the others'."""
    gone = frozenset(taken)
    before, fields = _owners(old), frozenset(fields_of(applied))
    owners = {who: (entry, found - gone) for who, (entry, found) in before.items()}
    if owners.get(manager, ({}, None))[1] != fields:
        owners[manager] = (_entry(manager, version, now), fields)
    return _entries(owners)


def after_update(
    old: Object, new: Object, manager: Manager, now: str, fields_of: FieldsOf = fieldsets.fields_of
) -> Entries:
    """The list once `manager` has written `new` over `old`: what it changed is its own."""
    before, after = fields_of(old), fields_of(new)
    written = frozenset(path for path, value in after.items() if before.get(path) != value)
    gone = written | (before.keys() - after.keys())
    if not gone:
        return list(old["metadata"]["managedFields"])
    owners = {who: (entry, fields - gone) for who, (entry, fields) in _owners(old).items()}
    if written:
        mine = owners.get(manager, ({}, frozenset[Path]()))[1] | written
        owners[manager] = (_entry(manager, new["apiVersion"], now), mine)
    return _entries(owners)


def _owners(obj: Object | None) -> dict[Manager, tuple[dict[str, Any], Fields]]:
    entries = (obj or {"metadata": {}})["metadata"].get("managedFields") or ()
    return {Manager.of(entry): (entry, fieldsets.parse(entry.get("fieldsV1") or {})) for entry in entries}


def _entry(manager: Manager, version: str, now: str) -> dict[str, Any]:
    found = {"manager": manager.name, "operation": manager.operation, "apiVersion": version, "time": now}
    found["fieldsType"] = "FieldsV1"
    return {**found, "subresource": manager.subresource} if manager.subresource else found


def _entries(owners: dict[Manager, tuple[dict[str, Any], Fields]]) -> Entries:
    return [{**entry, "fieldsV1": fieldsets.render(fields)} for entry, fields in owners.values() if fields]
