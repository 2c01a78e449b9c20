"""A gate over a simulated cluster in memory: no HTTP, and every write of the writing client is on record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from kubesteward.audit.log import AuditLog
from kubesteward.execution.answers import refused
from kubesteward.execution.apply import preconditioned
from kubesteward.gate.case import Caller
from kubesteward.gate.gate import Gate
from kubesteward.settings import Settings
from kubesteward.store.store import Store
from kubesteward_policies.change import MERGE_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.world import World

ALICE = Caller("local:alice", "test 1.0", "session-1", "stdio", can_be_asked=True)
WEB = Ref("lab", "apps", "Deployment", "shop", "web")
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"


def deployment(name: str = "web", replicas: int = 3, **labels: str) -> dict[str, Any]:
    matched = {"app": name, **labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": matched},
            "template": {
                "metadata": {"labels": matched},
                "spec": {"containers": [{"name": "main", "image": "registry.example/web:1"}]},
            },
        },
    }


def patch(body: Any, path: str = PATH, target: Ref = WEB, content_type: str = MERGE_PATCH) -> Change:
    call = ApiCall("patch", path, target, body, content_type)
    return Change("patch_resource", target, (call,), f"Patch {target}")


def scale(replicas: int) -> Change:
    return patch({"spec": {"replicas": replicas}}, f"{PATH}/scale")


def label(value: str, name: str = "team") -> Change:
    return patch({"metadata": {"labels": {name: value}}})


@dataclass
class MemorySource:
    """The simulated cluster as a world sees it."""

    cluster: SimulatedCluster
    user: User = ADMIN
    url: str = "https://lab.example"
    namespaces: tuple[str, ...] = ()
    serves: str = "v1.36.0"
    skew: float | None = None

    @property
    def store(self) -> Any:
        return self.cluster.store

    @property
    def connection(self) -> Any:
        return SimpleNamespace(cluster="lab", url=self.url, skew=self.skew)

    async def kinds(self, *, again: bool = False) -> Kinds:
        return Kinds(BUILT_IN)

    async def version(self) -> str:
        return self.serves

    def feed(self, *_: Any) -> None:
        return None

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        names = ("group", "resource", "subresource", "namespace", "name")
        access = Access(attributes["verb"], **{name: attributes[name] for name in names})
        return permits(self.cluster.store, self.user, access).allowed, ""

    async def close(self) -> None:
        return None


@dataclass
class MemoryWriter:
    """`writes` are the calls that took effect, `asked` those with dryRun. The hooks may raise."""

    cluster: SimulatedCluster
    writes: list[ApiCall] = field(default_factory=list)
    asked: list[ApiCall] = field(default_factory=list)
    before: Callable[[ApiCall], object] = lambda _: None
    after: Callable[[ApiCall], object] = lambda _: None
    reading: Callable[[], object] = lambda: None
    frozen: bool = False

    async def dry_run(self, call: ApiCall) -> dict[str, Any]:
        self.asked.append(call)
        return self._send(call, {"dryRun": "All"}, call.body)

    async def apply(self, call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        self.before(call)
        answer = self._send(call, {}, preconditioned(call, resource_version))
        self.writes.append(call)
        if not self.frozen:
            self.cluster.engine.settle(600)
        self.after(call)
        return answer

    async def read(self, path: str) -> dict[str, Any] | None:
        self.reading()
        response = self.cluster.handle(Request("get", path))
        return None if response.status == 404 else response.body

    async def close(self) -> None:
        return None

    def _send(self, call: ApiCall, query: dict[str, str], body: Any) -> dict[str, Any]:
        asked = Request(call.verb, call.path, {**dict(call.query), **query}, call.content_type, body)
        response = self.cluster.handle(asked)
        if response.status >= 300:
            raise refused(response.status, json.dumps(response.body).encode(), "lab", dry_run=bool(query))
        return response.body


class Lab:
    """One cluster with the Deployment shop/web, one store, and as many gates over them as processes are played."""

    def __init__(self, folder: Path, *, user: User = ADMIN, **settings: Any) -> None:
        self.cluster = SimulatedCluster.new(nodes=2, now=time.time(), seed="lab")
        self.create("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        self.create("/apis/apps/v1/namespaces/shop/deployments", deployment())
        self.cluster.engine.settle(600)
        self.settings = Settings.load({}, **{"state_dir": folder, "autonomy": 2, **settings})
        self.source = MemorySource(self.cluster, user)
        self.writer = MemoryWriter(self.cluster)
        self.store = Store.open(folder)
        self.audit = AuditLog(self.store)
        self.gate = self.another_gate(self.store)

    def create(self, path: str, obj: dict[str, Any]) -> None:
        response = self.cluster.handle(Request("create", path, body=obj))
        assert response.status < 300, response.body

    def change(self, body: dict[str, Any], path: str = PATH) -> None:
        """Somebody else's change."""
        response = self.cluster.handle(Request("patch", path, {}, MERGE_PATCH, body))
        assert response.status < 300, response.body
        self.cluster.engine.settle(600)

    def another_gate(self, store: Store | None = None, **settings: Any) -> Gate:
        """Like that of another process: with its own connection to the store."""
        store = store or Store.open(self.settings.state_dir)
        return Gate(
            Clusters.of({"lab": self.source}),
            store,
            AuditLog(store),
            self.settings.model_copy(update=settings),
            open_writer=lambda _: self.writer,
            verify_seconds=0.2,
            pace_seconds=0.3,
        )

    async def world(self) -> World:
        return await World.over("lab", self.source)

    async def propose(self, change: Change, **terms: Any) -> Any:
        return await self.gate.propose(change, terms.pop("caller", ALICE), **{"dry_run": False, **terms})

    async def approved(self, change: Change) -> Any:
        action = await self.propose(change)
        assert action.status == "pending_approval", action.verdicts
        return await self.gate.decide(
            action.id, approve=True, approver=ALICE.principal, channel="elicitation", digest=action.digest
        )

    def live(self, path: str = PATH) -> dict[str, Any]:
        return self.cluster.handle(Request("get", path)).body

    def records(self, *types: str) -> list[dict[str, Any]]:
        rows = self.store.db.execute("SELECT record FROM audit ORDER BY seq").fetchall()
        found = [json.loads(row["record"]) for row in rows]
        return [item for item in found if not types or item["type"].removeprefix("action_") in types]

    def trail(self) -> list[str]:
        """The steps of actions."""
        types = [item["type"] for item in self.records()]
        return [item.removeprefix("action_") for item in types if item.startswith("action_")]
