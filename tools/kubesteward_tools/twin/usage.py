"""What pods and nodes use, for metrics.k8s.io: half of the request, or what an annotation says.

`sim.kubesteward.dev/memory-growth` and `.../cpu-growth` add that much for each hour since the container was started: a
leak. Nothing is killed by it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.kubelet.outlook import LAB, PREFIX
from kubesteward_tools.twin.names import Names
from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.world.store import Object, Store

_IDLE = {"cpu": Fraction(1, 200), "memory": Fraction(24 * 2**20)}


def pod_metrics(pod: Object, now: float) -> Object | None:
    """A PodMetrics object, or None while the pod is not running."""
    if (pod.get("status") or {}).get("phase") != "Running" or not is_ready(pod):
        return None
    metadata = pod["metadata"]
    return {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {key: metadata[key] for key in ("name", "namespace", "labels") if key in metadata},
        "timestamp": timestamp(now),
        "window": "15s",
        "containers": [
            {"name": item["name"], "usage": _shown(container_usage(pod, item, now))}
            for item in pod["spec"]["containers"]
        ],
    }


def measured_usage(pod: Object, resource: str, container: str | None) -> Fraction | None:
    """Cores or bytes that the pod, or one of its containers, uses; None while it is not measured."""
    if (pod.get("status") or {}).get("phase") != "Running" or not is_ready(pod) or resource not in _IDLE:
        return None
    chosen = [item for item in pod["spec"]["containers"] if container in {None, item["name"]}]
    return sum((container_usage(pod, item)[resource] for item in chosen), Fraction())


def declared_usage(pod: Object, resource: str, container: str | None) -> Fraction | None:
    """As `measured_usage`, but only what an annotation says: nothing is measured where nothing runs."""
    declared = _declared(pod, resource)
    if declared is None:
        return None
    return parse(declared) * len([item for item in pod["spec"]["containers"] if container in {None, item["name"]}])


def _declared(pod: Object, resource: str) -> str | None:
    notes = pod["metadata"].get("annotations") or {}
    found = notes.get(PREFIX + resource) or notes.get(LAB + resource)
    return str(found) if found else None


def container_usage(pod: Object, container: dict[str, Any], now: float | None = None) -> dict[str, Fraction]:
    """Cores and bytes; the same pod uses the same at the same moment (None: that of its start)."""
    requests = (container.get("resources") or {}).get("requests") or {}
    share = Fraction(Names(pod["metadata"].get("uid", "")).number(40, 60), 100)
    used = {}
    for name, idle in _IDLE.items():
        declared = _declared(pod, name)
        used[name] = parse(declared) if declared else parse(requests[name]) * share if name in requests else idle
        if now is not None and (growth := _declared(pod, f"{name}-growth")):
            used[name] += parse(growth) * Fraction(_age(pod, container["name"], now)) / 3600
    return used


def _age(pod: Object, container: str, now: float) -> int:
    """Seconds since the container was last started."""
    for item in (pod.get("status") or {}).get("containerStatuses") or ():
        started = ((item.get("state") or {}).get("running") or {}).get("startedAt")
        if item.get("name") == container and started:
            return max(0, int(now - parse_timestamp(started)))
    return 0


def _shown(used: dict[str, Fraction]) -> dict[str, str]:
    return {"cpu": f"{int(used['cpu'] * 10**9)}n", "memory": f"{int(used['memory'] / 1024)}Ki"}


def node_metrics(store: Store, node: Object, now: float) -> Object | None:
    """A NodeMetrics object, or None for a node that does not report."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    if not any(item["type"] == "Ready" and item["status"] == "True" for item in conditions):
        return None
    total = {"cpu": Fraction(1, 20), "memory": Fraction(300 * 2**20)}
    for key in store.pods_on(node["metadata"]["name"]):
        pod = store.get(key)
        if pod is not None and pod_metrics(pod, now):
            for container in pod["spec"]["containers"]:
                for name, value in container_usage(pod, container, now).items():
                    total[name] += value
    return {
        "kind": "NodeMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": node["metadata"]["name"], "labels": node["metadata"].get("labels") or {}},
        "timestamp": timestamp(now),
        "window": "15s",
        "usage": _shown(total),
    }
