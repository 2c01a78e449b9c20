"""Incidents planted into a fleet: one cause each, with many that suffer from it."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.world.store import Key, Store

Object = dict[str, Any]
BEGAN = "2026-11-21T11:45:00Z"


def fell(store: Store, node: str) -> str:
    """The node is not heard of any more. Returns what is to be blamed."""
    key = Key("nodes", "", node)
    obj = _there(store, key)
    ready = {"type": "Ready", "status": "Unknown", "lastTransitionTime": BEGAN, "message": "Kubelet stopped posting."}
    store.put(key, {**obj, "status": {**obj["status"], "conditions": [ready]}})
    for pod in store.pods_on(node):
        _fail(store, pod, {})
    return f"Node {node}"


def bad_image(store: Store, first: int, apps: int, image: str) -> str:
    """So many apps from the first one on were rolled out with it, and it is not there."""
    for space, name in _apps(first, apps):
        _retemplate(store, space, name, {"image": image})
        state = {"waiting": {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}": not found'}}
        for pod in store.selected("pods", space, {"matchLabels": {"app": name}}):
            _retemplate(store, pod.namespace, pod.name, {"image": image}, "pods")
            _fail(store, pod, {"state": state})
    return f"image {image}"


def bad_config(store: Store, first: int, apps: int, name: str) -> str:
    """So many apps of one namespace read it, and crash since it was changed."""
    space = f"team-{first % 60:02}"
    metadata = {"name": name, "namespace": space, "uid": name, "creationTimestamp": BEGAN}
    store.put(
        Key("configmaps", space, name), {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {}}
    )
    source = {"envFrom": [{"configMapRef": {"name": name}}]}
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    for number in range(apps):
        app = f"app-{first + 60 * number:04}"
        _retemplate(store, space, app, source)
        for pod in store.selected("pods", space, {"matchLabels": {"app": app}}):
            _retemplate(store, space, pod.name, source, "pods")
            _fail(store, pod, {"state": state})
    return f"ConfigMap {space}/{name}"


def _apps(first: int, count: int) -> list[tuple[str, str]]:
    return [(f"team-{number % 60:02}", f"app-{number:04}") for number in range(first, first + count)]


def _retemplate(store: Store, space: str, name: str, more: Object, resource: str = "deployments.apps") -> None:
    key = Key(resource, space, name)
    obj = _there(store, key)
    if resource == "pods":
        store.put(key, {**obj, "spec": _with(obj["spec"], more)})
        return
    template = obj["spec"]["template"]
    spec = {**obj["spec"], "template": {**template, "spec": _with(template["spec"], more)}}
    store.put(key, {**obj, "spec": spec})


def _with(spec: Object, more: Object) -> Object:
    head, *others = spec["containers"]
    return {**spec, "containers": [{**head, **more}, *others]}


def _fail(store: Store, key: Key, state: Object) -> None:
    """A pod is not ready since BEGAN, and its first container in this state."""
    pod = _there(store, key)
    head, *others = pod["status"]["containerStatuses"]
    conditions = [
        {**one, "status": "False", "lastTransitionTime": BEGAN} if one["type"] == "Ready" else one
        for one in pod["status"]["conditions"]
    ]
    statuses = [{**head, **state, **({"ready": False} if state else {})}, *others]
    store.put(key, {**pod, "status": {**pod["status"], "conditions": conditions, "containerStatuses": statuses}})


def _there(store: Store, key: Key) -> Object:
    found = store.get(key)
    assert found is not None
    return found
