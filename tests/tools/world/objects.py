"""Objects for worlds in tests, as short as they can be."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.ref import Ref

Object = dict[str, Any]


def obj(kind: str, name: str, api_version: str = "v1", namespace: str = "shop", **more: Any) -> Object:
    metadata = {"name": name, "uid": f"uid-{kind}-{name}", **more.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def owned(child: Object, owner: Object) -> Object:
    above = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"]}
    reference = {**above, "uid": owner["metadata"]["uid"], "controller": True}
    return {**child, "metadata": {**child["metadata"], "ownerReferences": [reference]}}


def deployment(name: str, secret: str = "", pods: int = 2, node: str = "n1") -> list[Object]:
    """A Deployment, its ReplicaSet, its pods, and the Service that selects them."""
    labels = {"app": name}
    env = [{"secretRef": {"name": secret}}] if secret else []
    spec = {"containers": [{"name": "app", "image": "app:1", "envFrom": env}]}
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"replicas": pods, "selector": {"matchLabels": labels}, "template": template}
    above = obj("Deployment", name, "apps/v1", spec=body)
    middle = owned(obj("ReplicaSet", f"{name}-1", "apps/v1", spec=body), above)
    below = [
        owned(obj("Pod", f"{name}-1-{n}", metadata={"labels": labels}, spec={**spec, "nodeName": node}), middle)
        for n in range(pods)
    ]
    return [above, middle, *below, obj("Service", name, spec={"selector": labels, "ports": [{"port": 80}]})]


def ref(kind: str, name: str, group: str = "", namespace: str = "shop") -> Ref:
    return Ref("", group, kind, namespace, name)
