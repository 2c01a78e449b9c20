"""The embedded cluster, over HTTP, ends where the rehearsal of the same change ended."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    QUOTAS,
    SERVICES,
    budget,
    call,
    deployment,
    image,
    patch,
    quota,
    scale,
    service,
)
from tests.tools.twin.rehearsal.generated import DAEMON_SETS, NODES, STATEFUL_SETS, daemon_set, state, stateful_set
from tests.tools.twin.rehearsal.test_outcomes import after

from kubesteward.embedded.server import EmbeddedCluster
from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, ApiCall

pytestmark = pytest.mark.anyio

_METHODS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE"}
_OBJECTS: list[tuple[str, dict[str, Any]]] = [
    (SERVICES, service()),
    (DEPLOYMENTS, deployment()),
    (STATEFUL_SETS, stateful_set(2, "50m", "OrderedReady")),
    (DAEMON_SETS, daemon_set("50m")),
    (BUDGETS, budget(2)),
    (QUOTAS, quota(12)),
]
_WEB = {**deployment(replicas=4), "apiVersion": "apps/v1", "kind": "Deployment"}
_TAINTS = {"spec": {"taints": [{"key": "k", "effect": "NoExecute"}]}}
_REMOVED = [{"op": "replace", "path": "/spec/replicas", "value": 1}]


async def _send(http: aiohttp.ClientSession, one: ApiCall) -> int:
    headers = {"Content-Type": one.content_type}
    method = _METHODS[one.verb]
    async with http.request(method, one.path, json=one.body, headers=headers, params=dict(one.query)) as answer:
        return answer.status


@pytest.mark.parametrize(
    "change",
    [
        scale("web", 5),
        scale("web", 20),
        image("web", "2"),
        call("delete", f"{DEPLOYMENTS}/web"),
        call("delete", f"{STATEFUL_SETS}/db"),
        patch(f"{NODES}/node-1", _TAINTS),
        patch(f"{NODES}/node-2", {"metadata": {"labels": {"tier": "a"}}}),
        call("patch", f"{QUOTAS}/pods", {"spec": {"hard": {"pods": "3"}}}, MERGE_PATCH),
        call("patch", f"{STATEFUL_SETS}/db", _REMOVED, JSON_PATCH),
        call("patch", f"{DEPLOYMENTS}/web", _WEB, APPLY_PATCH),
        call("patch", f"{DEPLOYMENTS}/web", {"spec": {"selector": {"matchLabels": {"app": "x"}}}}, MERGE_PATCH),
    ],
    ids=lambda one: f"{one.verb} {one.path.rpartition('default/')[2]}",
)
async def test_a_change_ends_where_its_rehearsal_ended(
    cluster: EmbeddedCluster, http: aiohttp.ClientSession, change: ApiCall
) -> None:
    simulated = cluster.simulated
    for path, body in _OBJECTS:
        assert await _send(http, call("create", path, body, "application/json")) == 201
        assert simulated.engine.settle()
    run, codes = after(simulated.store, [change], simulated.clock.now)

    assert codes == [await _send(http, change)]
    assert simulated.engine.settle()
    assert state(run.store) == state(simulated.store)
