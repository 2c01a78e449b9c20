"""Cases made by hand: how steps, drains, evictions and failing nodes are played."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    SERVICES,
    STRATEGIC_PATCH,
    budget,
    cluster_with,
    deployment,
    rolling,
    service,
)

from kubesteward_tools.twin.cases.case import read
from kubesteward_tools.twin.cases.predict import predict

OPTIONS = {"ignore_daemonsets": True, "force": True, "delete_emptydir_data": True}
WEB = "default/Deployment/web"


def objects(*wanted: tuple[str, dict[str, Any]], nodes: int = 2) -> list[dict[str, Any]]:
    store = cluster_with(*wanted, nodes=nodes).store
    return [obj for kind in store.resources() if kind != "events" for obj in store.objects(kind)]


def web(replicas: int = 2, **spec: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(DEPLOYMENTS, deployment(replicas=replicas, **spec)), (SERVICES, service())]


def played(before: list[dict[str, Any]], *steps: dict[str, Any]) -> dict[str, Any]:
    return predict(read(json.dumps({"id": "by hand", "before": {"objects": before}, "mutation": steps})))


def step(verb: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    return {"verb": verb, "path": path, "content_type": STRATEGIC_PATCH, "body": body, **more}


def drain(node: str, **options: Any) -> dict[str, Any]:
    return {"verb": "drain", "path": f"/api/v1/nodes/{node}", "body": {**OPTIONS, **options}}


def eviction(pod: str) -> dict[str, Any]:
    metadata = {"name": pod, "namespace": "default"}
    return step(
        "create", f"{PODS}/{pod}/eviction", {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    )


def image(tag: str) -> dict[str, Any]:
    containers = [{"name": "app", "image": f"registry.example.com/app:{tag}"}]
    return step("patch", f"{DEPLOYMENTS}/web", {"spec": {"template": {"spec": {"containers": containers}}}})


def names(before: list[dict[str, Any]], kind: str = "Pod") -> list[str]:
    return [obj["metadata"]["name"] for obj in before if obj["kind"] == kind]


def harms(prediction: dict[str, Any]) -> set[str]:
    return {text.partition(":")[0] for text in prediction["summary"]["why"]}


def test_new_pods_become_ready_unless_their_image_cannot_be_pulled() -> None:
    before = objects(*web())
    good, bad = played(before, image("2")), played(before, image("v999"))

    assert (good["summary"]["unsafe"], good["summary"]["pods"]["by_owner"]) == (False, {WEB: {"Ready": 2}})
    assert bad["summary"]["pods"]["by_owner"] == {WEB: {"ImagePullBackOff": 1, "Ready": 2}}
    assert {"rollout_stalled", "pods_broken"} <= harms(bad)


def test_a_call_is_made_as_the_user_who_is_named() -> None:
    call = step("delete", f"{DEPLOYMENTS}/web")
    refused = played(objects(*web()), {**call, "as": {"user": "eve", "groups": ["system:authenticated"]}})

    assert refused["summary"]["admission"] == [{"verdict": "rejected", "code": 403, "reason": "Forbidden"}]
    assert refused["summary"]["unsafe"] is False


def test_a_drain_cordons_evicts_and_asks_again_until_the_budget_allows_it() -> None:
    before = objects(*web(4), (BUDGETS, budget(3)))
    found = played(before, drain(names(before, "Node")[0]))

    [outcome] = found["summary"]["drains"]
    assert (outcome["completed"], outcome["evicted"], outcome["left"]) == (True, 2, 0)
    codes = [item["code"] for item in found["summary"]["admission"]]
    assert codes[:3] == [200, 201, 429]
    assert codes[-1] == 201
    assert found["summary"]["endpoints"] == {"default/Service/web": {"ready": 4, "not_ready": 0}}


def test_a_drain_that_no_budget_lets_through_gives_up_after_nine_tries() -> None:
    before = objects(*web(2), (BUDGETS, budget(2)))
    found = played(before, drain(names(before, "Node")[0]))

    [outcome] = found["summary"]["drains"]
    assert (outcome["completed"], outcome["evicted"], outcome["left"]) == (False, 0, 1)
    assert [item["times"] for item in outcome["refused"]] == [9]
    assert harms(found) == {"drain_blocked"}


def test_a_drain_evicts_nothing_when_one_pod_is_not_its_to_take() -> None:
    scratch = deployment("scratch", 1)
    scratch["spec"]["template"]["spec"]["volumes"] = [{"name": "tmp", "emptyDir": {}}]
    lone = {"metadata": {"name": "lone"}, "spec": {"containers": [{"name": "app", "image": "a:1"}]}}
    before = objects((DEPLOYMENTS, scratch), (PODS, lone), nodes=1)
    [node] = names(before, "Node")
    found = played(before, drain(node, force=False, delete_emptydir_data=False))

    [outcome] = found["summary"]["drains"]
    assert [text.partition(" (")[0] for text in outcome["client_errors"]] == [
        "cannot delete Pods that declare no controller",
        "cannot delete Pods with local storage",
    ]
    assert [item["code"] for item in found["summary"]["admission"]] == [200]
    assert outcome["evicted"] == 0


def test_evictions_that_follow_each_other_are_made_at_once() -> None:
    before = objects(*web(3), (BUDGETS, budget(2)))
    found = played(before, *map(eviction, names(before)[:2]))

    assert [item["code"] for item in found["summary"]["evictions"]] == [201, 429]
    assert [item["pod"] for item in found["summary"]["evictions"]] == [WEB, WEB]


def test_a_pod_whose_name_the_cluster_made_up_is_the_one_that_came_in_its_place() -> None:
    before = objects(*web(3), (BUDGETS, budget(2)))
    first = names(before)[0]
    found = played(before, eviction(first), eviction(first.rpartition("-")[0] + "-zzzzz"))

    assert [item["code"] for item in found["summary"]["evictions"]] == [201, 201]


def test_a_node_that_nobody_hears_of_has_no_ready_pods() -> None:
    before = objects(*web(2))
    node = names(before, "Node")[0]
    note = {"metadata": {"annotations": {"lab.fail/mode": "dead"}}}
    found = played(before, step("patch", f"/api/v1/nodes/{node}", note))

    assert found["summary"]["pods"]["by_owner"] == {WEB: {"NotReady": 1, "Ready": 1}}
    assert harms(found) == {"not_available"}


def test_a_new_probe_is_not_taken_to_pass() -> None:
    probe = {"httpGet": {"path": "/other", "port": 80}}
    container = {"name": "app", "readinessProbe": probe}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    found = played(objects(*web()), step("patch", f"{DEPLOYMENTS}/web", body))

    assert found["summary"]["unsafe"] is None


def test_a_roll_out_whose_surge_the_quota_refuses_is_not_called_safe() -> None:
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    before = objects(*web(2, strategy=rolling(1, 1)), ("/api/v1/namespaces/default/resourcequotas", quota))

    assert played(before, image("2"))["summary"]["unsafe"] is not False


def test_what_is_not_served_is_unknown() -> None:
    call = step("patch", "/apis/example.com/v1/namespaces/default/widgets/one", {"spec": {}})

    assert played(objects(), call)["summary"]["unsafe"] is None


@pytest.mark.parametrize("mode", ["not-ready", "memory-pressure"])
def test_a_node_in_trouble_is_tainted_and_its_pods_stay(mode: str) -> None:
    before = objects(*web(2))
    note = {"metadata": {"annotations": {"lab.fail/mode": mode}}}
    found = played(before, step("patch", f"/api/v1/nodes/{names(before, 'Node')[0]}", note))

    assert (found["summary"]["unsafe"], found["summary"]["pods"]["ready"]) == (False, 2)


@pytest.mark.parametrize(("seconds", "word"), [("2", "Completed"), ("60", "Ready")])
def test_short_work_is_waited_for_and_long_work_is_left_running(seconds: str, word: str) -> None:
    container = {"name": "app", "image": "a:1"}
    pod = {
        "metadata": {"name": "work", "annotations": {"lab.run-for": seconds}},
        "spec": {"restartPolicy": "Never", "containers": [container]},
    }
    found = played(objects(), step("create", PODS, pod))

    assert found["summary"]["pods"]["by_owner"] == {"default/Pod/work": {word: 1}}


def test_a_probe_of_a_port_that_nobody_declares_is_not_taken_to_pass() -> None:
    made = deployment("new", 1)
    probe = {"httpGet": {"path": "/", "port": 81}}
    made["spec"]["template"]["spec"]["containers"][0] |= {"ports": [{"containerPort": 80}], "readinessProbe": probe}

    assert played(objects(), step("create", DEPLOYMENTS, made))["summary"]["unsafe"] is None


@pytest.mark.parametrize("name", ["App:1", "app:1:2", "registry.example.com/app:", "app@sha256:12", "a//b"])
def test_an_image_whose_name_cannot_be_read_never_starts(name: str) -> None:
    containers = [{"name": "app", "image": name}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    found = played(objects(*web()), step("patch", f"{DEPLOYMENTS}/web", body))

    assert found["summary"]["pods"]["by_owner"] == {WEB: {"InvalidImageName": 1, "Ready": 2}}
    assert {"pods_broken", "rollout_stalled"} <= harms(found)


@pytest.mark.parametrize("name", ["app", "Registry.Example.com:5000/a/b_c:v1.2", "localhost/app@sha256:" + "ab" * 32])
def test_an_image_whose_name_can_be_read_starts(name: str) -> None:
    containers = [{"name": "app", "image": name}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    found = played(objects(*web()), step("patch", f"{DEPLOYMENTS}/web", body))

    assert found["summary"]["pods"]["by_owner"] == {WEB: {"Ready": 2}}
