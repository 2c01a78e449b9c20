"""A subscribed overlay of a cluster that lives: it is told when a Deployment's pods begin to crash, in both eras."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.types import ResourceUpdatedNotification
from tests.e2e.desk import Desk, opened

from kubesteward.mcp.server import build
from kubesteward_tools.twin.route import Request

pytestmark = pytest.mark.anyio

CART = "kubesteward://analysis/Deployment/shop/cart"
PATIENCE = 40


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


def crash(desk: Desk) -> None:
    """A release of cart whose pods crash."""
    annotations = {"sim.kubesteward.dev/mode": "crash", "sim.kubesteward.dev/exit-code": "3"}
    patch = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
    path = "/apis/apps/v1/namespaces/shop/deployments/cart"
    request = Request("patch", path, body=patch, content_type="application/merge-patch+json")
    assert desk.cluster.simulated.handle(request).status == 200


async def overlay(client: Client) -> dict[str, Any]:
    (found,) = (await client.read_resource(CART)).contents
    return dict(json.loads(found.text))


def crashes(found: dict[str, Any]) -> bool:
    return any(item["code"] == "crashing" for item in found["anomalies"])


@pytest.mark.requirement("overlay.told")
async def test_a_subscriber_hears_that_pods_begin_to_crash(desk: Desk) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()

    async def hear(message: object) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            told.put_nowait(str(message.params.uri))

    async with Client(build(desk.app, desk.identity), mode="legacy", message_handler=hear) as client:
        with warnings.catch_warnings(action="ignore"):  # the call is gone from the newer era
            await client.subscribe_resource(CART)
        before = await overlay(client)
        crash(desk)
        async with asyncio.timeout(PATIENCE):
            while not crashes(found := await overlay(client)):
                assert await told.get() == CART

    assert not crashes(before)
    assert found["health_score"] < before["health_score"]
    assert "exit 3" in str(found["anomalies"])


async def test_a_listener_of_the_newer_era_hears_it_too(desk: Desk) -> None:
    async with desk.client() as client, client.listen(resource_subscriptions=[CART]) as stream:
        crash(desk)
        async with asyncio.timeout(PATIENCE):
            while not crashes(await overlay(client)):
                assert (await anext(stream)).uri == CART  # type: ignore[union-attr] # updates are asked for
