"""Nodes that stop answering, played on a fork of the world: what the control plane makes of it, in virtual time.

Nothing here is a change: there is no API call that could bring it about, and none is made. The times and messages are
those of kube-controller-manager's node lifecycle controller with its defaults: heartbeats are missed for 50 s
(`--node-monitor-grace-period`, since 1.32), then Ready is Unknown, the node is tainted unreachable, its pods count as
not ready, and they are evicted once they do not tolerate the NoExecute taint any longer (300 s by default).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.controllers.nodes import Nodes, patience
from kubesteward_tools.twin.findings.evidence import Run
from kubesteward_tools.twin.kubelet.outlook import Fate, Outlook
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.rehearsal import Step
from kubesteward_tools.twin.scheduling.volumes import claim_names
from kubesteward_tools.twin.watcher import Watcher
from kubesteward_tools.world.store import Key, Object, Store

NOTICED_AFTER = 50.0
LONGEST_PATIENCE = 3600.0
MOST_PODS = 1500
"""Of so many the way back is followed; of more only what is left right after the failure."""
ZONE = "topology.kubernetes.io/zone"
_REGION = "topology.kubernetes.io/region"
_UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
_SILENT = "Kubelet stopped posting node status."
_KUBELETS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_SMALL_ZONE, _FEW, _MOST = 50, 2, 0.55
_ONE_NODE = {"ReadWriteOnce", "ReadWriteOncePod"}


@dataclass(frozen=True, slots=True)
class Failure:
    """What fails: nodes by name, and all nodes of a zone (label topology.kubernetes.io/zone)."""

    nodes: tuple[str, ...] = ()
    zone: str = ""

    def __str__(self) -> str:
        parts = [f"zone {self.zone}"] if self.zone else []
        return " and ".join(parts + [f"node {name}" for name in self.nodes])

    def among(self, store: Store) -> tuple[str, ...]:
        """The names of the nodes that fail, sorted.

        Raises:
            ValueError: nothing is to fail, or there is no such node or zone; says which there are.
        """
        names = {key.name for key in store.keys("nodes")}
        if unknown := sorted(set(self.nodes) - names):
            raise ValueError(f"there is no node {unknown[0]!r}; there are {_some(names)}")
        zones = {key.name: zone_of(node) for key, node in store.items("nodes")} if self.zone else {}
        within = {name for name, zone in zones.items() if zone == self.zone}
        if self.zone and not within:
            raise ValueError(f"no node is in zone {self.zone!r}; zones are {_some(set(zones.values()) - {''})}")
        if not within and not self.nodes:
            raise ValueError("name a node or a zone that fails")
        return tuple(sorted({*self.nodes, *within}))


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:10]) or "none"


def zone_of(node: Object) -> str:
    labels = node["metadata"].get("labels") or {}
    return str(labels.get(ZONE) or labels.get("failure-domain.beta.kubernetes.io/zone") or "")


class Attached:
    """A volume that one node has at a time stays with a node that does not answer: pods elsewhere wait for it.

    It is let go of when the pod there is gone for good, which nobody but a person can say (force delete, or the taint
    node.kubernetes.io/out-of-service).
    """

    def __init__(self, otherwise: Outlook, store: Store, lost: frozenset[str]) -> None:
        self._otherwise, self._store, self._lost = otherwise, store, lost

    def fate(self, pod: Object) -> Fate:
        return Fate("unready") if any(self.holders(pod)) else self._otherwise.fate(pod)

    def holders(self, pod: Object) -> Iterator[str]:
        """The pods on lost nodes that have a volume which this pod needs for itself."""
        namespace = pod["metadata"].get("namespace", "")
        wanted = {name for name in claim_names(pod) if is_for_one_node(self._store, namespace, name)}
        for key in (key for node in sorted(self._lost) for key in self._store.pods_on(node)) if wanted else ():
            other = self._store.get(key) if key.namespace == namespace else None
            if other is not None and not is_terminal(other) and not wanted.isdisjoint(claim_names(other)):
                yield key.name


def is_for_one_node(store: Store, namespace: str, claim: str) -> bool:
    found = store.get(Key("persistentvolumeclaims", namespace, claim))
    modes = set((found or {"spec": {}})["spec"].get("accessModes") or ())
    return bool(modes) and modes <= _ONE_NODE


def is_followed(store: Store, lost: tuple[str, ...]) -> bool:
    return sum(len(store.pods_on(name)) for name in lost) <= MOST_PODS


def played(  # noqa: PLR0917 - the two calls differ in one argument
    store: Store, lost: tuple[str, ...], held: frozenset[str], outlook: Outlook, now: float, seed: int | str
) -> Run:
    """The nodes stop answering at `now`; the run ends when the cluster is at rest after the last eviction.

    Nothing is evicted from nodes that are `held`. Where all are, the run ends right after the failure.
    """
    fork = store.fork()
    outlook = Attached(outlook, fork, frozenset(lost))
    cluster = SimulatedCluster.over(fork, now=now, seed=f"failure {seed}", outlook=outlook)
    watcher = Watcher(store, fork, cluster.clock)
    for controller in cluster.engine.controllers:
        if isinstance(controller, Nodes):
            controller.held = held
    watcher.steps += [Step(t=0.0, object=f"node {name}", what="stops answering") for name in lost[:10]]
    try:
        settled = _moved(cluster, watcher, lost, _patience(store, set(lost) - held))
    except RuntimeError:
        settled = False
    cluster.engine.close()
    return Run(cluster, watcher, settled)


def _moved(cluster: SimulatedCluster, watcher: Watcher, lost: tuple[str, ...], wait: float) -> bool:
    now = cluster.clock.now + NOTICED_AFTER
    cluster.engine.advance(now)
    for name in lost:
        _silence(cluster, name)
    what = "Ready is Unknown: tainted unreachable, its pods count as not ready"
    watcher.steps += [Step(t=NOTICED_AFTER, object=f"node {name}", what=what) for name in lost[:10]]
    cluster.engine.advance(now + wait)
    return wait == 0 or cluster.engine.settle()


def _silence(cluster: SimulatedCluster, name: str) -> None:
    """As the node lifecycle controller marks a node that nobody hears from."""
    key, now = Key("nodes", "", name), cluster.clock.timestamp
    status = dict((cluster.store.get(key) or {}).get("status") or {})
    known = {item["type"]: item for item in status.get("conditions") or ()}
    for kind in _KUBELETS:
        if (known.get(kind) or {}).get("status") != "Unknown":
            known[kind] = {
                **known.get(kind, {"type": kind}),
                "status": "Unknown",
                "reason": "NodeStatusUnknown",
                "message": _SILENT,
                "lastTransitionTime": now,
            }
    cluster.api.update_status(*key, {**status, "conditions": list(known.values())})


def _patience(store: Store, nodes: Iterable[str]) -> float:
    """Seconds until the last pod that does not stay for ever has been evicted from any of these nodes."""
    pods = (store.get(key) for name in nodes for key in store.pods_on(name))
    waits = (patience(pod, _UNREACHABLE) or 0 for pod in pods if pod is not None)
    return min(max(waits, default=-1) + 1, LONGEST_PATIENCE)


def held_nodes(store: Store, lost: tuple[str, ...]) -> frozenset[str]:
    """The lost nodes that nothing is evicted from, since the fault may well be the control plane's own.

    All of them where no node of any zone is left; those of a zone of at most 50 nodes where more than two and at least
    55 % do not answer, but some do (node lifecycle controller, `--unhealthy-zone-threshold`).
    """
    total, down, zones = Counter[Any](), Counter[Any](), {}
    for key, node in store.items("nodes"):
        labels = node["metadata"].get("labels") or {}
        zones[key.name] = zone = (labels.get(_REGION, ""), zone_of(node))
        total[zone] += 1
        down[zone] += key.name in lost or not is_ready_node(node)
    if down == total:
        return frozenset(lost)
    return frozenset(name for name in lost if _is_disrupted(total[zones[name]], down[zones[name]]))


def _is_disrupted(total: int, down: int) -> bool:
    return _FEW < down < total <= _SMALL_ZONE and down / total >= _MOST


def is_ready_node(node: Object) -> bool:
    conditions = (node.get("status") or {}).get("conditions") or ()
    return all(item["status"] == "True" for item in conditions if item["type"] == "Ready")
