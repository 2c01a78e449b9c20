"""The objects of a change as they are before it, for the record and for going back. Secret values are never in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubesteward_policies.change import Change
from kubesteward_tools.world.store import Key
from kubesteward_tools.world.world import World

_BULK = {"managedFields", "resourceVersion"}


def keys(world: World, change: Change) -> list[Key]:
    """Where the change's targets stand in the store, without repetition."""
    found = [
        Key(kind.resource, call.target.namespace, call.target.name)
        for call in change.calls
        for kind in world.kinds.all()
        if (kind.group, kind.kind) == (call.target.group, call.target.kind)
    ]
    return list(dict.fromkeys(found))


def versions(world: World, change: Change) -> dict[str, str]:
    """The resourceVersion of each target, "" for one that is not there; by `resource namespace/name`."""
    return {
        f"{key.resource} {key.namespace}/{key.name}": str(
            (world.store.get(key) or {"metadata": {}})["metadata"].get("resourceVersion", "")
        )
        for key in keys(world, change)
    }


def take(world: World, change: Change) -> list[Mapping[str, Any]]:
    """Spec and metadata of each target that is there."""
    taken: list[Mapping[str, Any]] = []
    for key in keys(world, change):
        obj = world.store.get(key)
        if obj is not None:
            kept = {name: value for name, value in obj.items() if name not in {"status", "data", "stringData"}}
            kept["metadata"] = {name: value for name, value in obj["metadata"].items() if name not in _BULK}
            taken.append(kept)
    return taken
