"""What changed lately and may be why something is not well: what the world saw, and earlier what objects tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from kubesteward_tools.lookup.recalled import Moment, recalled
from kubesteward_tools.overlay.score import Sign
from kubesteward_tools.overlay.signs import name_of
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.changes import TEMPLATED, told
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

LATELY = 1800.0
_KINDS = frozenset({"rollout", "restart", "scale", "config", "deleted"})
"""Of grave changes; what containers and nodes do has signs of its own."""
_RESOURCES = TEMPLATED | {"configmaps", "secrets", "services", "ingresses.networking.k8s.io", "resourcequotas"}
"""What people and pipelines change. The rest changes by itself, all the time."""
_MOST = 400
"""Versions that are compared: leader elections in ConfigMaps would cost too much otherwise."""


def changes(world: World, subject: Subject, now: float) -> Iterator[Sign]:
    """The latest grave change of each object within `LATELY` seconds before `now`."""
    latest: dict[Key, Moment] = {}
    for moment in _moments(world, subject, now):
        known = latest.get(moment.key)
        if moment.told.grave and moment.told.kind in _KINDS and (known is None or moment.at > known.at):
            latest[moment.key] = moment
    for key, moment in latest.items():
        by = f" by {moment.author}" if moment.author else ""
        said = f"{moment.told.kind} at {timestamp(moment.at)}{by}: {moment.told.text}"
        yield Sign("changed", name_of(world.store, key), said)


def _moments(world: World, subject: Subject, now: float) -> Iterator[Moment]:
    for change in world.history.changes(now - LATELY, now, _wanted(subject)):
        yield Moment(change.at, change.key, told(change), change.author)
    since = world.watched_since("replicasets.apps")
    for moment in recalled(world.store, _new_replica_sets(world, subject, now)):
        if now - LATELY <= moment.at <= min(now, since):
            yield moment


def _wanted(subject: Subject) -> Callable[[Key], bool]:
    left, keys = _MOST, subject.keys

    def wanted(key: Key) -> bool:
        nonlocal left
        if key.resource not in _RESOURCES or not left:
            return False
        if keys:
            if key not in keys:
                return False
        elif subject.namespace and key.namespace != subject.namespace:
            return False
        left -= 1
        return True

    return wanted


def _new_replica_sets(world: World, subject: Subject, now: float) -> Iterator[Key]:
    """By their dates in the index, so that thousands of old ones are not read."""
    since = timestamp(now - LATELY)
    if subject.keys:
        known = ((key, world.store.facts(key)) for key in subject.own if key.resource == "replicasets.apps")
        yield from (key for key, facts in known if facts is not None and facts.created >= since)
        return
    for key, facts in world.store.known("replicasets.apps", subject.namespace or None):
        if facts.created >= since:
            yield key
