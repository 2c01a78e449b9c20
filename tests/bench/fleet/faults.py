"""Forty faults planted into a fleet, ten kinds of them, each with the object that is to be blamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kubesteward_tools.world.store import Key, Store

Object = dict[str, Any]
Blame = tuple[str, str, str]
"""Category, kind and name."""
NOW = "2026-11-21T12:00:00Z"
_EVERY = 73


def plant(store: Store, apps: int) -> set[Blame]:
    """Four of each kind, far from each other. Returns what a diagnosis should blame."""
    kinds: tuple[Callable[[Store, str, str], Blame], ...] = (
        _crash,
        _memory,
        _image,
        _pending,
        _secret,
        _probe,
        _selector,
        _port,
        _quota,
        _ingress,
    )
    found = set[Blame]()
    for number in range(40):
        app = number * _EVERY * 5 % apps
        found.add(kinds[number % len(kinds)](store, f"team-{app % 60:02}", f"app-{app:04}"))
    return found


def _pods(store: Store, space: str, name: str) -> Iterator[tuple[Key, Object]]:
    for key in store.selected("pods", space, {"matchLabels": {"app": name}}):
        pod = store.get(key)
        assert pod is not None
        yield key, pod


def _fail(store: Store, space: str, name: str, state: Object, most: int = 10, **of_pod: Any) -> None:
    """Every pod of the app waits, or ends, as `state` says of its first container."""
    for key, pod in list(_pods(store, space, name))[:most]:
        statuses = [
            {**one, "ready": False, **(state if not at else {})}
            for at, one in enumerate(pod["status"]["containerStatuses"])
        ]
        conditions = [
            {**one, "status": "False"} if one["type"] in {"Ready", "ContainersReady"} else one
            for one in pod["status"]["conditions"]
        ]
        store.put(
            key, {**pod, "status": {**pod["status"], "containerStatuses": statuses, "conditions": conditions, **of_pod}}
        )
    _unready(store, space, name, 10 - most)


def _unready(store: Store, space: str, name: str, ready: int = 0) -> None:
    key = Key("deployments.apps", space, name)
    obj = store.get(key)
    assert obj is not None
    store.put(key, {**obj, "status": {**obj["status"], "readyReplicas": ready, "availableReplicas": ready}})


def _waiting(reason: str, message: str, last: Object | None = None, restarts: int = 0) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"state": state, "lastState": {"terminated": last} if last else {}, "restartCount": restarts}


def _warn(store: Store, about: Key, kind: str, reason: str, message: str, api: str = "v1") -> None:
    involved = {"kind": kind, "namespace": about.namespace, "name": about.name, "apiVersion": api}
    name = f"{about.name}.{reason.lower()}"
    key = Key("events", about.namespace, name)
    metadata = {"name": name, "namespace": about.namespace, "uid": f"{about}{reason}", "creationTimestamp": NOW}
    times = {"firstTimestamp": NOW, "lastTimestamp": NOW, "count": 30}
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Warning",
    }
    store.put(key, {**body, "metadata": metadata, **times})


def _crash(store: Store, space: str, name: str) -> Blame:
    _fail(store, space, name, _waiting("CrashLoopBackOff", "back-off", {"exitCode": 1, "reason": "Error"}, 9))
    return "CrashLoop", "Deployment", name


def _memory(store: Store, space: str, name: str) -> Blame:
    _fail(store, space, name, _waiting("CrashLoopBackOff", "back-off", {"exitCode": 137, "reason": "OOMKilled"}, 9))
    return "OOMKilled", "Deployment", name


def _image(store: Store, space: str, name: str) -> Blame:
    _fail(store, space, name, _waiting("ImagePullBackOff", "Back-off pulling image"), phase="Pending")
    return "ImagePull", "Deployment", name


def _pending(store: Store, space: str, name: str) -> Blame:
    message = "0/1000 nodes are available: 1000 Insufficient cpu."
    for key, pod in list(_pods(store, space, name)):
        spec = {field: value for field, value in pod["spec"].items() if field != "nodeName"}
        conditions = [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message},
            {"type": "Ready", "status": "False"},
        ]
        store.put(key, {**pod, "spec": spec, "status": {"phase": "Pending", "conditions": conditions}})
    _unready(store, space, name)
    return "Pending", "Deployment", name


def _secret(store: Store, space: str, name: str) -> Blame:
    store.delete(Key("secrets", space, f"{name}-secret"))
    _fail(
        store, space, name, _waiting("CreateContainerConfigError", f'secret "{name}-secret" not found'), phase="Pending"
    )
    return "ConfigMissing", "Deployment", name


def _probe(store: Store, space: str, name: str) -> Blame:
    for key, _ in list(_pods(store, space, name))[:3]:
        _warn(store, key, "Pod", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
    _fail(store, space, name, {})
    return "ProbeFailure", "Deployment", name


def _selector(store: Store, space: str, name: str) -> Blame:
    return _service(store, space, name, selector={"app": f"{name}-old"})


def _port(store: Store, space: str, name: str) -> Blame:
    return _service(store, space, name, ports=[{"name": "http", "port": 80, "targetPort": "web"}])


def _service(store: Store, space: str, name: str, **spec: Any) -> Blame:
    key = Key("services", space, name)
    obj = store.get(key)
    assert obj is not None
    store.put(key, {**obj, "spec": {**obj["spec"], **spec}})
    return "ServiceRouting", "Service", name


def _quota(store: Store, space: str, name: str) -> Blame:
    for key, _ in list(_pods(store, space, name)):
        store.delete(key)
    _unready(store, space, name)
    deployment = store.facts(Key("deployments.apps", space, name))
    assert deployment is not None
    above = store.owned_by(deployment.uid)[0]
    made = store.get(above)
    assert made is not None
    store.put(above, {**made, "status": {**made.get("status", {}), "replicas": 0, "readyReplicas": 0}})
    message = (
        f'Error creating: pods "{name}-x" is forbidden: exceeded quota: team, requested: pods=1, used: '
        "pods=500, limited: pods=500"
    )
    _warn(store, above, "ReplicaSet", "FailedCreate", message, "apps/v1")
    return "Quota", "Deployment", name


def _ingress(store: Store, space: str, name: str) -> Blame:
    backend = {"service": {"name": f"{name}-gone", "port": {"name": "http"}}}
    rule = {"host": f"{name}.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
    metadata = {"name": name, "namespace": space, "uid": f"ingress-{name}", "creationTimestamp": NOW}
    store.put(
        Key("ingresses.networking.k8s.io", space, name),
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {"rules": [rule]}},
    )
    return "Ingress", "Ingress", name
