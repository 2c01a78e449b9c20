"""PodMetrics and NodeMetrics as metrics-server serves them, and a metrics-server whose faults can be chosen."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.errors import AskAgain, Forbidden
from kubesteward_tools.twin.clock import timestamp

NOW = 1795222800.0


def pod(name: str, at: float, cpu: str = "100m", memory: str = "64Mi", namespace: str = "shop") -> dict[str, Any]:
    usage = {"cpu": cpu, "memory": memory}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "timestamp": timestamp(at),
        "window": "15s",
        "containers": [{"name": "app", "usage": usage}],
    }


def node(name: str, at: float, cpu: str = "1", memory: str = "1Gi") -> dict[str, Any]:
    return {"metadata": {"name": name}, "timestamp": timestamp(at), "usage": {"cpu": cpu, "memory": memory}}


class MetricsServer:
    """`pods` and `nodes` are what it says; `wide` is whether the cluster as a whole may be asked about."""

    def __init__(self) -> None:
        self.pods: list[Any] = []
        self.nodes: list[Any] = []
        self.wide = True
        self.down = False
        self.crash = False
        self.asked: list[tuple[str, str]] = []

    async def __call__(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        self.asked.append((plural, namespace))
        if self.crash:
            raise RuntimeError("nobody thought of this")
        if self.down:
            raise AskAgain("'lab' answered: the server is currently unable to handle the request.")
        if not self.wide and not namespace:
            raise Forbidden(f"{plural}.metrics.k8s.io is forbidden.")
        if plural == "nodes":
            return self.nodes
        return [item for item in self.pods if namespace in {"", item["metadata"]["namespace"]}]
