"""Where a pod might be instead of where it is: nodes that its selectors and tolerations let it go to.

Room is not asked about: it comes and goes, and what may stand elsewhere will.
"""

from __future__ import annotations

import json
from functools import cached_property

from kubesteward_tools.diagnosis import reading
from kubesteward_tools.diagnosis.reading import at
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.twin.scheduling.affinity import matches_node
from kubesteward_tools.twin.scheduling.taints import unschedulable, untolerated
from kubesteward_tools.world.store import Key, Object

_SHAPES = (AttributeError, KeyError, TypeError, ValueError)
"""What saved objects of a shape that they should not have raise when they are read."""
_ASKED = ("nodeSelector", "affinity", "tolerations")


class Places:
    """For one answer: pods that ask for the same are looked up once, for a large cluster has thousands of them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._found: dict[str, frozenset[str]] = {}

    def of(self, pod: Key) -> frozenset[str]:
        """Names of ready nodes that would take it; none where a volume of its own ties it."""
        obj = self.scene.get(pod)
        spec = at(obj, "spec")
        if any("persistentVolumeClaim" in volume for volume in reading.mappings(spec.get("volumes"))):
            return frozenset()
        asked = json.dumps([spec.get(name) for name in _ASKED], sort_keys=True, default=str)
        if asked not in self._found:
            self._found[asked] = frozenset(name for name, node in self._nodes if _takes(node, obj))
        return self._found[asked]

    @cached_property
    def _nodes(self) -> list[tuple[str, Object]]:
        keys = self.scene.store.keys("nodes")
        return [(key.name, self.scene.get(key)) for key in keys if (note := of(self.scene.store, key)) and note.ready]


def _takes(node: Object, pod: Object) -> bool:
    try:
        return matches_node(pod, node) and not unschedulable(pod, node) and not untolerated(pod, node)
    except _SHAPES:
        return False
