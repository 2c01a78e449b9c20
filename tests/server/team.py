"""An embedded cluster that a team shares: namespaces `alpha` and `beta` with a Deployment `web` each, and accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kubesteward.embedded.server import EmbeddedCluster
from kubesteward_policies.change import MERGE_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.route import Request

STEWARD = User("steward", ("system:authenticated",))
WRITER = User("steward-writer", ("system:authenticated",))
CONTEXT = "kubesteward-embedded"


@dataclass
class Team:
    cluster: EmbeddedCluster
    folder: Path

    def create(self, path: str, obj: dict[str, Any]) -> None:
        """Make it, and let the cluster come to rest: what still moves would have to be approved twice."""
        response = self.cluster.simulated.handle(Request("create", path, body=obj))
        assert response.status < 300, response.body
        self.cluster.simulated.engine.settle(600)

    def live(self, path: str) -> dict[str, Any]:
        return self.cluster.simulated.handle(Request("get", path)).body

    def grant(self, user: str, role: str, namespace: str = "") -> None:
        """Bind a ClusterRole to a user, in a namespace or everywhere."""
        kind = "RoleBinding" if namespace else "ClusterRoleBinding"
        group = "/apis/rbac.authorization.k8s.io/v1"
        where = f"{group}/namespaces/{namespace}/rolebindings" if namespace else f"{group}/clusterrolebindings"
        metadata = {"name": f"{user}-{role}"} | ({"namespace": namespace} if namespace else {})
        self.create(
            where,
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": kind,
                "metadata": metadata,
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
                "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
            },
        )

    def role(self, name: str, *rules: dict[str, list[str]]) -> None:
        self.create(
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRole",
                "metadata": {"name": name},
                "rules": list(rules),
            },
        )

    def may_impersonate(self, user: str) -> None:
        rule = {"apiGroups": [""], "resources": ["users", "groups", "serviceaccounts"], "verbs": ["impersonate"]}
        self.role("impersonator", rule)
        self.grant(user, "impersonator")

    def kubeconfig(self, user: User) -> Path:
        path = self.folder / f"{user.name}.kubeconfig"
        self.cluster.write_kubeconfig(path, self.cluster.admit(user))
        return path

    def written(self) -> list[tuple[str, str]]:
        """User and path of every write that took effect over HTTP."""
        return [(item.user, item.path) for item in self.cluster.requests if item.writes]


def deployment(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": "registry.example/web:1"}]},
            },
        },
    }


def label(namespace: str, value: str) -> Change:
    """A label on the Deployment `web`."""
    target = Ref(CONTEXT, "apps", "Deployment", namespace, "web")
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/web"
    call = ApiCall("patch", path, target, {"metadata": {"labels": {"team": value}}}, MERGE_PATCH)
    return Change("patch_resource", target, (call,), f"Label {target}")


@asynccontextmanager
async def team(folder: Path) -> AsyncIterator[Team]:
    async with EmbeddedCluster(nodes=2) as cluster:
        made = Team(cluster, folder)
        for name in ("alpha", "beta"):
            made.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
            made.create(f"/apis/apps/v1/namespaces/{name}/deployments", deployment(name))
        yield made
