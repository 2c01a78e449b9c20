"""What the gate would deny as a secret is not kept in a plan either."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import Lab

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.planning.drafting import draft

pytestmark = pytest.mark.anyio

CONTAINER = "/spec/template/spec/containers/0"


def step(*operations: dict[str, Any]) -> dict[str, Any]:
    params = {"patch": list(operations), "patch_type": "json"}
    return {"action": "patch", "kind": "Deployment", "name": "web", "namespace": "shop", "params": params}


async def test_a_secret_in_pieces_is_not_planned_in_one_step_nor_in_two(tmp_path: Path) -> None:
    world = await Lab(tmp_path).world()
    value = {"op": "add", "path": f"{CONTAINER}/env", "value": [{"name": "PLAIN", "value": "tulip"}]}
    name = {"op": "replace", "path": f"{CONTAINER}/env/0/name", "value": "DB_PASSWORD"}

    for steps in ([step(value, name)], [step(value), step(name)]):
        with pytest.raises(InvalidArguments, match="DB_PASSWORD"):
            await draft(world, steps, 0.0)
