"""Clusters in which Jobs, CronJobs and autoscalers are tried, and the objects to try."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.kubelet.outlook import PREFIX
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key, Object

NOW = 1_800_000_000.0
"""2027-01-15T08:00:00Z, a Friday."""
JOBS = "/apis/batch/v1/namespaces/default/jobs"
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"
MERGE = "application/merge-patch+json"


def cluster() -> SimulatedCluster:
    return SimulatedCluster.new(nodes=3, now=NOW)


def job(name: str = "work", *, restarts: str = "Never", notes: dict[str, str] | None = None, **spec: Any) -> Object:
    """Its pods run for a second and end well, unless `notes` (without their prefix) say something else."""
    said = {"run-for": "1"} if notes is None else notes
    template = {
        "metadata": {"annotations": {PREFIX + key: value for key, value in said.items()}},
        "spec": {"restartPolicy": restarts, "containers": [{"name": "app", "image": "registry.example.com/app:1"}]},
    }
    return {"metadata": {"name": name}, "spec": {"template": template, **spec}}


FAILS = {"mode": "crash"}
RUNS_ON = {"run-for": "500"}


def create(where: SimulatedCluster, path: str, body: Object, *, code: int = 201) -> Object:
    response = where.handle(Request("create", path, {}, "", body))
    assert code == response.status, response.body
    return response.body


def patch(where: SimulatedCluster, path: str, body: Object, *, code: int = 200) -> Object:
    response = where.handle(Request("patch", path, {}, MERGE, body))
    assert code == response.status, response.body
    return response.body


def run(where: SimulatedCluster, seconds: float) -> None:
    where.engine.advance(where.clock.now + seconds)


def settled(where: SimulatedCluster, body: Object) -> Object:
    """The Job as it is once all is quiet."""
    create(where, JOBS, body)
    assert where.engine.settle()
    return the_job(where, body["metadata"]["name"])


def the_job(where: SimulatedCluster, name: str = "work") -> Object:
    return where.api.get("jobs.batch", "default", name)


def counts(found: Object) -> tuple[int, int, int]:
    """Active, succeeded, failed."""
    status = found["status"]
    return status.get("active", 0), status.get("succeeded", 0), status.get("failed", 0)


def conditions(found: Object) -> dict[str, str]:
    return {item["type"]: f"{item['status']}/{item['reason']}" for item in found["status"].get("conditions") or ()}


def pods(where: SimulatedCluster) -> list[Object]:
    return where.store.objects("pods", "default")


def messages(where: SimulatedCluster, reason: str) -> list[str]:
    return sorted(item["message"] for item in where.store.objects("events", "default") if item["reason"] == reason)


def exists(where: SimulatedCluster, resource: str, name: str) -> bool:
    return where.store.get(Key(resource, "default", name)) is not None
