"""The culprit that was planted is found, with its numbers; what has nothing to do with it is not merged."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.correlation.worlds import NOW, Lab, calling, culprits

from kubesteward_tools.correlation.cover import tail
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key


def filled(workloads: int = 12, pods: int = 2, nodes: int = 6) -> tuple[Lab, dict[str, list[Key]]]:
    lab = Lab(nodes)
    return lab, {f"app-{number}": lab.deployment(f"app-{number}", pods) for number in range(workloads)}


def test_nothing_is_correlated_where_all_is_well() -> None:
    found = filled()[0].found()

    assert (found.incidents, found.alone) == ((), ())
    assert (found.looked.pods, found.looked.workloads, found.looked.nodes) == (24, 12, 6)


@given(st.integers(2, 9), st.integers(2, 20), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_a_node_that_went_down_explains_its_pods_and_nothing_else(
    nodes: int, workloads: int, chance: random.Random
) -> None:
    lab, _ = filled(workloads, nodes, nodes)
    down = f"n{chance.randrange(nodes)}"
    lab.fell(down)

    found = lab.found()

    assert culprits(found) == [f"Node {down}"]
    assert found.alone == ()
    assert (found.incidents[0].specificity, found.incidents[0].coverage) == (1.0, 1.0)
    assert found.incidents[0].hanging == len(lab.on(down))


def test_nodes_that_went_down_together_are_the_zone_and_apart_are_themselves() -> None:
    lab, _ = filled(12, 2, 6)
    lab.fell("n0")
    lab.fell("n3")
    apart, _ = filled(12, 2, 6)
    apart.fell("n0")
    apart.fell("n1")

    assert culprits(lab.found()) == ["zone z0"]
    assert sorted(culprits(apart.found())) == ["Node n0", "Node n1"]


def test_a_node_that_went_down_after_its_pods_failed_is_not_to_blame_for_them() -> None:
    lab, _ = filled()
    lab.fell("n0", ago=100.0, pods_ago=1500.0)

    found = lab.found()

    assert "Node n0" not in [one.culprit.said for one in found.incidents if one.evidence == "ill"]


@given(st.integers(2, 5), st.integers(6, 12), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_a_bad_image_is_found_over_all_workloads_that_use_it(bad: int, good: int, chance: random.Random) -> None:
    lab = Lab()
    image = "registry.example.com/team/base:9"
    names = [f"app-{number}" for number in range(bad + good)]
    chance.shuffle(names)
    for name in names[:bad]:
        spec = {"containers": [{"name": "app", "image": image}]}
        pods = lab.deployment(name, 2, spec=spec)
        lab.fail(pods, "ImagePullBackOff", 300.0, f'Back-off pulling image "{image}": not found')
    for name in names[bad:]:
        lab.deployment(name)

    found = lab.found()

    assert culprits(found) == [f"image {image}"]
    assert {one.unit.name for one in found.incidents[0].failures} == set(names[:bad])


def _with_config(name: str) -> dict[str, object]:
    container = {"name": "app", "image": "registry.example.com/x:1", "envFrom": [{"configMapRef": {"name": name}}]}
    return {"containers": [container]}


@given(st.integers(3, 6), st.integers(12, 20))
@settings(max_examples=15, deadline=None)
def test_a_shared_config_map_is_found_when_all_that_read_it_begin_to_crash(bad: int, good: int) -> None:
    lab = Lab()
    lab.put("v1", "ConfigMap", "configmaps", "shop", "flags", data={"a": "1"})
    for number in range(bad):
        own = {"containers": [{**_with_config("flags")["containers"][0], "image": f"i{number}:1"}]}  # type: ignore[index]
        lab.fail(lab.deployment(f"bad-{number}", spec=own), ago=500.0 + number)
    for number in range(good):
        lab.deployment(f"good-{number}")

    found = lab.found()

    assert culprits(found) == ["ConfigMap shop/flags"]
    assert found.incidents[0].evidence == "shared"
    assert found.incidents[0].chance is not None
    assert found.incidents[0].chance <= 0.01


def test_a_config_map_that_is_gone_is_named_by_those_that_started_after_it_went() -> None:
    lab = Lab()
    for number in range(6):
        pods = lab.deployment(f"app-{number}", spec=_with_config("flags"))
        if number < 2:
            lab.fail(pods[:1], "CreateContainerConfigError", 200.0, 'configmap "flags" not found')

    found = lab.found()

    assert culprits(found) == ["ConfigMap shop/flags"]
    assert found.incidents[0].evidence == "named"
    assert (found.incidents[0].failing, found.incidents[0].hanging) == (2, 6)


@given(st.integers(1, 8), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_failures_that_share_nothing_stay_apart(bad: int, chance: random.Random) -> None:
    lab, apps = filled(16, 2, 6)
    for name in chance.sample(sorted(apps), bad):
        reason = chance.choice(["CrashLoopBackOff", "OOMKilled", "CreateContainerError"])
        lab.fail(apps[name], reason, chance.uniform(10.0, 1700.0))

    found = lab.found()

    assert found.incidents == ()
    assert sum(one.count for one in found.alone) == 2 * bad


@given(st.randoms(use_true_random=False))
@settings(max_examples=15, deadline=None)
def test_the_order_in_which_objects_were_seen_does_not_matter(chance: random.Random) -> None:
    lab, apps = filled()
    lab.fell("n2")
    lab.fail(apps["app-7"], ago=90.0)
    order = list(lab.objects)
    expected = lab.found()
    chance.shuffle(order)

    assert lab.found(order) == expected


def test_clients_of_a_workload_that_crashed_first_are_one_incident_with_it() -> None:
    lab, _ = filled(10)
    lab.fail(lab.deployment("db", 1), ago=700.0)
    for number in range(4):
        lab.fail(lab.deployment(f"client-{number}", spec=calling("db")), ago=650.0)

    found = lab.found()

    assert culprits(found) == ["Deployment shop/db"]
    assert {one.unit.name for one in found.incidents[0].failures} == {"db", *(f"client-{n}" for n in range(4))}
    assert found.alone == ()


def test_clients_that_failed_long_before_their_dependency_are_not_its_fault() -> None:
    lab, _ = filled(10)
    lab.fail(lab.deployment("db", 1), ago=100.0)
    for number in range(2):
        lab.fail(lab.deployment(f"client-{number}", spec=calling("db")), ago=1600.0)

    assert lab.found().incidents == ()


def test_a_node_explains_the_clients_of_what_stood_on_it() -> None:
    lab = Lab(6, 6)
    lab.deployment("db", 1)
    for number in range(9):
        lab.deployment(f"other-{number}", 1)
    clients = [lab.deployment(f"client-{number}", 1, spec=calling("db")) for number in range(3)]
    node = lab.objects[Key("pods", "shop", "db-1-0")]["spec"]["nodeName"]
    lab.fell(node)
    for pods in clients:
        lab.fail([key for key in pods if key not in lab.on(node)], ago=500.0)

    found = lab.found()

    assert culprits(found) == [f"Node {node}"]
    assert found.alone == ()


def test_connection_errors_of_many_lead_to_the_service_that_their_logs_name() -> None:
    lab, apps = filled(6)
    lab.deployment("cache", 1)
    line = 'level=error msg="dial tcp: connect to cache.shop.svc:6379: connection refused"'
    logs = {("shop", apps[f"app-{number}"][0].name, "app"): line for number in range(3)}

    found = lab.found(logs=logs)

    assert culprits(found) == ["Service shop/cache"]
    assert found.incidents[0].evidence == "named"


@pytest.mark.parametrize("ago", [3000.0, 100.0])
def test_a_restart_counts_in_the_window_only(ago: float) -> None:
    lab, apps = filled()
    key = apps["app-3"][0]
    lab.fail([key], ago=ago)
    pod = lab.objects[key]
    ready = [{**item, "status": "True"} for item in pod["status"]["conditions"]]
    running = {**pod["status"]["containerStatuses"][0], "ready": True, "state": {"running": {}}}
    lab.objects[key] = {**pod, "status": {**pod["status"], "conditions": ready, "containerStatuses": [running]}}

    assert [one.unit.name for one in lab.found().alone] == (["app-3"] if ago < 1800 else [])


def test_a_quota_is_named_by_the_workloads_that_it_refuses() -> None:
    lab, _ = filled(6, 1)
    for number in range(2):
        key = Key("deployments.apps", "shop", f"app-{number}")
        lab.objects[key] = {**lab.objects[key], "status": {"replicas": 0, "readyReplicas": 0}}
        message = 'pods "x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=9, limited: pods=9'
        lab.warn(Key("replicasets.apps", "shop", f"app-{number}-1"), "ReplicaSet", "apps/v1", "FailedCreate", message)

    found = lab.found()

    assert culprits(found) == ["ResourceQuota shop/team"]
    assert {one.reason for one in found.incidents[0].failures} == {"FailedCreate"}


@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12))
def test_chances_add_up(everything: int, marked: int, drawn: int) -> None:
    marked, drawn = min(marked, everything), min(drawn, everything)

    assert tail(everything, marked, drawn, 0) == pytest.approx(1.0)


@given(st.integers(1, 4), st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_what_fails_elsewhere_is_not_merged_into_a_node_that_is_down(bad: int, chance: random.Random) -> None:
    lab, apps = filled(18, 2, 6)
    elsewhere = sorted(name for name, pods in apps.items() if not set(pods) & set(lab.on("n0")))
    failing = chance.sample(elsewhere, bad)
    for name in failing:
        lab.fail(apps[name], chance.choice(["CrashLoopBackOff", "CreateContainerError"]), chance.uniform(10.0, 1700.0))
    lab.fell("n0")

    found = lab.found()

    assert culprits(found) == ["Node n0"]
    assert {one.unit.name for one in found.alone} == set(failing)


def test_a_webhook_is_named_by_the_workloads_that_it_keeps_from_having_pods() -> None:
    lab, _ = filled(6, 1)
    for number in range(2):
        key = Key("deployments.apps", "shop", f"app-{number}")
        lab.objects[key] = {**lab.objects[key], "status": {"replicas": 0, "readyReplicas": 0}}
        message = 'Internal error occurred: failed calling webhook "guard.example.org": no endpoints available'
        lab.warn(Key("replicasets.apps", "shop", f"app-{number}-1"), "ReplicaSet", "apps/v1", "FailedCreate", message)

    assert culprits(lab.found()) == ["webhook guard.example.org"]


@pytest.mark.parametrize(("since", "blamed"), [(9000.0, ["registry r.example.com"]), (300.0, [])])
def test_a_registry_is_judged_by_the_pods_that_were_made_since(since: float, blamed: list[str]) -> None:
    """The same trouble, with and without pods that could pull from it meanwhile."""
    lab = Lab()
    for number in range(8):
        spec = {"containers": [{"name": "app", "image": f"r.example.com/app-{number}:1"}]}
        pods = lab.deployment(f"app-{number}", 1, spec=spec)
        made = NOW - (600.0 if number < 2 else since)
        obj = lab.objects[pods[0]]
        lab.objects[pods[0]] = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": timestamp(made)}}
        if number < 2:
            message = f'Failed to pull image "r.example.com/app-{number}:1": dial tcp: i/o timeout'
            lab.fail(pods, "ImagePullBackOff", 600.0, message)

    assert culprits(lab.found()) == blamed


@pytest.mark.parametrize(("ago", "blamed"), [(700.0, ["the roll-out in namespace shop"]), (90_000.0, [])])
def test_what_was_rolled_out_at_one_time_and_fails_since_is_one_incident(ago: float, blamed: list[str]) -> None:
    lab, apps = filled(14)
    for name in sorted(apps)[:4]:
        key = Key("replicasets.apps", "shop", f"{name}-1")
        obj = lab.objects[key]
        lab.objects[key] = {**obj, "metadata": {**obj["metadata"], "creationTimestamp": timestamp(NOW - ago)}}
        lab.fail(apps[name], ago=600.0)

    assert culprits(lab.found()) == blamed
