"""All objects of one moment, found by kind, and who stands above a pod."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.world.store import Object

Owners = Mapping[tuple[str, str], Mapping[str, Any]]
"""Controllers of ReplicaSets, by the ReplicaSet's namespace and name."""


class Snapshot:
    """Objects in the order in which they were given."""

    def __init__(self, objects: Iterable[Object]) -> None:
        self.objects = list(objects)
        self._kinds: dict[str, list[Object]] = {}
        for obj in self.objects:
            self._kinds.setdefault(obj["kind"], []).append(obj)

    def of(self, *kinds: str) -> list[Object]:
        return [obj for kind in kinds for obj in self._kinds.get(kind, ())]

    def titled(self, *kinds: str) -> dict[str, Object]:
        """By title, sorted."""
        return dict(sorted((title(obj), obj) for obj in self.of(*kinds)))

    def by_uid(self) -> dict[str, Object]:
        return {str(obj["metadata"].get("uid")): obj for obj in self.objects}

    def owners(self) -> Owners:
        return {_place(item): above for item in self.of("ReplicaSet") if (above := controller_of(item))}

    def replica_sets(self) -> Iterator[tuple[str, str]]:
        return (_place(item) for item in self.of("ReplicaSet"))


def _place(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def title(obj: Object) -> str:
    """namespace/Kind/name, or Kind/name where there is no namespace."""
    metadata = obj["metadata"]
    return "/".join(filter(None, (metadata.get("namespace"), obj["kind"], metadata["name"])))


def owners_across(before: Snapshot, after: Snapshot) -> Owners:
    """As they are in the end, and of ReplicaSets that are gone as they were."""
    left = set(after.replica_sets())
    return {**{place: above for place, above in before.owners().items() if place not in left}, **after.owners()}


def workload_of(pod: Object, owners: Owners) -> str:
    """The title of what the pod belongs to: a Deployment rather than its ReplicaSet, the pod itself if nothing else."""
    metadata, above = pod["metadata"], controller_of(pod)
    namespace = metadata.get("namespace", "")
    if above is None:
        generated = metadata.get("generateName")
        return f"{namespace}/Pod/{generated}*" if generated else f"{namespace}/Pod/{metadata['name']}"
    if above["kind"] == "ReplicaSet":
        above = owners.get((namespace, above["name"]), above)
    return f"{namespace}/{above['kind']}/{above['name']}"
