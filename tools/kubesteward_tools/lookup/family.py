"""Which pods belong to what, and what an object has brought forth: a Deployment's events include its pods'."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.world.store import Key, Object, Store

CHILDREN = ("replicasets.apps", "jobs.batch", "pods")
"""What controllers create, from the top down."""

SELECTING = frozenset({"poddisruptionbudgets.policy", "networkpolicies.networking.k8s.io"})


def descendants(store: Store, key: Key) -> list[Key]:
    """Keys of everything that the object owns, directly or not, nearest first."""
    found: dict[Key, None] = {}
    waiting = [key]
    while waiting:
        for child in _children(store, waiting.pop(0)):
            if child not in found and child != key:
                found[child] = None
                waiting.append(child)
    return list(found)


def _children(store: Store, key: Key) -> list[Key]:
    owner = store.get(key)
    if owner is None:
        return []
    owned = store.owned_by(owner["metadata"].get("uid", ""))
    return owned or list(_named_children(store, key, owner))


def _named_children(store: Store, key: Key, owner: Object) -> Iterator[Key]:
    """By the owner's kind and name: saved objects may have lost their uid."""
    if owner["metadata"].get("uid") != f"{key.resource}/{key.namespace}/{key.name}":
        return
    for resource in CHILDREN:
        for child, obj in store.items(resource, key.namespace):
            for reference in obj["metadata"].get("ownerReferences") or ():
                if (reference.get("kind"), reference.get("name")) == (owner.get("kind"), key.name):
                    yield child


def pods(store: Store, key: Key) -> list[Object]:
    """The pods of a workload, those that a Service or budget selects, those on a node, or the pod itself."""
    obj = store.get(key)
    if obj is None:
        return []
    if key.resource == "pods":
        return [obj]
    if key.resource == "nodes":
        keys = store.pods_on(key.name)
    elif key.resource == "services":
        selector = (obj.get("spec") or {}).get("selector")
        keys = store.selected("pods", key.namespace, {"matchLabels": selector}) if selector else []
    elif key.resource in SELECTING:
        spec = obj.get("spec") or {}
        keys = store.selected("pods", key.namespace, spec.get("selector") or spec.get("podSelector"))
    else:
        keys = [child for child in descendants(store, key) if child.resource == "pods"]
    return [pod for pod in map(store.get, keys) if pod is not None]


def top_owner(store: Store, obj: Object) -> str:
    """`Deployment/web` for one of its pods, the object's own `Kind/name` when nothing owns it."""
    at, namespace = obj, obj["metadata"].get("namespace", "")
    kind, name = str(obj.get("kind", "")), str(obj["metadata"]["name"])
    for _ in range(4):
        owner = next((item for item in at["metadata"].get("ownerReferences") or () if item.get("controller")), None)
        if owner is None:
            break
        kind, name = owner["kind"], owner["name"]
        above = store.get(Key({"ReplicaSet": "replicasets.apps", "Job": "jobs.batch"}.get(kind, ""), namespace, name))
        if above is None:
            break
        at = above
    return f"{kind}/{name}"
