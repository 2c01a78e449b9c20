"""Nodes as the filters see them: name, labels, taints and allocatable, known of each without reading it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kubesteward_tools.twin.host import Host
from kubesteward_tools.twin.scheduling.amounts import Whole, whole
from kubesteward_tools.world.store import Key, Object, Store

_NODES = "nodes"


def names(store: Store) -> Sequence[str]:
    """Of all nodes, sorted; for reading only."""
    return store.columns(_NODES, "").names


def node(store: Store, name: str) -> Object | None:
    """A Node with no more than what filters ask for."""
    key = Key(_NODES, "", name)
    facts = store.facts(key)
    if facts is None:
        return None
    found = facts.gist
    if not isinstance(found, Host):
        return store.get(key)
    return {"metadata": {"name": name, "labels": facts.labels}, "spec": found.spec, "status": found.status}


def nodes(store: Store) -> Iterator[Object]:
    return (found for name in names(store) if (found := node(store, name)) is not None)


def labels_of(store: Store, name: str) -> Mapping[str, str]:
    facts = store.facts(Key(_NODES, "", name))
    return facts.labels if facts is not None else {}


def allocatable_of(obj: Object) -> Whole:
    return _amounts(tuple(((obj.get("status") or {}).get("allocatable") or {}).items()))


@lru_cache(maxsize=1024)
def _amounts(pairs: tuple[tuple[str, Any], ...]) -> Whole:
    return whole(dict(pairs))
