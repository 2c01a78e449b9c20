"""How every object is doing, written down when it is stored, so that questions about thousands need not read them all.

A store keeps what `note` makes of an object in its `Facts`. Other stores are asked through `columns` as well: there the
notes are made on the spot.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from kubesteward_tools.lookup import states
from kubesteward_tools.world.facts import Columns
from kubesteward_tools.world.store import Key, Object, Store


class Note(NamedTuple):
    """`word`, `ready` and `restarts` are what `states` says, `phase` is `status.phase`.

    `alarm` names what else is wrong: the pressures that a node is under; of another kind, since when it is deleted.
    """

    word: str
    ready: bool | None
    restarts: int
    phase: str
    alarm: str = ""


_NOTHING = Note("", None, 0, "")
_STATELESS = frozenset({"configmaps", "secrets", "serviceaccounts", "endpointslices.discovery.k8s.io", "endpoints"})


def note(key: Key, obj: Object) -> Note:
    """Never raises, whatever the object holds: of what cannot be read there is nothing to say."""
    if key.resource in _STATELESS:
        return _NOTHING
    try:
        return _shared(_of_pod(obj) if key.resource == "pods" else _of_other(obj))
    except (AttributeError, KeyError, TypeError, ValueError):
        return _NOTHING


@lru_cache(maxsize=20_000)
def _shared(made: Note) -> Note:
    """The one Note of all objects that are doing alike."""
    return made


def _of_pod(pod: Object) -> Note:
    phase = str(states.status(pod).get("phase") or "")
    return Note(states.pod_word(pod), states.pod_ready(pod), states.restarts(pod), phase)


def _of_other(obj: Object) -> Note:
    found = obj.get("status")
    phase: Any = found.get("phase") if isinstance(found, dict) else ""
    deleted = obj["metadata"].get("deletionTimestamp")
    alarm = ",".join(states.pressures(obj)) if obj.get("kind") == "Node" else str(deleted or "")
    return Note(states.word(obj), states.is_ready(obj), 0, phase if isinstance(phase, str) else "", alarm)


def columns(store: Store, resource: str, namespace: str) -> Columns:
    """What is known of one namespace, with a Note of each object."""
    found = store.columns(resource, namespace)
    if not found.facts or type(found.facts[0].note) is Note:
        return found
    keys = [Key(resource, namespace, name) for name in found.names]
    made = [note(key, store.get(key) or {}) for key in keys]
    facts = [facts._replace(note=item) for facts, item in zip(found.facts, made, strict=True)]
    return Columns(found.names, facts)


def of(store: Store, key: Key) -> Note | None:
    """The note of one object, None when it is not there."""
    facts = store.facts(key)
    if facts is None or type(facts.note) is Note:
        return facts and facts.note
    return note(key, store.get(key) or {})


def everywhere(store: Store, resource: str) -> Iterator[tuple[Key, Note]]:
    """Every object's note, sorted by namespace and name."""
    for space in store.spaces(resource):
        found = columns(store, resource, space)
        for name, item in zip(found.names, found.notes, strict=True):
            yield Key(resource, space, name), item


def every(store: Store, resource: str) -> Iterator[Note]:
    """The same without the keys."""
    return (item for space in store.spaces(resource) for item in columns(store, resource, space).notes)
