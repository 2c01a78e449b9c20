"""Changes that do in two pieces, or under another name, what would be stopped if it were said plainly."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import PATH, Lab, deployment, label, patch

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals.objects import delete

pytestmark = pytest.mark.anyio

CONTAINER = "/spec/template/spec/containers/0"


def operations(*given: tuple[str, str, Any]) -> Change:
    return patch([{"op": op, "path": path, "value": value} for op, path, value in given], content_type=JSON_PATCH)


async def test_a_secret_whose_name_and_value_come_in_two_operations_is_a_secret(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    plain = ("add", f"{CONTAINER}/env", [{"name": "PLAIN", "value": "tulip"}])
    renamed = ("replace", f"{CONTAINER}/env/0/name", "DB_PASSWORD")
    whole, calls = operations(plain, renamed), operations(plain).calls + operations(renamed).calls

    for change in (whole, Change("t", whole.target, calls, "two", steps=(1, 1))):
        action = await lab.propose(change)
        assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "immutable.secret")
        assert "tulip" not in action.verdicts[-1].reason


@pytest.mark.parametrize("kind", [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH, "create"])
async def test_judging_a_change_leaves_it_as_it_was_proposed(tmp_path: Path, kind: str) -> None:
    """What is sent in the end is what was judged in the beginning, and not what became of it on the way."""
    lab, env = Lab(tmp_path), [{"name": name, "value": name} for name in "ABCDEFGH"]
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "main", "image": "x:1", "env": env}]},
    }
    body: Any = {"spec": {"template": template}}
    if kind == JSON_PATCH:
        body = [{"op": "add", "path": f"{CONTAINER}/env", "value": env}, {"op": "remove", "path": f"{CONTAINER}/env/0"}]
    elif kind in {APPLY_PATCH, "create"}:
        body = deployment("new" if kind == "create" else "web")
    change = patch(body, content_type=kind)
    if kind == "create":
        target = Ref("lab", "apps", "Deployment", "shop", "new")
        change = Change("t", target, (ApiCall("create", PATH.removesuffix("/web"), target, body),), "new")
    elif kind == APPLY_PATCH:
        change = replace(
            change, calls=(replace(change.calls[0], query=(("fieldManager", "kubesteward"), ("force", "true"))),)
        )
    before = copy.deepcopy(change)
    done = await lab.gate.execute((await lab.approved(change)).id)

    assert done.status == "executed", done.outcome
    assert (change, done.change) == (before, before)
    assert lab.writer.writes == list(before.calls)
    if kind == JSON_PATCH:
        assert [item["name"] for item in lab.live()["spec"]["template"]["spec"]["containers"][0]["env"]] == [*"BCDEFGH"]


async def test_what_an_object_holds_already_stands_in_the_way_of_no_other_change(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    containers = [{"name": "main", "image": "registry.example/web:1", "env": [{"name": "TOKEN", "value": "tulip"}]}]
    lab.change({"spec": {"template": {"spec": {"containers": containers}}}})
    action = await lab.propose(operations(("replace", f"{CONTAINER}/image", "registry.example/web:2")))

    assert action.status == "pending_approval"


async def test_a_restart_under_another_annotation_does_not_run_alone(tmp_path: Path) -> None:
    """So that nobody goes round the restart ladder."""
    lab = Lab(tmp_path, autonomy=4, auto_pods_per_hour=100.0)
    body = {"spec": {"template": {"metadata": {"annotations": {"example.com/stamp": "1"}}}}}

    assert (await lab.propose(patch(body))).status == "pending_approval"


async def test_a_change_that_would_be_played_for_minutes_is_denied_and_the_next_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kubesteward_tools.proposals.patience.LONGEST", 0.2)
    lab = Lab(tmp_path)
    pods = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/job:1"}]}
    job = {"parallelism": 500, "completions": 5000, "template": {"spec": pods}}
    body: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "much"}}
    body["spec"] = {"schedule": "* * * * *", "jobTemplate": {"spec": job}}
    target, path = Ref("lab", "batch", "CronJob", "shop", "much"), "/apis/batch/v1/namespaces/shop/cronjobs"
    action = await lab.propose(Change("t", target, (ApiCall("create", path, target, body),), "much"))

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "rehearsal.too_long")
    monkeypatch.undo()
    assert (await lab.propose(label("x"))).status == "pending_approval"


@pytest.mark.parametrize(
    ("propagation", "rule"), [("background", "immutable.pods"), ("orphan", "availability.released")]
)
async def test_pods_that_go_with_their_replica_set_go_at_once(tmp_path: Path, propagation: Any, rule: str) -> None:
    lab = Lab(tmp_path)
    world, (key,) = await lab.world(), lab.cluster.store.keys("replicasets.apps", "shop")
    action = await lab.propose(delete(await find(world, "ReplicaSet", key.name, "shop"), propagation))

    assert rule in [item.rule_id for item in action.verdicts]
    assert action.status == ("blocked" if propagation == "background" else "pending_approval")
