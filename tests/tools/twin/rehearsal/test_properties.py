"""What holds for every rehearsal, whatever the cluster and the change."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    QUOTAS,
    RESTART,
    SERVICES,
    budget,
    call,
    cluster_with,
    deployment,
    image,
    patch,
    quota,
    rehearsed,
    rolling,
    scale,
    service,
)

from kubesteward_policies.change import APPLY_PATCH, JSON, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.world.store import Key, Store

often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seldom = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

percent = st.sampled_from(["0%", "25%", "50%", "100%"])
strategies = st.just({"type": "Recreate"}) | st.builds(
    rolling, st.integers(0, 3) | percent, st.integers(0, 3) | percent
)


@st.composite
def clusters(draw: st.DrawFn) -> SimulatedCluster:
    """One Deployment with a Service, on few nodes; perhaps a budget, a quota, or too little room."""
    strategy = draw(strategies)
    rolling_update = strategy.get("rollingUpdate") or {}
    assume({str(value).rstrip("%") for value in rolling_update.values()} != {"0"})
    replicas, cpu = draw(st.integers(0, 6)), draw(st.sampled_from(["50m", "900m", "3"]))
    objects = [(DEPLOYMENTS, deployment(replicas=replicas, cpu=cpu, strategy=strategy)), (SERVICES, service())]
    if draw(st.booleans()):
        objects.append((BUDGETS, budget(draw(st.integers(0, 6) | percent))))
    if draw(st.booleans()):
        objects.append((QUOTAS, quota(draw(st.integers(1, 8)))))
    return cluster_with(*objects, nodes=draw(st.integers(1, 3)))


deletes = st.just(call("delete", f"{DEPLOYMENTS}/web", None))
changes = (
    st.builds(scale, st.just("web"), st.integers(0, 12))
    | st.builds(image, st.just("web"), st.sampled_from(["1", "2", "v999"]))
    | st.just(patch(f"{DEPLOYMENTS}/web", RESTART))
    | deletes
)
plans = st.lists(changes, min_size=1, max_size=3)


def copied(store: Store) -> dict[Key, Any]:
    return {key: copy.deepcopy(obj) for resource in store.resources() for key, obj in store.items(resource)}


@often
@given(clusters(), plans)
def test_the_same_change_to_the_same_cluster_gives_the_same_bytes(
    cluster: SimulatedCluster, plan: list[ApiCall]
) -> None:
    first, second = rehearsed(cluster, *plan), rehearsed(cluster, *plan)

    assert first.model_dump_json() == second.model_dump_json()
    assert first.digest == second.digest


@often
@given(clusters(), plans)
def test_a_rehearsal_leaves_the_world_as_it_is(cluster: SimulatedCluster, plan: list[ApiCall]) -> None:
    before, revision = copied(cluster.store), cluster.store.revision
    rehearsed(cluster, *plan)

    assert revision == cluster.store.revision
    assert before == copied(cluster.store)


@often
@given(clusters(), plans)
def test_the_worst_case_is_never_better_than_the_best(cluster: SimulatedCluster, plan: list[ApiCall]) -> None:
    better = [item for item in rehearsed(cluster, *plan).availability if item.worst_min > item.best_min]

    assert better == []


@often
@given(clusters(), plans)
def test_a_refused_call_ends_the_rehearsal_and_blocks(cluster: SimulatedCluster, plan: list[ApiCall]) -> None:
    found = rehearsed(cluster, *plan)

    assert all(item.allowed for item in found.admission[:-1])
    assert found.admission[-1].allowed or found.verdict == "blocked"
    assert not found.admission[-1].allowed or len(found.admission) == len(plan)


@seldom
@given(clusters(), plans, st.integers(0, 3))
def test_another_seed_names_pods_otherwise_and_judges_alike(
    cluster: SimulatedCluster, plan: list[ApiCall], seed: int
) -> None:
    first, second = rehearsed(cluster, *plan), rehearsed(cluster, *plan, seed=seed)

    assert first.verdict == second.verdict
    assert first.availability == second.availability


_IN_ROOT = ["spec", "metadata", "labels", "annotations", "replicas", "template", "selector", "matchLabels", "strategy"]
_IN_PODS = [
    "containers",
    "name",
    "image",
    "resources",
    "requests",
    "cpu",
    "ports",
    "volumes",
    "tolerations",
    "affinity",
]
_IN_STRATEGY = ["paused", "type", "rollingUpdate", "maxSurge", "app", "$patch", "minReadySeconds", "finalizers"]
words = st.sampled_from(_IN_ROOT + _IN_PODS + _IN_STRATEGY)
scalars = st.none() | st.booleans() | st.integers(-2, 50) | st.sampled_from(["", "web", "replace", "1", "50%", "100m"])
bodies = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=3), max_leaves=8
)
specs = st.fixed_dictionaries({"spec": st.dictionaries(words, bodies, max_size=3)})
templates = st.fixed_dictionaries(
    {"spec": st.fixed_dictionaries({"template": st.dictionaries(words, bodies, max_size=3)})}
)
operations = st.lists(
    st.fixed_dictionaries(
        {
            "op": st.sampled_from(["add", "remove", "replace", "test", "copy", "mend"]),
            "path": st.lists(words | st.sampled_from(["0", "-"]), max_size=4).map(
                lambda parts: "".join(f"/{x}" for x in parts)
            ),
            "value": bodies,
        }
    ),
    max_size=2,
)
names = st.sampled_from(["", "web", "nobody"])
wholes = st.fixed_dictionaries(
    {}, optional={"metadata": st.fixed_dictionaries({"name": names}) | bodies, "spec": bodies}
)
objects = bodies | specs | templates | wholes
kinds = st.sampled_from([MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH, "text/plain"])
places = st.sampled_from([f"{DEPLOYMENTS}/web", f"{DEPLOYMENTS}/web/scale", f"{DEPLOYMENTS}/nobody", f"{SERVICES}/web"])
collections = st.sampled_from(
    [DEPLOYMENTS, SERVICES, BUDGETS, QUOTAS, f"{PODS}/web/eviction", "/apis/example.com/v1/tanks"]
)
calls = (
    st.builds(call, st.just("patch"), places, objects, kinds)
    | st.builds(call, st.just("patch"), places, operations, st.just(JSON_PATCH))
    | st.builds(call, st.just("create"), collections, objects, st.just(JSON))
    | st.builds(call, st.just("update"), places, objects, st.just(JSON))
    | st.builds(call, st.just("delete"), places, objects, st.just(JSON))
)
WORLD = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))


@settings(max_examples=300, deadline=None)
@given(calls)
def test_whatever_the_call_the_answer_is_a_rehearsal(one: ApiCall) -> None:
    found = rehearsed(WORLD, one)

    assert found.admission[0].code in {200, 201, 400, 404, 405, 415, 422, 500}
    assert found.verdict in {"safe", "warn", "blocked", "unknown"}
