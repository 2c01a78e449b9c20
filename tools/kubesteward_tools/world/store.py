"""The indexed store under both users of cluster state: the mirror of a real cluster and the twin of the control plane.

Objects are plain JSON dicts that nobody changes once they are stored: whoever wants another one builds it and puts it.
That makes a fork cheap and safe. A fork shares every bucket (the objects of one resource in one namespace, or one index
entry) with its origin until either side writes to it; then the writer copies that bucket and leaves the other alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from kubesteward_tools.twin.demand import Demand
from kubesteward_tools.twin.gist import gist
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.buckets import Buckets
from kubesteward_tools.world.facts import Columns, Facts, repels, selects
from kubesteward_tools.world.packing import Packing

Object = dict[str, Any]


class Key(NamedTuple):
    """Where an object stands: `resource` is the group-resource ("pods", "deployments.apps"), `namespace` "" if none."""

    resource: str
    namespace: str
    name: str

    def __deepcopy__(self, _: dict[int, Any]) -> Key:
        return self


class Event:
    """One write. `obj` is the new object (for DELETED the last one), `old` the one before (None for ADDED).

    `contents` are before and after as the store keeps them, for `Store.read` and `Store.whole` to read later.
    """

    __slots__ = ("_obj", "_read", "contents", "key", "type")

    def __init__(
        self,
        type_: Literal["ADDED", "MODIFIED", "DELETED"],
        key: Key,
        obj: Content,
        contents: tuple[Content | None, Content | None],
        read: _Read,
    ) -> None:
        self.type = type_
        self.key = key
        self._obj = obj
        self.contents = contents
        self._read = read

    @property
    def obj(self) -> Object:
        found = self._obj
        return self._read(self.key, found) if isinstance(found, bytes) else found

    @property
    def old(self) -> Object | None:
        before = self.contents[0]
        return self._read(self.key, before) if isinstance(before, bytes) else before


Listener = Callable[[Event], None]
Note = Callable[[Key, Object], Any]
Content = Object | bytes
"""An object, or an object packed."""
_Read = Callable[[Key, Content], Object]


class _Entry(NamedTuple):
    content: Content
    facts: Facts


class Store:
    """Objects by key, with indexes by owner UID, label and node. Reads cost what they return, never the whole world.

    With a `packing` objects are kept compressed and read when they are asked for; a fork's own writes are not.
    `note` makes of each object what its `Facts.note` shall be.
    """

    def __init__(self, packing: Packing | None = None, note: Note | None = None) -> None:
        self.revision = 0
        self._entries: Buckets[tuple[str, str], str, _Entry] = Buckets()
        self._namespaces: Buckets[str, str, None] = Buckets()
        self._owned: Buckets[str, Key, None] = Buckets()
        self._labelled: Buckets[tuple[str, str, str, str], str, None] = Buckets()
        self._on_node: Buckets[str, Key, Demand | None] = Buckets()
        self._repelling: Buckets[str, Key, None] = Buckets()
        self._orphaned: Buckets[str, Key, None] = Buckets()
        self._counted: dict[str, tuple[Mapping[Key, Demand | None], Any]] = {}
        self._sorted: dict[tuple[str, str], list[str]] = {}
        self._columns: dict[tuple[str, str], Columns] = {}
        self._selecting: dict[tuple[str, str], dict[tuple[tuple[str, str], ...], tuple[Key, ...]]] = {}
        self._listeners: list[Listener] = []
        self._packs = packing is not None
        self._packing = packing or Packing()
        self._note = note

    def fork(self, *, notes: bool = True) -> Store:
        """A store that starts as this one is now. Neither sees what the other writes from here on; listeners stay.

        Without `notes` none are made of what is written to it.
        """
        child = Store(note=self._note if notes else None)
        child.revision = self.revision
        child._packing = self._packing
        child._entries = self._entries.fork()
        child._namespaces = self._namespaces.fork()
        child._owned = self._owned.fork()
        child._labelled = self._labelled.fork()
        child._on_node = self._on_node.fork()
        child._repelling = self._repelling.fork()
        child._orphaned = self._orphaned.fork()
        child._counted = self._counted  # the same one, for it says of which pods it speaks
        child._sorted = dict(self._sorted)
        child._columns = dict(self._columns)
        child._selecting = dict(self._selecting)
        return child

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """`listener` is called after each write, in order. Returns the function that ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, key: Key) -> Object | None:
        bucket = self._entries.inner.get(key[:2])
        entry = bucket.get(key[2]) if bucket is not None else None
        if entry is None:
            return None
        content = entry[0]
        return self._packing.read(key, content) if isinstance(content, bytes) else content

    def facts(self, key: Key) -> Facts | None:
        """What is known of an object without reading it."""
        bucket = self._entries.inner.get(key[:2])
        entry = bucket.get(key[2]) if bucket is not None else None
        return None if entry is None else entry[1]

    def keys(self, resource: str, namespace: str | None = None) -> Iterator[Key]:
        """Every key of a resource, sorted by namespace and name; `namespace=None` means all namespaces."""
        for space in self.spaces(resource) if namespace is None else [namespace]:
            for name in self._names(resource, space):
                yield Key(resource, space, name)

    def known(self, resource: str, namespace: str | None = None) -> Iterator[tuple[Key, Facts]]:
        """`keys`, each with its facts."""
        for space in self.spaces(resource) if namespace is None else [namespace]:
            columns = self.columns(resource, space)
            for name, facts in zip(columns.names, columns.facts, strict=True):
                yield Key(resource, space, name), facts

    def columns(self, resource: str, namespace: str) -> Columns:
        """What is known of all objects of one namespace: the quickest way through very many."""
        where = resource, namespace
        found = self._columns.get(where)
        if found is None:
            names, bucket = self._names(resource, namespace), self._entries.bucket(where)
            found = self._columns[where] = Columns(names, [bucket[name].facts for name in names])
        return found

    def items(self, resource: str, namespace: str | None = None) -> Iterator[tuple[Key, Object]]:
        """Every object of a resource, sorted by namespace and name; `namespace=None` means all namespaces."""
        for space in self.spaces(resource) if namespace is None else [namespace]:
            bucket = self._entries.bucket((resource, space))
            for name in tuple(self._names(resource, space)):
                if (entry := bucket.get(name)) is not None:
                    key = Key(resource, space, name)
                    yield key, self.read(key, entry.content)

    def objects(self, resource: str, namespace: str | None = None) -> list[Object]:
        return [obj for _, obj in self.items(resource, namespace)]

    def count(self, resource: str, namespace: str | None = None) -> int:
        spaces = self._namespaces.bucket(resource) if namespace is None else [namespace]
        return sum(len(self._entries.bucket((resource, space))) for space in spaces)

    def resources(self) -> list[str]:
        """The resources that have at least one object."""
        return sorted(self._namespaces.buckets())

    def spaces(self, resource: str) -> list[str]:
        """The namespaces that hold objects of a resource, sorted; "" stands for none."""
        return sorted(self._namespaces.bucket(resource))

    def spaces_with(self, resource: str, name: str) -> list[str]:
        """The namespaces in which a resource has an object of this name, sorted."""
        return [space for space in self.spaces(resource) if name in self._entries.bucket((resource, space))]

    def owned_by(self, uid: str) -> list[Key]:
        """Keys of the objects that carry an ownerReference to `uid`, sorted."""
        return sorted(self._owned.bucket(uid))

    def selected(self, resource: str, namespace: str, selector: Mapping[str, Any] | None) -> list[Key]:
        """Keys of the objects of one namespace that a LabelSelector matches, sorted. Those of pods are indexed."""
        wanted = (selector or {}).get("matchLabels") or {}
        if resource not in _LABELLED or not wanted:
            return self._matching(resource, namespace, selector, self._entries.bucket((resource, namespace)))
        first, *others = sorted(
            [self._labelled.bucket((resource, namespace, name, value)) for name, value in wanted.items()], key=len
        )
        names = [name for name in first if all(name in other for other in others)] if others else first
        if (selector or {}).get("matchExpressions"):
            return self._matching(resource, namespace, selector, names)
        return [Key(resource, namespace, name) for name in sorted(names)]

    def _matching(
        self, resource: str, namespace: str, selector: Mapping[str, Any] | None, names: Iterable[str]
    ) -> list[Key]:
        bucket = self._entries.bucket((resource, namespace))
        return [
            Key(resource, namespace, name) for name in sorted(names) if matches(selector, bucket[name].facts.labels)
        ]

    def pods_on(self, node: str) -> list[Key]:
        """Keys of the pods whose `spec.nodeName` is `node` ("" for those without), terminal ones included, sorted."""
        return sorted(self._on_node.bucket(node))

    def counted_on(self, node: str, count: Callable[[Iterable[Demand]], Any]) -> Any:
        """`count` of what the pods there take up, each its own. It is asked once for all forks in which they are the
        same pods, and always has to be the same function.
        """
        lasting = self._on_node.lasting(node)
        known = self._counted.get(node)
        if known is not None and known[0] is lasting:
            return known[1]
        found = count(filter(None, self._on_node.bucket(node).values()))
        if lasting is not None:
            if len(self._counted) >= _MOST_COUNTED:
                self._counted.clear()
            self._counted[node] = lasting, found
        return found

    def selecting(self, resource: str, namespace: str, labels: Mapping[str, str] | None) -> Sequence[Key]:
        """Keys of the Services or budgets of one namespace whose selector matches a pod's labels, sorted."""
        where, asked = (resource, namespace), tuple((labels or {}).items())
        known = self._selecting.get(where)
        if known is None:
            known = self._selecting[where] = {}
        found = known.get(asked)
        if found is None:
            bucket, names = self._entries.bucket(where), self._names(resource, namespace)
            pairs = [name for name in names if selects(bucket[name].facts.gist, labels or {})]
            found = known[asked] = tuple([Key(resource, namespace, name) for name in pairs])
        return found

    def repelling_pods(self) -> list[Key]:
        """Keys of the pods with a required anti-affinity, which may keep others away from where they are, sorted."""
        return sorted(self._repelling.bucket("pods"))

    def orphaned_sets(self, namespace: str) -> list[Key]:
        """Keys of the ReplicaSets that nothing controls, sorted."""
        return sorted(self._orphaned.bucket(namespace))

    def put(self, key: Key, obj: Object, raw: bytes | None = None) -> Event:
        """Store `obj` as it is (the caller has set its resourceVersion) and tell the listeners.

        `raw` is the JSON that it was read from; only what may be kept as it is comes with it.
        """
        where = key.resource, key.namespace
        old = self._entries.bucket(where).get(key.name)
        facts = self._facts(key, obj)
        stays = old is not None and old.facts.is_indexed_as(facts)
        if old is not None and not stays:
            self._unindex(key, old.facts)
        content = self._packing.pack(key.resource, obj, raw) if self._packs else obj
        self._entries.set(where, key.name, _Entry(content, facts))
        self._columns.pop(where, None)
        if where in self._selecting and (old is None or old.facts.gist != facts.gist):
            self._selecting.pop(where, None)
        if old is None:
            self._namespaces.set(key.resource, key.namespace, None)
            self._sorted.pop(where, None)
        if not stays:
            self._index(key, facts)
        before = None if old is None else old.content
        return self._tell(Event("ADDED" if old is None else "MODIFIED", key, obj, (before, content), self.read))

    def delete(self, key: Key, last: Object | None = None) -> Event | None:
        """Take the object away. `last` is what the DELETED event shows, the stored object by default."""
        where = key.resource, key.namespace
        old = self._entries.bucket(where).get(key.name)
        if old is None:
            return None
        self._unindex(key, old.facts)
        self._entries.remove(where, key.name)
        self._columns.pop(where, None)
        self._selecting.pop(where, None)
        self._sorted.pop(where, None)
        if not self._entries.bucket(where):
            self._namespaces.remove(key.resource, key.namespace)
        return self._tell(Event("DELETED", key, old.content if last is None else last, (old.content, None), self.read))

    def read(self, key: Key, content: Content) -> Object:
        return self._packing.read(key, content) if isinstance(content, bytes) else content

    def whole(self, key: Key, content: Content) -> Object:
        """With its managedFields, where they were kept."""
        return self._packing.whole(key, content) if isinstance(content, bytes) else content

    def _tell(self, event: Event) -> Event:
        for listener in tuple(self._listeners):
            listener(event)
        return event

    def _names(self, resource: str, namespace: str) -> list[str]:
        """Sorted once after each name that comes or goes."""
        where = resource, namespace
        found = self._sorted.get(where)
        if found is None:
            found = self._sorted[where] = sorted(self._entries.bucket(where))
        return found

    def _facts(self, key: Key, obj: Object) -> Facts:
        metadata = obj["metadata"]
        labels = metadata.get("labels") or _NO_LABELS
        owners = metadata.get("ownerReferences")
        pod = key.resource == "pods"
        return Facts(
            uid=metadata.get("uid") or "",
            version=metadata.get("resourceVersion") or "",
            created=metadata.get("creationTimestamp") or "",
            labels=self._packing.labels(labels) if self._packs else labels,
            owners=tuple([owner["uid"] for owner in owners]) if owners else (),
            node=((obj.get("spec") or {}).get("nodeName") or "") if pod else None,
            address=((obj.get("status") or {}).get("podIP") or "") if pod else "",
            repels=pod and repels(obj),
            gist=gist(key.resource, obj),
            note=self._note(key, obj) if self._note is not None else None,
        )

    def _index(self, key: Key, facts: Facts) -> None:
        for owner in facts.owners:
            self._owned.set(owner, key, None)
        if key.resource in _LABELLED:
            for name, value in facts.labels.items():
                self._labelled.set((key.resource, key.namespace, name, value), key.name, None)
        elif key.resource == _ADOPTED and facts.gist is False:
            self._orphaned.set(key.namespace, key, None)
        if facts.node is not None:
            self._on_node.set(facts.node, key, facts.demand)
        if facts.repels:
            self._repelling.set("pods", key, None)

    def _unindex(self, key: Key, facts: Facts) -> None:
        for owner in facts.owners:
            self._owned.remove(owner, key)
        if key.resource in _LABELLED:
            for name, value in facts.labels.items():
                self._labelled.remove((key.resource, key.namespace, name, value), key.name)
        elif key.resource == _ADOPTED and facts.gist is False:
            self._orphaned.remove(key.namespace, key)
        if facts.node is not None:
            self._on_node.remove(facts.node, key)
        if facts.repels:
            self._repelling.remove("pods", key)


_MOST_COUNTED = 20_000
"""Nodes come and go, and nobody says which are gone."""
_NO_LABELS: Mapping[str, str] = {}
_ADOPTED = "replicasets.apps"
_LABELLED = frozenset({"pods", "endpointslices.discovery.k8s.io"})
"""Resources whose labels are indexed: selectors ask for those."""
