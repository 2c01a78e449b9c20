"""Workloads on a simulated cluster, and what can be read off it."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Object

NOW = 1795222800.0
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PLURALS = {"StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


class Lab:
    """A cluster of `nodes` nodes; every call is followed by all that comes of it."""

    def __init__(self, nodes: int = 3) -> None:
        self.cluster = SimulatedCluster.new(nodes=nodes, now=NOW)

    def call(self, verb: str, path: str, body: Any = None, content: str = MERGE, *, settle: bool = True) -> Object:
        response = self.cluster.handle(Request(verb, path, {}, content, body))
        if settle:
            self.settle()
        return {"code": response.status, **response.body}

    def settle(self) -> None:
        assert self.cluster.engine.settle()

    def create(self, obj: Object, *, settle: bool = True) -> Object:
        return self.call("create", f"{APPS}/{PLURALS[obj['kind']]}", obj, settle=settle)

    def patch(self, name: str, spec: Any, *, settle: bool = True) -> Object:
        return self.call("patch", f"{APPS}/{name}", {"spec": spec}, settle=settle)

    def image(self, name: str, image: str, *, settle: bool = True) -> Object:
        """Roll the workload `name`, such as "statefulsets/db", to another image."""
        containers = [{"name": "app", "image": image}]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        return self.call("patch", f"{APPS}/{name}", body, STRATEGIC, settle=settle)

    def get(self, name: str) -> Object:
        plural, _, own = name.partition("/")
        return self.cluster.api.get(f"{plural}.apps", "default", own)

    def status(self, name: str) -> dict[str, Any]:
        status: dict[str, Any] = self.get(name)["status"]
        return status

    def delete_pod(self, name: str, *, settle: bool = True) -> Object:
        return self.call("delete", f"/api/v1/namespaces/default/pods/{name}", settle=settle)

    def pods(self) -> dict[str, Object]:
        return {pod["metadata"]["name"]: pod for pod in self.cluster.store.objects("pods", "default")}

    def ready(self) -> list[str]:
        return [name for name, pod in self.pods().items() if is_ready(pod)]

    def images(self) -> dict[str, str]:
        """Of each pod the tag of its image."""
        images = {name: pod["spec"]["containers"][0]["image"] for name, pod in self.pods().items()}
        return {name: image.rpartition(":")[2] for name, image in images.items()}

    def claims(self) -> dict[str, Object]:
        return {one["metadata"]["name"]: one for one in self.cluster.store.objects("persistentvolumeclaims")}

    def events(self, reason: str) -> list[str]:
        return [event["message"] for event in self.cluster.store.objects("events") if event["reason"] == reason]

    def revisions(self) -> list[int]:
        return sorted(item["revision"] for item in self.cluster.store.objects("controllerrevisions.apps"))


APPS = "/apis/apps/v1/namespaces/default"


def template(app: str, image: str = "app:1", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [{"name": "app", "image": image}], **spec}}


def stateful_set(name: str = "db", replicas: int = 3, **spec: Any) -> dict[str, Any]:
    own = {"replicas": replicas, "serviceName": name, "selector": {"matchLabels": {"app": name}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {**own, "template": template(name), **spec},
    }


def daemon_set(name: str = "agent", **spec: Any) -> dict[str, Any]:
    own = {"selector": {"matchLabels": {"app": name}}, "template": template(name)}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name}, "spec": {**own, **spec}}


def claim_template(name: str = "data") -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return {"metadata": {"name": name}, "spec": spec}
