"""What is wrong with an ancestor itself, and since when: a sign that does not rest on those who hang on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kubesteward_tools.correlation.ancestors import Ancestor
from kubesteward_tools.correlation.failures import Failure
from kubesteward_tools.diagnosis import reading, routing
from kubesteward_tools.diagnosis.reading import count
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key

_DANGLES = frozenset({"config", "account", "claim", "service"})
_HALF = 0.5


class Ailment(NamedTuple):
    """`since` in epoch seconds, None where nothing tells."""

    text: str
    since: float | None = None


def ailment(scene: Scene, ancestor: Ancestor, failing: Mapping[Key, Sequence[Failure]]) -> Ailment | None:
    """`failing` are all failures by their unit. None where nothing is wrong with the ancestor itself."""
    key = ancestor.key
    if ancestor.kind == "zone":
        return _zone(scene, ancestor, failing)
    if key is None:
        return None
    if ancestor.kind in _DANGLES and scene.missing(key):
        return Ailment("it does not exist")
    if own := failing.get(key):
        return Ailment(own[0].reason, min((one.began for one in own if one.began is not None), default=None))
    return _unserved(scene, key) if ancestor.kind == "service" else None


def _unserved(scene: Scene, service: Key) -> Ailment | None:
    """A Service that selects pods of which none is ready."""
    if not scene.exists(service) or not routing.selector(scene.get(service)):
        return None
    pods = routing.backends(scene, service)
    if routing.ready(scene, pods):
        return None
    times = [reading.seconds(reading.condition(scene.get(pod), "Ready").get("lastTransitionTime")) for pod in pods]
    since = max((time for time in times if time is not None), default=None)
    return Ailment(f"none of its {count(len(pods), 'pod')} is ready" if pods else "it has no pods", since)


def _zone(scene: Scene, zone: Ancestor, failing: Mapping[Key, Sequence[Failure]]) -> Ailment | None:
    """Where at least two nodes, and half of them, are in trouble."""
    nodes = nodes_of(scene, zone)
    bad = [one for node in nodes for one in failing.get(node, ())]
    if len(bad) < 2 or len(bad) < _HALF * len(nodes):
        return None
    since = min((one.began for one in bad if one.began is not None), default=None)
    return Ailment(f"{len(bad)} of its {len(nodes)} nodes are in trouble", since)


def nodes_of(scene: Scene, zone: Ancestor) -> list[Key]:
    label, _, value = zone.name.partition("=")
    return [key for key, facts in scene.store.known("nodes") if facts.labels.get(label) == value]


def servers(scene: Scene, service: Key, failing: Mapping[Key, Sequence[Failure]]) -> list[Key]:
    """The failing workloads behind a Service that has nobody else to answer."""
    if not scene.exists(service) or routing.ready(scene, routing.backends(scene, service)):
        return []
    return [unit for unit in routing.workloads_behind(scene, service) if unit in failing]
