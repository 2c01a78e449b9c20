"""Changes of any object: patches in all four types, deletion, manifests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.digest import canonical_json
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.proposals.workloads import path_of
from kubesteward_tools.twin.custom.definitions import types_in
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.kinds import ResourceType

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

PatchType = Literal["strategic", "merge", "json", "apply"]
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
_MOST_DOCUMENTS = 50
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


def delete(found: Found, *, orphan: bool = False) -> Change:
    """As `kubectl delete`: what it owns goes too, in the background, unless it is orphaned."""
    policy = "Orphan" if orphan else "Background"
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
    call = ApiCall("delete", path_of(found), found.ref, body)
    kept = ", keeping what it owns" if orphan else ""
    return Change("delete_resource", found.ref, (call,), f"Delete {found.label}{kept}")


async def apply(world: World, manifest: str, namespace: str) -> Change:
    """Server-side apply of every document, in their order.

    Raises:
        InvalidArguments: no YAML, or a document that is no object. UnknownKind.
    """
    documents = _documents(manifest)
    defined = {f"{kind.api_version}/{kind.kind}": kind for item in documents for kind in types_in(item)}
    calls = [await _applied(world, document, namespace, defined) for document in documents]
    more = f" and {len(calls) - 1} more" if len(calls) > 1 else ""
    return Change("apply_manifest", calls[0].target, tuple(calls), f"Apply {calls[0].target}{more}")


def _documents(manifest: str) -> list[dict[str, Any]]:
    import yaml

    try:
        loaded = list(yaml.load_all(manifest, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except (yaml.YAMLError, ValueError, RecursionError):
        parsed(manifest, "manifest")
        raise InvalidArguments("the manifest cannot be read.", todo="Mend it and call again.") from None
    check_size(loaded, "the manifest")
    found: list[dict[str, Any]] = []
    for item in filter(None, loaded):
        found += item["items"] if isinstance(item, dict) and isinstance(item.get("items"), list) else [item]
    if not found or len(found) > _MOST_DOCUMENTS:
        raise InvalidArguments(f"the manifest holds {len(found)} objects.", todo=f"Give 1 to {_MOST_DOCUMENTS}.")
    return found


async def _applied(world: World, document: Any, namespace: str, defined: Mapping[str, ResourceType]) -> ApiCall:
    """`defined` are the kinds that definitions of the same manifest make."""
    metadata = document.get("metadata") if isinstance(document, dict) else None
    if not isinstance(metadata, dict) or not all(
        isinstance(value, str) and value
        for value in (document.get("kind"), document.get("apiVersion"), metadata.get("name"))
    ):
        raise InvalidArguments("every document needs apiVersion, kind and metadata.name.", todo="Complete it.")
    called = f"{document['apiVersion']}/{document['kind']}"
    kind = defined.get(called) or await world.known(called)
    space = str(metadata.get("namespace") or namespace or "default") if kind.namespaced else ""
    await world.ensure(kind.resource, namespace=space)
    body = json.loads(json.dumps(document, default=str))
    body["metadata"] = {**body["metadata"], **({"namespace": space} if space else {})}
    name = metadata["name"]
    target = Ref(world.cluster, kind.group, kind.kind, space, name)
    return ApiCall("patch", kind.path(space, name), target, body, APPLY_PATCH, (("fieldManager", MANAGER), STRICT))
