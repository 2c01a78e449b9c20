"""Topology that will hurt though nothing fails yet: where one thing carries many, and where spares are none.

Pure functions over a scene. Each yields Shapes for what a person would want to change, and nothing for what is only
small: a Service that nobody calls may have one replica.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from statistics import median

from kubesteward_tools.analytics.connections import connections
from kubesteward_tools.analytics.nodepools import pool_of
from kubesteward_tools.analytics.places import Places
from kubesteward_tools.analytics.shape import Severity, Shape
from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.reading import at, count, labels_in, named, number
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.scheduling.nodes import allocatable_of
from kubesteward_tools.twin.scheduling.usage import Room
from kubesteward_tools.world.store import Key, Object

Shares = Mapping[str, Mapping[str, float]]
"""By node and resource (cpu, memory) the used share of what is allocatable, 0..1, as it was measured."""
ZONE = "topology.kubernetes.io/zone"
BUSY = 3
"""So many workloads that call a Service make it one that many need."""
_HOT = 0.85
_OVER_PEERS = 0.3
_PEERS = 3
_SURE = 0.5
_SETTLED = 300.0
"""Seconds that pods are given to start before their Service is judged."""
_SPARE = 3
_SPREAD = ("deployments.apps", "statefulsets.apps")
_SHAPES = (AttributeError, KeyError, TypeError, ValueError)
"""What saved objects of a shape that they should not have raise when they are read."""
_CONTROL = "node-role.kubernetes.io/control-plane"


def shapes(scene: Scene, usage: Shares | None = None, namespace: str = "") -> list[Shape]:
    """All of them, the gravest first; `usage` where it was measured. Nodes are left out of one namespace's."""
    found = [
        *single_replicas(scene, namespace),
        *lone_endpoints(scene, namespace),
        *unspread(scene, namespace),
        *closed_budgets(scene, namespace),
        *connections(scene, namespace),
        *([] if namespace else hot_nodes(scene, usage or {})),
    ]
    return sorted(found, key=lambda one: (-one.severity.rank, one.code, one.key))


def callers(scene: Scene, service: Key) -> set[Key]:
    """Workloads whose configuration names the Service, its own not among them."""
    found = set[Key]()
    for edge in scene.graph.leading(service, ("calls",), down=False):
        unit = scene.owner(edge.other(service))
        if edge.confidence >= _SURE and unit.resource != "replicasets.apps":
            found.add(unit)
    return found - set(routing.workloads_behind(scene, service)) if found else found


def single_replicas(scene: Scene, namespace: str = "") -> Iterator[Shape]:
    """One pod behind a Service that many workloads call."""
    for service in scene.store.keys("services", namespace or None):
        needed = callers(scene, service)
        behind = routing.workloads_behind(scene, service) if len(needed) >= BUSY else []
        if len(behind) == 1 and behind[0].resource in _SPREAD and _replicas(scene.get(behind[0])) == 1:
            yield Shape(
                "topology.single_replica",
                Severity.MEDIUM,
                behind[0],
                f"{named(behind[0])} has 1 replica, and {count(len(needed), 'workload')} call {named(service)} in "
                "front of it: each of its restarts is felt by all of them.",
                {"replicas": 1, "callers": len(needed)},
            )


def _replicas(workload: Object) -> int:
    wanted = at(workload, "spec").get("replicas")
    return 1 if wanted is None else number(wanted)


def lone_endpoints(scene: Scene, namespace: str = "") -> Iterator[Shape]:
    """One ready pod of many: the Service still answers, and nothing else shows that it hangs by a thread."""
    settled = timestamp(scene.now - _SETTLED)
    for service, facts in scene.store.known("services", namespace or None):
        if not isinstance(facts.gist, Mapping):
            continue
        pods = [pod for pod in scene.selected("pods", service.namespace, facts.gist) if _counts(scene, pod)]
        ready = [pod for pod in pods if (note := of(scene.store, pod)) and note.ready]
        late = [pod for pod in pods if (known := scene.store.facts(pod)) and known.created <= settled]
        if len(ready) == 1 and len(late) >= _SPARE:
            yield Shape(
                "topology.lone_endpoint",
                Severity.HIGH,
                service,
                f"{named(service)} has 1 ready endpoint of {len(pods)} pods: {ready[0].name} alone carries it.",
                {"ready": 1, "pods": len(pods)},
            )


def _counts(scene: Scene, pod: Key) -> bool:
    note = of(scene.store, pod)
    return note is not None and note.phase not in {"Succeeded", "Failed"} and note.word != "Terminating"


