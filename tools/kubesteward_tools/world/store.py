"""The indexed store under both users of cluster state: the mirror of a real cluster and the twin of the control plane.

Objects are plain JSON dicts that nobody changes once they are stored: whoever wants another one builds it and puts it.
That makes a fork cheap and safe. A fork shares every bucket (the objects of one resource in one namespace, or one index
entry) with its origin until either side writes to it; then the writer copies that bucket and leaves the other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, Literal, NamedTuple, TypeVar

Object = dict[str, Any]


class Key(NamedTuple):
    """Where an object stands: `resource` is the group-resource ("pods", "deployments.apps"), `namespace` "" if none."""

    resource: str
    namespace: str
    name: str


class Event(NamedTuple):
    """One write. `obj` is the new object (for DELETED the last one), `old` the one before (None for ADDED)."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    key: Key
    obj: Object
    old: Object | None


Listener = Callable[[Event], None]

_Bucket = TypeVar("_Bucket")
_Name = TypeVar("_Name")
_Value = TypeVar("_Value")


class _Buckets(Generic[_Bucket, _Name, _Value]):
    """A mapping of mappings whose inner mappings are shared between forks until one of them is written to."""

    __slots__ = ("_inner", "_own")

    def __init__(self, inner: dict[_Bucket, dict[_Name, _Value]] | None = None) -> None:
        self._inner = inner if inner is not None else {}
        self._own: set[_Bucket] | None = None if inner is None else set()

    def fork(self) -> _Buckets[_Bucket, _Name, _Value]:
        self._own = set()
        return _Buckets(dict(self._inner))

    def bucket(self, bucket: _Bucket) -> dict[_Name, _Value]:
        """For reading only."""
        return self._inner.get(bucket) or {}

    def set(self, bucket: _Bucket, name: _Name, value: _Value) -> None:
        self._writable(bucket)[name] = value

    def remove(self, bucket: _Bucket, name: _Name) -> None:
        inner = self._writable(bucket)
        inner.pop(name, None)
        if not inner:
            del self._inner[bucket]

    def buckets(self) -> Iterable[_Bucket]:
        return self._inner

    def _writable(self, bucket: _Bucket) -> dict[_Name, _Value]:
        inner = self._inner.get(bucket)
        if inner is None:
            inner = self._inner[bucket] = {}
        elif self._own is not None and bucket not in self._own:
            inner = self._inner[bucket] = dict(inner)
        if self._own is not None:
            self._own.add(bucket)
        return inner


class Store:
    """Objects by key, with indexes by owner UID and by node. Reads cost what they return, never the whole world."""

    def __init__(self) -> None:
        self.revision = 0
        self._objects: _Buckets[tuple[str, str], str, Object] = _Buckets()
        self._namespaces: _Buckets[str, str, None] = _Buckets()
        self._owned: _Buckets[str, Key, None] = _Buckets()
        self._on_node: _Buckets[str, Key, None] = _Buckets()
        self._repelling: _Buckets[str, Key, None] = _Buckets()
        self._listeners: list[Listener] = []

    def fork(self) -> Store:
        """A store that starts as this one is now. Neither sees what the other writes from here on; listeners stay."""
        child = Store()
        child.revision = self.revision
        child._objects = self._objects.fork()
        child._namespaces = self._namespaces.fork()
        child._owned = self._owned.fork()
        child._on_node = self._on_node.fork()
        child._repelling = self._repelling.fork()
        return child

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """`listener` is called after each write, in order. Returns the function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, key: Key) -> Object | None:
        return self._objects.bucket((key.resource, key.namespace)).get(key.name)

    def items(self, resource: str, namespace: str | None = None) -> Iterator[tuple[Key, Object]]:
        """Every object of a resource, sorted by namespace and name; `namespace=None` means all namespaces."""
        spaces = sorted(self._namespaces.bucket(resource)) if namespace is None else [namespace]
        for space in spaces:
            bucket = self._objects.bucket((resource, space))
            for name, obj in sorted(bucket.items()):
                yield Key(resource, space, name), obj

    def objects(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [obj for _, obj in self.items(resource, namespace)]

    def count(self, resource: str, namespace: str | None = None) -> int:
        spaces = self._namespaces.bucket(resource) if namespace is None else [namespace]
        return sum(len(self._objects.bucket((resource, space))) for space in spaces)

    def resources(self) -> list[str]:
        """The resources that have at least one object."""
        return sorted(self._namespaces.buckets())

    def owned_by(self, uid: str) -> list[Key]:
        """Keys of the objects that carry an ownerReference to `uid`, sorted."""
        return sorted(self._owned.bucket(uid))

    def pods_on(self, node: str) -> list[Key]:
        """Keys of the pods whose `spec.nodeName` is `node` ("" for those without), terminal ones included, sorted."""
        return sorted(self._on_node.bucket(node))

    def repelling_pods(self) -> list[Key]:
        """Keys of the pods with a required anti-affinity, which may keep others away from where they are, sorted."""
        return sorted(self._repelling.bucket("pods"))

    def put(self, key: Key, obj: Object) -> Event:
        """Store `obj` as it is (the caller has set its resourceVersion) and tell the listeners."""
        old = self.get(key)
        if old is not None:
            self._unindex(key, old)
        self._objects.set((key.resource, key.namespace), key.name, obj)
        self._namespaces.set(key.resource, key.namespace, None)
        self._index(key, obj)
        return self._tell(Event("ADDED" if old is None else "MODIFIED", key, obj, old))

    def delete(self, key: Key, last: Object | None = None) -> Event | None:
        """Take the object away. `last` is what the DELETED event shows, the stored object by default."""
        old = self.get(key)
        if old is None:
            return None
        self._unindex(key, old)
        self._objects.remove((key.resource, key.namespace), key.name)
        if not self._objects.bucket((key.resource, key.namespace)):
            self._namespaces.remove(key.resource, key.namespace)
        return self._tell(Event("DELETED", key, last or old, old))

    def _tell(self, event: Event) -> Event:
        for listener in tuple(self._listeners):
            listener(event)
        return event

    def _index(self, key: Key, obj: Object) -> None:
        for owner in obj["metadata"].get("ownerReferences") or ():
            self._owned.set(owner["uid"], key, None)
        if key.resource == "pods":
            self._on_node.set(obj.get("spec", {}).get("nodeName", ""), key, None)
            if _repels(obj):
                self._repelling.set("pods", key, None)

    def _unindex(self, key: Key, obj: Object) -> None:
        for owner in obj["metadata"].get("ownerReferences") or ():
            self._owned.remove(owner["uid"], key)
        if key.resource == "pods":
            self._on_node.remove(obj.get("spec", {}).get("nodeName", ""), key)
            if _repels(obj):
                self._repelling.remove("pods", key)


def _repels(pod: Object) -> bool:
    rules = ((pod.get("spec") or {}).get("affinity") or {}).get("podAntiAffinity") or {}
    return bool(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
