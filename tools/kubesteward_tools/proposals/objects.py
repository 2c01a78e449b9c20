"""Changes of any object: patches in all four types, and deletion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.digest import canonical_json
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.proposals.workloads import path_of
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

PatchType = Literal["strategic", "merge", "json", "apply"]
Propagation = Literal["background", "foreground", "orphan"]
MANAGER = "kubesteward"
STRICT = ("fieldValidation", "Strict")
"""A misspelt field is refused and not dropped, by the rehearsal and by the API server alike."""
_TYPES: dict[PatchType, str] = {
    "strategic": STRATEGIC_PATCH,
    "merge": MERGE_PATCH,
    "json": JSON_PATCH,
    "apply": APPLY_PATCH,
}
_OPERATIONS = {
    "add": {"value"},
    "replace": {"value"},
    "test": {"value"},
    "remove": set(),
    "move": {"from"},
    "copy": {"from"},
}
_PATHS_SHOWN = 5
_LARGEST = 2_000_000
"""Values and characters. API servers take requests of up to 3 MiB."""


def patch(found: Found, given: Any, patch_type: PatchType) -> Change:
    """The patch as one call.

    Raises:
        InvalidArguments: malformed, empty, of a type the kind does not take, or aimed at another object.
    """
    body = parsed(given, "patch") if isinstance(given, str) else given
    if patch_type == "json":
        _check_operations(body)
    else:
        _check_object(found, body, patch_type)
    if patch_type == "apply":
        body = _identified(found, body)
    query = (("fieldManager", MANAGER), STRICT) if patch_type == "apply" else (STRICT,)
    call = ApiCall("patch", path_of(found), found.ref, body, _TYPES[patch_type], query)
    paths = list(_touched(body, patch_type))
    shown = ", ".join(paths[:_PATHS_SHOWN]) + (f" and {len(paths) - _PATHS_SHOWN} more" * (len(paths) > _PATHS_SHOWN))
    return Change("patch_resource", found.ref, (call,), f"Patch {found.label}: {shown}")


def parsed(text: str, what: str) -> Any:
    """YAML or JSON text as data. Raises InvalidArguments saying where it breaks."""
    import yaml

    try:
        return _json_only(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), what)  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        at = f" at line {where.line + 1}" if where is not None else ""
        why = getattr(error, "problem", None) or "it cannot be read"
        raise InvalidArguments(f"{what} is no YAML or JSON{at}: {why}.", todo="Mend it and call again.") from None


def _json_only(value: Any, what: str) -> Any:
    """`value` itself. YAML knows more than JSON does, and a few aliases stand for gigabytes or go round in circles.

    Raises:
        InvalidArguments: no API server would take it.
    """
    check_size(value, what)
    try:
        canonical_json(value)
    except (ValueError, RecursionError):
        why = f"{what} holds what JSON does not: a bare date, a number beyond 2**53, or a key that is no text."
        raise InvalidArguments(why, todo="Put it into quotes.") from None
    return value


def check_size(value: Any, what: str) -> None:
    """Counted as it would be written out, and only up to the limit."""
    waiting, size = [value], 0
    while waiting:
        item = waiting.pop()
        size += 1 + (len(item) if isinstance(item, str) else 0)
        if size > _LARGEST:
            raise InvalidArguments(f"{what} is too large.", todo="Change less at a time, and write aliases out.")
        waiting += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()


def _check_operations(body: Any) -> None:
    """RFC 6902, section 4."""
    if not isinstance(body, list) or not body:
        raise InvalidArguments(
            "a json patch is a list of operations.", todo='[{"op":"replace","path":"/spec/x","value":1}]'
        )
    for number, item in enumerate(body, 1):
        operation = item.get("op") if isinstance(item, dict) else None
        if operation not in _OPERATIONS:
            raise InvalidArguments(f"operation {number} has no valid op.", todo=f"One of {', '.join(_OPERATIONS)}.")
        path = item.get("path")
        if not isinstance(path, str) or (path and not path.startswith("/")):
            raise InvalidArguments(
                f"operation {number} needs a path that begins with '/'.", todo="E.g. /spec/replicas."
            )
        missing = _OPERATIONS[operation] - item.keys()
        if missing:
            raise InvalidArguments(f"operation {number} ({operation}) lacks {missing.pop()!r}.", todo="Add it.")


def _check_object(found: Found, body: Any, patch_type: PatchType) -> None:
    if not isinstance(body, dict) or not body:
        todo = 'Nest the fields as in the object: {"spec": {...}}; lists of operations are patch_type=json.'
        raise InvalidArguments(f"a {patch_type} patch is an object.", todo=todo)
    if patch_type == "strategic" and by_kind(found.type.group, found.type.kind) is None:
        raise InvalidArguments(f"{found.type.kind} takes no strategic patches.", todo="Use patch_type=merge.")
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict):
        raise InvalidArguments("metadata of a patch is an object.", todo='E.g. {"metadata": {"labels": {...}}}.')
    for field, own in (("name", found.key.name), ("namespace", found.key.namespace)):
        if metadata.get(field, own) != own:
            raise InvalidArguments(f"the patch changes metadata.{field}, which cannot change.", todo="Leave it out.")
    for field, own in (("kind", found.type.kind), ("apiVersion", found.type.api_version)):
        if body.get(field, own) != own:
            raise InvalidArguments(
                f"the patch says {field} {body[field]!r}, the object is {own}.", todo="Leave it out."
            )


def _identified(found: Found, body: dict[str, Any]) -> dict[str, Any]:
    """An apply patch names its object (KEP-555)."""
    metadata = {**(body.get("metadata") or {}), "name": found.key.name}
    if found.key.namespace:
        metadata["namespace"] = found.key.namespace
    return {**body, "apiVersion": found.type.api_version, "kind": found.type.kind, "metadata": metadata}


def _touched(body: Any, patch_type: PatchType) -> Iterator[str]:
    """Paths, never values: a summary is shown to many."""
    if patch_type == "json":
        yield from (f"{item['op']} {item['path']}" for item in body)
        return
    for key, value in body.items():
        if isinstance(value, dict) and value:
            yield from (f"{key}.{inner}" for inner in _touched(value, "merge"))
        else:
            yield str(key)


def delete(found: Found, propagation: Propagation = "background", grace_seconds: int | None = None) -> Change:
    """As `kubectl delete --cascade=...`, but of this very object: one of the same name that came later stays.

    `grace_seconds` are what a pod is given to end, its own by default.

    Raises:
        AskDifferently: it is on its way out already.
    """
    if "deletionTimestamp" in found.obj["metadata"]:
        held = found.obj["metadata"].get("finalizers") or ()
        why = f", held by its finalizers {', '.join(held)}" if held else ""
        raise AskDifferently(f"{found.label} is being deleted already{why}.", todo="Wait for it to go.")
    kept = ", keeping what it owns" if propagation == "orphan" else ""
    call = removal(found.world.cluster, found.type, found.obj, propagation, grace_seconds)
    return Change("delete_resource", found.ref, (call,), f"Delete {found.label}{kept}")


def removal(
    cluster: str,
    kind: ResourceType,
    obj: Object,
    propagation: Propagation = "background",
    grace_seconds: int | None = None,
) -> ApiCall:
    """The call that deletes the object of this uid and no other (API doc: DeleteOptions)."""
    metadata = obj["metadata"]
    space, name = metadata.get("namespace", ""), metadata["name"]
    options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1"}
    options["propagationPolicy"] = propagation.capitalize()
    if metadata.get("uid"):
        options["preconditions"] = {"uid": metadata["uid"]}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    return ApiCall("delete", kind.path(space, name), Ref(cluster, kind.group, kind.kind, space, name), options)
