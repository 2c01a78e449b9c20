"""Which names of a definition are accepted: another of its group may have them already.

Source: apiextensions-apiserver's naming controller: NamesAccepted, then Established.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubesteward_tools.twin.custom.definitions import CLEANUP, Definition
from kubesteward_tools.world.store import Object

_SINGLE = (("plural", "PluralConflict"), ("singular", "SingularConflict"), ("kind", "KindConflict"))
_ACCEPTED = ("plural", "singular", "shortNames", "kind", "listKind", "categories")


def status(obj: Object, others: Iterable[Definition], now: str) -> dict[str, Any]:
    """The status of a definition: its names against those of the others in its group; `now` is a timestamp."""
    before = obj.get("status") or {}
    wanted, accepted = obj["spec"]["names"], dict(before.get("acceptedNames") or {})
    group = obj["spec"]["group"]
    taken = [
        item.names for item in others if item.group == group and item.obj["metadata"]["name"] != obj["metadata"]["name"]
    ]
    problem = _conflict(wanted, taken)
    if problem is None:
        accepted = {name: wanted[name] for name in _ACCEPTED if wanted.get(name)}
        named = ("True", "NoConflicts", "no conflicts found")
    else:
        named = ("False", *problem)
    was = any(item["type"] == "Established" and item["status"] == "True" for item in before.get("conditions") or ())
    if was or problem is None:
        established = ("True", "InitialNamesAccepted", "the initial names have been accepted")
    else:
        established = ("False", "NotAccepted", "not all names are accepted")
    conditions = list(before.get("conditions") or ())
    for kind, (value, reason, message) in (("NamesAccepted", named), ("Established", established)):
        conditions = _with(conditions, {"type": kind, "status": value, "reason": reason, "message": message}, now)
    found = {**before, "conditions": conditions, "acceptedNames": accepted or {"plural": "", "kind": ""}}
    return {**found, "storedVersions": _stored(obj, before)}


def _stored(obj: Object, before: dict[str, Any]) -> list[str]:
    kept = list(before.get("storedVersions") or ())
    return list(dict.fromkeys([*kept, Definition(obj).storage]))


def _conflict(wanted: dict[str, Any], taken: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The reason and message of the first conflict."""
    words = {
        word
        for names in taken
        for word in (names.get("plural"), names.get("singular"), *(names.get("shortNames") or ()))
        if word
    }
    kinds = {word for names in taken for word in (names.get("kind"), names.get("listKind")) if word}
    for field, reason in _SINGLE:
        among = kinds if field == "kind" else words
        if wanted.get(field) in among:
            return reason, f'"{wanted[field]}" is already in use'
    for short in wanted.get("shortNames") or ():
        if short in words:
            return "ShortNamesConflict", f'"{short}" is already in use'
    if wanted.get("listKind") in kinds:
        return "ListKindConflict", f'"{wanted["listKind"]}" is already in use'
    return None


def _with(conditions: list[dict[str, Any]], new: dict[str, Any], now: str) -> list[dict[str, Any]]:
    """The list with one condition set in its place; its time moves when its status does."""
    old = next((item for item in conditions if item["type"] == new["type"]), None)
    if old is not None and all(old.get(key) == value for key, value in new.items()):
        return conditions
    stamped = {
        **new,
        "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == new["status"] else now,
    }
    return [stamped if item is old else item for item in conditions] if old else [*conditions, stamped]


def marked(obj: Object, now: str) -> Object:
    """A definition that is being deleted: held until its objects are gone, with the condition which says so."""
    if "deletionTimestamp" in obj["metadata"]:
        return obj
    condition = {
        "type": "Terminating",
        "status": "True",
        "reason": "InstanceDeletionPending",
        "message": "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    }
    held = list(dict.fromkeys([*(obj["metadata"].get("finalizers") or ()), CLEANUP]))
    metadata = {**obj["metadata"], "deletionTimestamp": now, "finalizers": held}
    before = obj.get("status") or {}
    return {
        **obj,
        "metadata": metadata,
        "status": {**before, "conditions": _with(list(before.get("conditions") or ()), condition, now)},
    }
