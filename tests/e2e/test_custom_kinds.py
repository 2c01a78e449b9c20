"""Custom kinds that come while a server runs: the tools know them, and rehearse changes of them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from mcp import Client
from tests.e2e.desk import Desk, opened, text_of
from tests.tools.twin.definitions import CRDS, WIDGETS, ask, definition, widget

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    async with opened(tmp_path_factory.mktemp("desk")) as made:
        yield made


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[Client]:
    async with desk.client(forms=False) as made:
        yield made


@pytest.fixture(scope="module")
async def defined(desk: Desk) -> Desk:
    """Widgets are defined after the server has learned which kinds there are."""
    async with desk.client(forms=False) as client:
        await tool(client, "list_resources", kind="pods")
    for path, body in ((CRDS, definition()), (WIDGETS, widget(colour="blue"))):
        assert ask(desk.cluster.simulated, "create", path, body).status == 201
    return desk


async def tool(client: Client, called: str, /, **arguments: Any) -> Any:
    result = await client.call_tool(called, arguments)
    assert not result.is_error, text_of(result)
    return result


async def test_a_kind_is_known_as_soon_as_it_is_defined(defined: Desk, client: Client) -> None:
    listed = await tool(client, "list_resources", kind="widgets", namespace="default")
    shown = await tool(client, "get_resource_yaml", kind="wi", name="w", namespace="default")

    assert [item["name"] for item in listed.structured_content["items"]] == ["w"]
    assert "colour: blue" in text_of(shown)


async def test_a_change_of_a_custom_resource_is_judged_by_its_schema(defined: Desk, client: Client) -> None:
    what = {"action": "patch", "kind": "Widget", "name": "w", "namespace": "default"}

    async def verdict(size: int) -> tuple[str, str]:
        params = {"patch": {"spec": {"size": size}}, "patch_type": "merge"}
        said = await tool(client, "simulate_impact", **what, params=params)
        return said.structured_content["verdict"], text_of(said)

    wrong, fine = await verdict(11), await verdict(3)
    assert wrong[0] == "blocked"
    assert "should be less than or equal to 10" in wrong[1]
    assert fine[0] == "unknown"
    assert "what its controller makes of the change is not known" in fine[1]


async def test_the_end_of_a_definition_names_what_would_be_lost(defined: Desk, client: Client) -> None:
    said = await tool(client, "simulate_impact", action="delete", kind="crd", name="widgets.example.com")

    assert said.structured_content["verdict"] == "blocked"
    assert "would take 1 Widget object along" in text_of(said)


async def test_a_manifest_may_define_the_kind_of_its_own_objects(defined: Desk, client: Client) -> None:
    gear = {**widget("g"), "kind": "Gear"}
    manifest = "\n---\n".join(map(json.dumps, (definition(plural="gears", kind="Gear"), gear)))
    said = await tool(client, "simulate_impact", action="apply", manifest=manifest)

    codes = [item["code"] for item in said.structured_content["rehearsal"]["admission"]]
    assert codes == [201, 201]
