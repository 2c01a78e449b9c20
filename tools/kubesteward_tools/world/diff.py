"""What is different between two states of an object, without what changes by itself.

Lists of things with names are compared by name, so that a container that moved is no change and an image that did is
one: `spec.template.spec.containers[app].image`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubesteward_tools.world.store import Object

_NOISE = frozenset(
    {
        "metadata.resourceVersion",
        "metadata.generation",
        "metadata.managedFields",
        "metadata.uid",
        "metadata.creationTimestamp",
        "metadata.selfLink",
        "status.observedGeneration",
        "status.images",
        "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration",
        "metadata.annotations.deployment.kubernetes.io/revision",
    }
)
_TICKING = frozenset({"lastHeartbeatTime", "lastProbeTime", "lastUpdateTime", "lastTransitionTime"})
"""Of conditions: when somebody looked, not what they saw."""
_NAMES = ("name", "type", "key", "containerPort", "port", "ip", "mountPath", "path", "id")


class Difference(NamedTuple):
    """One value; None where there is none."""

    path: str
    before: Any
    after: Any


def differences(before: Object | None, after: Object | None) -> list[Difference]:
    """Sorted by path. An object that came or went is one difference with an empty path."""
    if before is None or after is None:
        return [] if before is after else [Difference("", before, after)]
    return sorted(_of_mappings("", before, after), key=lambda item: item.path)


def _of_values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after or path in _NOISE:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_mappings(path, before, after)
    elif isinstance(before, list) and isinstance(after, list) and (name := name_of([*before, *after])):
        old, new = ({str(item[name]): item for item in items} for items in (before, after))
        for key in dict.fromkeys([*old, *new]):
            yield from _of_values(f"{path}[{key}]", old.get(key), new.get(key))
    else:
        yield Difference(path, before, after)


def _of_mappings(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        if key not in _TICKING or ".conditions[" not in path:
            yield from _of_values(f"{path}.{key}" if path else str(key), before.get(key), after.get(key))


def name_of(items: Iterable[Any]) -> str:
    """The field that tells the items of both lists apart, "" where none does."""
    found = list(items)
    for name in _NAMES:
        if found and all(isinstance(item, Mapping) and isinstance(item.get(name), str | int) for item in found):
            return name
    return ""
