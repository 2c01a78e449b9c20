"""Policies, bindings, webhooks and a small cluster to try them on."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.route import Request, Response

NOW = 1_780_000_000.0
GROUP = "/apis/admissionregistration.k8s.io/v1"
DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
Object = dict[str, Any]


def a_cluster() -> SimulatedCluster:
    cluster = SimulatedCluster.new(nodes=1, now=NOW, seed=1)
    namespace = {"metadata": {"name": "shop", "labels": {"tier": "prod"}}}
    cluster.api.create("namespaces", "", namespace)
    cluster.engine.settle()
    return cluster


def rule(resource: str = "deployments", group: str = "apps", *operations: str, **more: Any) -> Object:
    known = {"apiGroups": [group], "apiVersions": ["v1"], "resources": [resource]}
    return {**known, "operations": list(operations) or ["CREATE", "UPDATE"], **more}


def policy(*validations: Object | str, rules: list[Object] | None = None, **spec: Any) -> Object:
    """Named `limits`, for Deployments unless other rules are given; a text is a validation's expression."""
    checks = [{"expression": item} if isinstance(item, str) else item for item in validations]
    match = {"resourceRules": rules or [rule()], **spec.pop("match", {})}
    return {"metadata": {"name": "limits"}, "spec": {"matchConstraints": match, "validations": checks, **spec}}


def binding(*actions: str, **spec: Any) -> Object:
    found = {"policyName": "limits", "validationActions": list(actions) or ["Deny"], **spec}
    return {"metadata": {"name": "everywhere"}, "spec": found}


def guarded(a_policy: Object, a_binding: Object | None = None) -> SimulatedCluster:
    cluster = a_cluster()
    assert write(cluster, f"{GROUP}/validatingadmissionpolicies", a_policy).status == 201
    assert write(cluster, f"{GROUP}/validatingadmissionpolicybindings", a_binding or binding()).status == 201
    return cluster


def write(cluster: SimulatedCluster, path: str, body: Object, user: User = ADMIN, **query: str) -> Response:
    return cluster.handle(Request("create", path, query, body=body, user=user))


def patch(cluster: SimulatedCluster, path: str, body: Object, user: User = ADMIN, **query: str) -> Response:
    return cluster.handle(Request("patch", path, query, "application/merge-patch+json", body, user))


def delete(cluster: SimulatedCluster, path: str, user: User = ADMIN) -> Response:
    return cluster.handle(Request("delete", path, user=user))


def deployment(name: str = "web", replicas: int = 2, **labels: str) -> Object:
    app = {"app": name}
    template = {"metadata": {"labels": app}, "spec": {"containers": [{"name": "app", "image": "registry.example/a:1"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": app}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}


def denied(response: Response) -> str:
    """What follows "denied request: ", "" when it was let through."""
    return str(response.body.get("message", "")).partition(" denied request: ")[2] if response.status >= 400 else ""
