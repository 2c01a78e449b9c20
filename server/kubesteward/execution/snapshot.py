"""The objects of a change as they are before it, for the record and for going back.

Secret values are never in it, also not those that stand in the open in a template or an annotation: what is marked as
redacted in a snapshot has to be taken from the live object by whoever goes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.change import Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

_BULK = {"managedFields", "resourceVersion"}
_VALUES = {"data", "stringData", "immutable"}


def key_of(world: World, target: Ref) -> Key | None:
    """Where a target stands in the store, None for a kind that the cluster does not serve."""
    for kind in world.kinds.all():
        if (kind.group, kind.kind) == (target.group, target.kind):
            return Key(kind.resource, target.namespace, target.name)
    return None


def keys(world: World, change: Change) -> list[Key]:
    """Where the change's targets stand in the store, without repetition."""
    found = (key_of(world, target) for target in dict.fromkeys(call.target for call in change.calls))
    return [key for key in found if key is not None]


def version(world: World, key: Key) -> str:
    """The resourceVersion of an object, "" for one that is not there."""
    obj = world.store.get(key)
    return str(obj["metadata"].get("resourceVersion", "")) if obj is not None else ""


def versions(world: World, change: Change) -> dict[str, str]:
    """The resourceVersion of each target, by `resource namespace/name`."""
    return {f"{key.resource} {key.namespace}/{key.name}": version(world, key) for key in keys(world, change)}


def take(world: World, change: Change) -> list[dict[str, Any]]:
    """Spec and metadata of each target that is there, with the kind that it has as the change's target."""
    found: list[dict[str, Any]] = []
    for target in dict.fromkeys(call.target for call in change.calls):
        key = key_of(world, target)
        obj = world.store.get(key) if key is not None else None
        if key is not None and obj is not None:
            version = f"{target.group}/v1" if target.group else "v1"
            found.append(kept(key.resource, {"apiVersion": version, "kind": target.kind, **obj}))
    return found


def kept(resource: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    """An object without its status, without what the server alone decides, and without secrets."""
    from kubesteward_tools.text.redact import redact_object

    left_out = {"status", *(_VALUES if resource == "secrets" else ())}
    kept = {name: value for name, value in obj.items() if name not in left_out}
    metadata = {name: value for name, value in obj["metadata"].items() if name not in _BULK}
    return dict(redact_object({**kept, "metadata": metadata}))
