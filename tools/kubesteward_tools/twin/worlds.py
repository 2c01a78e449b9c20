"""Whatever a caller has of a cluster, as the store that the twin reads: the one place where outsiders' worlds come in.

A caller may hold a `Store`, something with a `store` (a `World`, a `SimulatedCluster`), or plain Kubernetes objects: a
list of them, or a List as `kubectl get -o json` prints it. Plain objects may be as bare as people write them; what
every stored object has (a namespace, a UID, a spec) is added to a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubesteward_tools.twin import resources
from kubesteward_tools.world.kinds import ResourceType, guessed
from kubesteward_tools.world.store import Key, Object, Store

_DEFAULT = "default"
_BY_KIND = {kind.kind: kind for kind in reversed(resources.STORED)}


def store_of(world: Any) -> Store:
    """The store behind a world; a new one for plain objects.

    Raises:
        TypeError: it is nothing that holds objects. ValueError: one of the objects has no kind or no name.
    """
    if isinstance(world, Store):
        return world
    held = getattr(world, "store", None)
    if isinstance(held, Store):
        return held
    return _filled(_listed(world))


def _listed(world: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(world, Mapping) and isinstance(world.get("items"), list):
        items: list[Mapping[str, Any]] = world["items"]
        return items
    if isinstance(world, Mapping) and "kind" in world:
        return [world]
    if isinstance(world, (str, bytes, Mapping)) or not isinstance(world, Iterable):
        raise TypeError(f"a world is a Store, has one, or is a list of Kubernetes objects, not {type(world).__name__}")
    return world


def _filled(objects: Iterable[Mapping[str, Any]]) -> Store:
    store = Store()
    for item in objects:
        key, obj = keyed(item)
        store.put(key, obj)
    return store


def keyed(item: Mapping[str, Any]) -> tuple[Key, Object]:
    """An object with where it belongs. Raises ValueError when it does not say what it is or what it is called."""
    name = (item.get("metadata") or {}).get("name")
    if not item.get("kind") or not name:
        raise ValueError("an object of a world needs kind and metadata.name")
    kind = _kind(item)
    namespaced = kind.namespaced if kind else bool((item["metadata"]).get("namespace"))
    resource = kind.resource if kind else guessed(_group(item), str(item["kind"]))
    namespace = (item["metadata"].get("namespace") or _DEFAULT) if namespaced else ""
    key = Key(resource, namespace, str(name))
    return key, whole(item, key)


def _kind(item: Mapping[str, Any]) -> ResourceType | None:
    if item.get("apiVersion"):
        return resources.of(str(item["apiVersion"]), str(item["kind"]))
    return _BY_KIND.get(str(item["kind"]))


def _group(item: Mapping[str, Any]) -> str:
    return str(item.get("apiVersion") or "").rpartition("/")[0]


def whole(item: Mapping[str, Any], key: Key) -> Object:
    """A copy with what every stored object has; `key` says where it stands."""
    metadata: dict[str, Any] = {"uid": "/".join(key), **(item.get("metadata") or {}), "name": key.name}
    if key.namespace:
        metadata["namespace"] = key.namespace
    obj = {**item, "metadata": metadata}
    if key.resource in {"nodes", "pods"} or obj.get("spec"):
        obj["spec"] = item.get("spec") or {}
    return obj


def pod_of(pod: Mapping[str, Any]) -> Object:
    """A pod as stored ones are, from a pod, a template or a bare spec."""
    given = pod if "spec" in pod or "containers" not in pod else {"spec": pod}
    metadata = given.get("metadata") or {}
    key = Key("pods", metadata.get("namespace") or _DEFAULT, metadata.get("name") or "")
    return whole({"apiVersion": "v1", "kind": "Pod", **given}, key)
