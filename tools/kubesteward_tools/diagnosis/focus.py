"""How near a candidate is to what somebody asks about: by ownership first, then along the graph, then by namespace."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key

_FOLLOWED = frozenset(
    [
        "calls",
        "selects",
        "routes",
        "mounts",
        "env_from",
        "scales",
        "runs_as",
        "constrained_by",
        "grants",
        "binds",
        "owns",
        "serves",
        "admits",
        "scheduled_on",
    ]
)
_HUBS = frozenset({"namespaces", "nodes", "storageclasses.storage.k8s.io"})
_EVERYBODYS = frozenset({"default", "kube-root-ca.crt"})
_NEAR = (1.0, 0.9, 0.8)
_HINTED = 0.92
_IN_NAMESPACE = 0.85
_BESIDE = 0.7
_APART = 0.55
"""Of a mere question how one object is, another one of its namespace is no answer."""
_WIDE = 0.75
_ELSEWHERE = 0.4
_MOST = 3000


class Focus:
    """What the question of a scene is about, and what lies around it."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        question = scene.question
        self.sure = self._family(question.named)
        self.maybe = self._family(question.hinted)
        self.spaces = set(question.namespaces)
        self.beside = {key.namespace for key in self.sure | self.maybe if key.namespace}

    @property
    def is_open(self) -> bool:
        """Whether the question names nothing that is there, so that everything counts."""
        return not (self.sure or self.maybe or self.spaces)

    def _family(self, keys: Iterable[Key]) -> set[Key]:
        """The objects, what owns them, and the workloads behind Services and claims."""
        found = set(keys)
        return found | {self._scene.owner(key) for key in found}

    @cached_property
    def _rings(self) -> list[set[Key]]:
        """What is one and two steps of the graph away from what is meant."""
        rings, seen = [set(self.sure or self.maybe)], set(self.sure or self.maybe)
        for _ in range(2):
            ring = set[Key]()
            for key in list(rings[-1])[:_MOST]:
                if key.resource in _HUBS and len(rings) > 1:
                    continue
                for item in (key, *self._scene.pod_keys(key)[:2]):
                    for edge in self._scene.graph.edges(item, _FOLLOWED):
                        other = self._scene.owner(edge.other(item))
                        if other not in seen and other.name not in _EVERYBODYS and other.resource != "namespaces":
                            ring.add(other)
            seen |= ring
            rings.append(ring)
        return rings

    def relevance(self, found: Candidate) -> float:
        """0..1."""
        if self.is_open:
            return 1.0
        touched = {
            found.culprit,
            self._scene.owner(found.culprit),
            *found.suffers,
            *map(self._scene.owner, found.suffers),
        }
        best = 0.0
        for distance, ring in enumerate(self._rings):
            if touched & ring and (distance == 0 or found.culprit in ring or self._scene.owner(found.culprit) in ring):
                best = max(best, _NEAR[distance])
        if touched & self.sure:
            best = 1.0
        if touched & self.maybe:
            best = max(best, _HINTED)
        space = found.culprit.namespace
        if space and space in self.spaces:
            best = max(best, _IN_NAMESPACE)
        elif space and space in self.beside:
            best = max(best, _BESIDE if self._scene.question.complains or not self.sure else _APART)
        elif not space or space == "kube-system":
            best = max(best, _WIDE)
        return max(best, _ELSEWHERE)
