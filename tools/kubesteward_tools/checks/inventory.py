"""The objects that are checked, and those around them, by kind and namespace: what relations are looked up in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_policies.checking import pruned
from kubesteward_policies.ref import Ref
from kubesteward_tools.checks.units import Path, PodPart, pod_part
from kubesteward_tools.plans.documents import Place
from kubesteward_tools.twin import resources

DEFAULT = "default"
Object = Mapping[str, Any]


def _nowhere(_path: Path) -> Place | None:
    return None


@dataclass(frozen=True, eq=False)
class Subject:
    """One object to check: without nulls, with its pod if it runs any; `place` tells the line of a field."""

    obj: Object
    part: PodPart | None
    ref: Ref
    place: Callable[[Path], Place | None] = _nowhere

    @classmethod
    def of(cls, obj: Object, place: Callable[[Path], Place | None] = _nowhere, cluster: str = "") -> Subject:
        found = pruned(obj)
        metadata = found.get("metadata")
        metadata = metadata if isinstance(metadata, Mapping) else {}
        found = {**found, "metadata": {**metadata, "name": metadata.get("name", "")}}
        group, _, version = str(found.get("apiVersion", "v1")).rpartition("/")
        name = str(metadata.get("name") or f"{metadata.get('generateName', '')}*")
        space = str(metadata.get("namespace", ""))
        ref = Ref(cluster, group if version else "", str(found.get("kind")), space, name)
        return cls(found, pod_part(found), ref, place)

    @property
    def space(self) -> str:
        """The namespace, "" for a kind without one; a manifest that names none is meant for the default one."""
        known = resources.of(str(self.obj.get("apiVersion", "")), self.ref.kind)
        if known is not None and not known.namespaced:
            return ""
        return self.ref.namespace or DEFAULT

    @property
    def owned(self) -> bool:
        """Whether a controller made it: its owner is what people can change."""
        owners = (self.obj.get("metadata") or {}).get("ownerReferences")
        return any(owner.get("controller") for owner in owners or () if isinstance(owner, Mapping))


@dataclass
class Inventory:
    """`whole` says that nothing of the cluster is missing: what is not here does not exist. Of what was saved to files
    that holds for the kinds that are there at all; a `live` cluster was asked for all of them."""

    subjects: list[Subject]
    whole: bool = False
    live: bool = False
    _kinds: dict[str, dict[str, list[Subject]]] = field(default_factory=dict)
    _named: dict[tuple[str, str, str], Subject] = field(default_factory=dict)
    _runners: dict[str, list[Subject]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.subjects:
            self._named.setdefault((item.ref.kind, item.space, item.ref.name), item)
            self._kinds.setdefault(item.ref.kind, {}).setdefault(item.space, []).append(item)
            if item.part is not None:
                self._runners.setdefault(item.space, []).append(item)

    def of(self, kind: str, space: str | None = None) -> Iterable[Subject]:
        found = self._kinds.get(kind, {})
        return [item for items in found.values() for item in items] if space is None else found.get(space, ())

    def named(self, kind: str, space: str, name: str) -> Subject | None:
        return self._named.get((kind, space, name))

    def lacks(self, kind: str, space: str, name: str) -> bool:
        """Whether it is known that there is no such object."""
        return self.whole and (self.live or kind in self._kinds) and self.named(kind, space, name) is None

    def runners(self, space: str) -> Iterable[Subject]:
        """What runs pods there."""
        return self._runners.get(space, ())
