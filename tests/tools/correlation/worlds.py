"""Clusters of workloads that are well, and ways to make them fail, with times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kubesteward_tools.correlation.correlate import Correlation, correlate
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.store import Key, Store

Object = dict[str, Any]
NOW = parse_timestamp("2026-03-02T12:00:00Z")
LONG_AGO = "2026-02-01T08:00:00Z"
WINDOW = 1800.0
_PODS = "pods"


class Lab:
    """Nodes in zones, and workloads that are spread over them one after the other."""

    def __init__(self, nodes: int = 6, zones: int = 3) -> None:
        self.objects: dict[Key, Object] = {}
        self._nodes = [f"n{number}" for number in range(nodes)]
        self._next = 0
        for number, name in enumerate(self._nodes):
            zone = {"topology.kubernetes.io/zone": f"z{number % zones}", "kubernetes.io/hostname": name}
            ready = {"type": "Ready", "status": "True", "lastTransitionTime": LONG_AGO}
            self.put("v1", "Node", "nodes", "", name, labels=zone, spec={}, status={"conditions": [ready]})
        self.put("v1", "Namespace", "namespaces", "", "shop", spec={})

    def put(self, api: str, kind: str, resource: str, space: str, name: str, **fields: Any) -> Object:
        metadata: Object = {"name": name, "uid": f"{kind}-{space}-{name}", "creationTimestamp": LONG_AGO}
        metadata |= {"namespace": space} if space else {}
        for field, word in (("labels", "labels"), ("owners", "ownerReferences"), ("created", "creationTimestamp")):
            if field in fields:
                metadata[word] = fields.pop(field)
        obj = {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}
        self.objects[Key(resource, space, name)] = obj
        return obj

    def deployment(self, name: str, pods: int = 2, space: str = "shop", *, spec: Object | None = None) -> list[Key]:
        """With its ReplicaSet, a Service of its own and pods that are ready. Returns the keys of those."""
        labels = {"app": name}
        container = {"name": "app", "image": f"registry.example.com/{name}:1"}
        inner = {"containers": [container], "serviceAccountName": f"{name}-sa", **(spec or {})}
        body = {
            "replicas": pods,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": inner},
        }
        status = {"replicas": pods, "readyReplicas": pods}
        top = self.put(
            "apps/v1", "Deployment", "deployments.apps", space, name, labels=labels, spec=body, status=status
        )
        above = self.put(
            "apps/v1", "ReplicaSet", "replicasets.apps", space, f"{name}-1", owners=[_owner(top)], spec=body
        )
        self.put("v1", "ServiceAccount", "serviceaccounts", space, f"{name}-sa")
        self.put("v1", "Service", "services", space, name, spec={"selector": labels, "ports": [{"port": 80}]})
        return [self._pod(f"{name}-1-{number}", space, labels, above, inner) for number in range(pods)]

    def _pod(self, name: str, space: str, labels: Object, above: Object, spec: Object) -> Key:
        node = self._nodes[self._next % len(self._nodes)]
        self._next += 1
        conditions = [
            {"type": kind, "status": "True", "lastTransitionTime": LONG_AGO} for kind in ("PodScheduled", "Ready")
        ]
        running = {"name": "app", "ready": True, "restartCount": 0, "state": {"running": {"startedAt": LONG_AGO}}}
        status = {"phase": "Running", "conditions": conditions, "containerStatuses": [running]}
        owners = [_owner(above)]
        self.put(
            "v1",
            "Pod",
            _PODS,
            space,
            name,
            labels=labels,
            owners=owners,
            spec={**spec, "nodeName": node},
            status=status,
        )
        return Key(_PODS, space, name)

    def fail(
        self,
        pods: Iterable[Key],
        reason: str = "CrashLoopBackOff",
        ago: float = 600.0,
        message: str = "",
        code: int = 1,
    ) -> None:
        """These pods are not ready any more, since so many seconds."""
        for key in pods:
            last = {"terminated": {"exitCode": code, "reason": "Error", "finishedAt": timestamp(NOW - ago)}}
            state = {"waiting": {"reason": reason, "message": message or reason}}
            again = {"name": "app", "ready": False, "restartCount": 4, "state": state, "lastState": last}
            self._unready(key, ago, [again])

    def fell(self, node: str, ago: float = 600.0, pods_ago: float | None = None) -> None:
        """The node is not heard of any more, and with it its pods."""
        old = self.objects[Key("nodes", "", node)]
        ready = {"type": "Ready", "status": "Unknown", "lastTransitionTime": timestamp(NOW - ago)}
        self.objects[Key("nodes", "", node)] = {**old, "status": {"conditions": [ready]}}
        for key in self.on(node):
            statuses = self.objects[key]["status"]["containerStatuses"]
            self._unready(key, ago if pods_ago is None else pods_ago, statuses)

    def on(self, node: str) -> list[Key]:
        return [
            key for key, obj in self.objects.items() if key.resource == _PODS and obj["spec"].get("nodeName") == node
        ]

    def _unready(self, key: Key, ago: float, statuses: list[Object]) -> None:
        pod = self.objects[key]
        conditions = [
            {"type": "PodScheduled", "status": "True", "lastTransitionTime": LONG_AGO},
            {"type": "Ready", "status": "False", "lastTransitionTime": timestamp(NOW - ago)},
        ]
        self.objects[key] = {
            **pod,
            "status": {**pod["status"], "conditions": conditions, "containerStatuses": statuses},
        }

    def warn(self, about: Key, kind: str, api: str, reason: str, message: str, ago: float = 600.0) -> None:
        involved = {"kind": kind, "namespace": about.namespace, "name": about.name, "apiVersion": api}
        stamp = timestamp(NOW - ago)
        self.put(
            "v1", "Event", "events", about.namespace or "default", f"{about.name}.{reason}", created=stamp,
            involvedObject=involved, reason=reason, message=message, type="Warning", firstTimestamp=stamp,
            lastTimestamp=timestamp(NOW - 5), count=3,
        )  # fmt: skip

    def store(self, order: Iterable[Key] | None = None) -> Store:
        made = Store()
        for key in self.objects if order is None else order:
            made.put(key, self.objects[key])
        return made

    def scene(
        self, order: Iterable[Key] | None = None, logs: Mapping[tuple[str, str, str], str] | None = None
    ) -> Scene:
        store = self.store(order)
        return Scene(store, Graph(store, by_kind, lambda _resource, _namespace: True), NOW, logs or {})

    def found(self, order: Iterable[Key] | None = None, **more: Any) -> Correlation:
        return correlate(self.scene(order, **more), WINDOW)


def _owner(obj: Object) -> Object:
    metadata = obj["metadata"]
    names = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return {**names, "controller": True}


def calling(service: str, *env: tuple[str, str], path: str = "") -> Object:
    """The spec of pods that name a Service in their configuration."""
    variables = [{"name": "DB_URL", "value": f"postgres://{service}.shop.svc:5432/x{path}"}]
    variables += [{"name": name, "value": value} for name, value in env]
    return {"containers": [{"name": "app", "image": "registry.example.com/c:1", "env": variables}]}


def culprits(found: Correlation) -> list[str]:
    return [one.culprit.said for one in found.incidents]