def unspread(scene: Scene, namespace: str = "") -> Iterator[Shape]:
    """All replicas of a workload with a Service in one place, though its pods may go to others."""
    zones = {key.name: facts.labels.get(ZONE, "") for key, facts in scene.store.known("nodes")}
    places_for = Places(scene)
    for resource in _SPREAD if len(zones) > 1 else ():
        for key in scene.store.keys(resource, namespace or None):
            pods = [pod for pod in scene.pod_keys(key) if (note := of(scene.store, pod)) and note.ready]
            nodes = {known.node for pod in pods if (known := scene.store.facts(pod)) and known.node}
            places = {zones.get(node, "") for node in nodes}
            if len(pods) >= 2 and len(nodes) == 1:
                yield from _on_one_node(places_for, key, pods, next(iter(nodes)))
            elif len(pods) >= _SPARE and len(places) == 1 and places != {""}:
                yield from _in_one_zone(places_for, key, pods, next(iter(places)), zones)


def _served(scene: Scene, pod: Key) -> bool:
    facts = scene.store.facts(pod)
    return facts is not None and bool(scene.store.selecting("services", pod.namespace, facts.labels))


def _on_one_node(places: Places, key: Key, pods: list[Key], node: str) -> Iterator[Shape]:
    others = places.of(pods[0]) - {node} if _served(places.scene, pods[0]) else ()
    if others:
        yield Shape(
            "topology.one_node",
            Severity.MEDIUM,
            key,
            f"All {len(pods)} ready pods of {named(key)} are on node {node}, and {count(len(others), 'other node')} "
            "would take them: the node's loss is the workload's.",
            {"pods": len(pods), "other_nodes": len(others)},
        )


def _in_one_zone(places: Places, key: Key, pods: list[Key], zone: str, zones: Mapping[str, str]) -> Iterator[Shape]:
    if not _served(places.scene, pods[0]):
        return
    others = {zones[name] for name in places.of(pods[0])} - {zone, ""}
    if others:
        yield Shape(
            "topology.one_zone",
            Severity.LOW,
            key,
            f"All {len(pods)} ready pods of {named(key)} are in zone {zone}, and {count(len(others), 'other zone')} "
            "would take them.",
            {"pods": len(pods), "other_zones": len(others)},
        )


def closed_budgets(scene: Scene, namespace: str = "") -> Iterator[Shape]:
    """Budgets that allow no eviction though all pods are well: no drain ever ends. Nothing fails, and some mean it."""
    for key, budget in scene.all("poddisruptionbudgets.policy", namespace or None):
        status = at(budget, "status")
        expected, healthy = number(status.get("expectedPods")), number(status.get("currentHealthy"))
        if not expected or healthy < expected or number(status.get("disruptionsAllowed")):
            continue
        rule = at(budget, "spec")
        field = "maxUnavailable" if "maxUnavailable" in rule else "minAvailable"
        yield Shape(
            "topology.closed_budget",
            Severity.LOW,
            key,
            f"{named(key)} allows no eviction of its {count(expected, 'pod')}, all of them healthy "
            f"({field} {rule.get(field, 'unset')}): a drain of their nodes waits for ever.",
            {"expected": expected, "healthy": healthy, "allowed": 0},
        )


def hot_nodes(scene: Scene, usage: Shares) -> Iterator[Shape]:
    """Nodes that are nearly full while those of their pool are not: by what was measured, else by what pods ask for.

    Codes: `topology.hot_cpu`, `topology.hot_memory`.
    """
    pools: dict[tuple[str, ...], list[tuple[Key, Object]]] = {}
    for key, node in scene.all("nodes"):
        if _works(scene, key):
            facts = scene.store.facts(key)
            pools.setdefault(pool_of(labels_in(facts.labels if facts else {})), []).append((key, node))
    for _, peers in sorted(pools.items()):
        for resource in ("cpu", "memory") if len(peers) > _PEERS else ():
            yield from _hot(scene, peers, resource, usage)


def _hot(scene: Scene, peers: list[tuple[Key, Object]], resource: str, usage: Shares) -> Iterator[Shape]:
    measured = {key: usage[key.name][resource] for key, _ in peers if resource in usage.get(key.name, {})}
    word = "used" if len(measured) > _PEERS else "asked for"
    shares = measured if word == "used" else {key: _asked(scene, key, node, resource) for key, node in peers}
    middle = median(shares.values())
    for key, share in sorted(shares.items()):
        if share >= _HOT and share - middle >= _OVER_PEERS:
            yield Shape(
                f"topology.hot_{resource}",
                Severity.LOW if word == "asked for" else Severity.MEDIUM,
                key,
                f"{named(key)}: {share:.0%} of its {resource} is {word}; the median of the {len(shares)} nodes of its "
                f"pool is {middle:.0%}.",
                {"share": round(share, 4), "median": round(middle, 4), "nodes": len(shares)},
            )


def _works(scene: Scene, node: Key) -> bool:
    note, facts = of(scene.store, node), scene.store.facts(node)
    cordoned = note is not None and note.word != "Ready"
    return (
        note is not None and note.ready is True and not cordoned and facts is not None and _CONTROL not in facts.labels
    )


def _asked(scene: Scene, key: Key, node: Object, resource: str) -> float:
    try:
        most = allocatable_of(node).get(resource) or 0
        return Room.on(scene.store, key.name).used.get(resource, 0) / most if most else 0.0
    except _SHAPES:
        return 0.0
