"""What a change does to its objects, told value by value and without secrets."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import WEB, Lab, deployment, label, patch, scale

from kubesteward.gate.action import Difference
from kubesteward.gate.differing import HIDDEN, LONGEST, told
from kubesteward_policies.change import JSON, ApiCall, Change
from kubesteward_policies.ref import Ref

pytestmark = pytest.mark.anyio

SECRET = "hunter2-correct-horse"
DELETE = Change("delete", WEB, (ApiCall("delete", "/x", WEB),), "x")


def rows(found: Any) -> list[tuple[str, str, str]]:
    return [(item.path, item.before, item.after) for item in found]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


async def test_the_servers_own_answer_is_what_is_told(lab: Lab) -> None:
    scaled, labelled = await lab.propose(scale(4)), await lab.propose(label("x"))

    assert scaled.diff == (Difference(object="Deployment shop/web", path="spec.replicas", before="3", after="4"),)
    assert rows(labelled.diff) == [("metadata.labels", "", '{"team": "x"}')]
    assert "diff" not in scaled.shown()


async def test_a_secret_that_changes_is_told_and_not_shown(lab: Lab) -> None:
    world, old, new = await lab.world(), deepcopy(lab.live()), deepcopy(lab.live())
    for obj, value in ((old, f"old-{SECRET}"), (new, f"new-{SECRET}")):
        obj["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": value}]
    lab.change(old)
    await world.ensure("deployments.apps")
    found = told(world, patch({}), {0: new})

    assert [item.after for item in found] == [HIDDEN]
    assert SECRET not in str(found)


async def test_values_of_secrets_are_never_in_it(lab: Lab) -> None:
    target = Ref("lab", "", "Secret", "shop", "s")
    call = ApiCall("create", "/api/v1/namespaces/shop/secrets", target, None, JSON)
    answer = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": SECRET}}
    found = told(await lab.world(), Change("create", target, (call,), "x"), {0: answer})

    assert len(found) == 1
    assert SECRET not in str(found)


async def test_objects_that_come_and_go_are_one_row(lab: Lab) -> None:
    world = await lab.world()
    target = Ref("lab", "apps", "Deployment", "shop", "new")
    create = Change("create", target, (ApiCall("create", "/x", target),), "x")

    assert rows(told(world, DELETE, {})) == [("", "is there", "deleted")]
    ((path, before, after),) = rows(told(world, create, {0: deployment("new")}))
    assert (path, before) == ("", "")
    assert '"replicas": 3' in after


async def test_long_values_are_cut_and_what_nobody_asked_is_not_told(lab: Lab) -> None:
    world = await lab.world()
    long = {**lab.live(), "metadata": {**lab.live()["metadata"], "annotations": {"note": "x" * 3 * LONGEST}}}
    await world.ensure("deployments.apps")
    (row,) = told(world, patch({}), {0: long})

    assert len(row.after) == LONGEST + 1
    assert told(world, patch({}), {}) == ()
