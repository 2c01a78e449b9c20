"""What a rehearsal shows is what happens: on a cluster that takes the same calls, and step by step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.tools.twin.rehearsal.clusters import (
    DEPLOYMENTS,
    SERVICES,
    cluster_with,
    deployment,
    image,
    rehearsed,
    rolling,
    scale,
    service,
)
from tests.tools.twin.rehearsal.generated import changes, drained, some, state, worlds

from kubesteward_policies.change import ApiCall
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.findings.evidence import Run
from kubesteward_tools.twin.hypothetical import fail
from kubesteward_tools.twin.identity import ADMIN
from kubesteward_tools.twin.kubelet.outlook import Best
from kubesteward_tools.twin.play import Play
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key, Store

plans = st.lists(changes, min_size=1, max_size=2)


def after(store: Store, calls: list[ApiCall], now: float, seed: int = 0) -> tuple[Run, list[int]]:
    """The rehearsed cluster at the end, and how each call was answered."""
    play = Play(store, calls, Best(), now, seed, ADMIN)
    assert play.run()
    return Run(play.cluster, play.watcher, play.settled), [item.code for item in play.answers]


def applied(cluster: SimulatedCluster, calls: list[ApiCall]) -> list[int]:
    """The same calls to the cluster itself, up to the first that is refused; evictions at once, as drains make them."""
    codes = list[int]()
    for number, one in enumerate(calls):
        request = Request(one.verb, one.path, dict(one.query), one.content_type, one.body)
        codes.append(cluster.handle(request).status)
        if codes[-1] == 429 and cluster.engine.next_due() is not None:
            assert cluster.engine.settle()
            codes[-1] = cluster.handle(request).status
        if codes[-1] >= 400:
            assert cluster.engine.settle()
            break
        if not all(two.path.endswith("/eviction") for two in calls[number : number + 2]) or number + 1 == len(calls):
            assert cluster.engine.settle()
    return codes


def difference(a: Store, b: Store) -> list[str]:
    """What only one of them has, what only `a` has marked so."""
    first, second = state(a), state(b)
    return [f"-{text}" for text in first - second] + [f"+{text}" for text in second - first]


@some
@given(worlds(), plans)
def test_a_change_ends_where_its_rehearsal_ended(cluster: SimulatedCluster, plan: list[ApiCall]) -> None:
    end, codes = after(cluster.store, plan, cluster.clock.now + 60)

    assert codes == applied(cluster, plan)
    assert difference(end.store, cluster.store) == []


@some
@given(worlds())
def test_a_drain_ends_where_its_rehearsal_ended(cluster: SimulatedCluster) -> None:
    plan = drained(cluster, "node-1")
    end, codes = after(cluster.store, plan, cluster.clock.now + 60)

    assert codes == applied(cluster, plan)
    assert difference(end.store, cluster.store) == []


@some
@given(worlds(), changes, changes)
def test_a_plan_is_rehearsed_as_its_steps_one_after_the_other(
    cluster: SimulatedCluster, first: ApiCall, second: ApiCall
) -> None:
    now = cluster.clock.now + 60
    together, codes = after(cluster.store, [first, second], now)
    halfway, one = after(cluster.store, [first], now)
    if one[0] >= 400:
        assert codes == one
        return
    end, two = after(halfway.store, [second], halfway.cluster.clock.now, seed=1)

    assert codes == one + two
    assert difference(together.store, end.store) == []


@some
@given(worlds(), plans)
def test_a_rehearsal_of_anything_leaves_the_world_and_says_the_same_again(
    cluster: SimulatedCluster, plan: list[ApiCall]
) -> None:
    before = state(cluster.store), cluster.store.revision
    first, second = rehearsed(cluster, *plan), rehearsed(cluster, *plan)

    assert first.model_dump_json() == second.model_dump_json()
    assert before == (state(cluster.store), cluster.store.revision)


@some
@given(worlds(), plans)
def test_what_blocks_names_an_object_of_the_world_or_of_the_change(
    cluster: SimulatedCluster, plan: list[ApiCall]
) -> None:
    found = rehearsed(cluster, *plan)
    store = cluster.store
    keys = (key for resource in store.resources() for key in store.keys(resource))
    known = {"/".join(filter(None, key[1:])) for key in keys}
    named = {item.object.rpartition(" ")[2] for item in found.findings if item.severity == "block"}
    calls = {one.path for one in plan}

    assert named - calls <= known


@some
@given(worlds(), st.integers(0, 6), st.integers(0, 6))
def test_more_replicas_never_leave_fewer_ready(cluster: SimulatedCluster, one: int, other: int) -> None:
    """Other workloads may get less of a quota or of the nodes, which is why they are left out."""
    less, more = (rehearsed(cluster, scale("web", count)) for count in sorted((one, other)))
    fewer = {item.object: item for item in less.availability}
    for item in more.availability:
        before = fewer.get(item.object) if item.object.endswith("/web") else None
        if before is not None:
            assert before.best_min <= item.best_min
            assert before.worst_min <= item.worst_min
            assert before.best_after <= item.best_after


def _shop(replicas: int, surge: int | str, away: int | str) -> SimulatedCluster:
    """With room for all of it: what is measured is the strategy, not the lack of nodes."""
    return cluster_with(
        (SERVICES, service()), (DEPLOYMENTS, deployment(replicas=replicas, strategy=rolling(surge, away)))
    )


@some
@given(st.integers(0, 6), st.sampled_from([(1, 0), (0, 1), ("25%", "25%"), ("50%", "100%"), (2, 3)]), st.booleans())
def test_one_replica_more_never_leaves_fewer_ready_on_the_way(
    replicas: int, strategy: tuple[int | str, int | str], drain: bool
) -> None:
    kept = []
    for count in (replicas, replicas + 1):
        cluster = _shop(count, *strategy)
        plan = drained(cluster, "node-1") if drain else [image("web", "2")]
        kept.append({item.object: item for item in rehearsed(cluster, *plan).availability})
    for name, more in kept[1].items():
        less = kept[0].get(name)
        if less is not None:
            assert less.worst_min <= more.worst_min
            assert less.best_min <= more.best_min
            assert less.best_after <= more.best_after


@some
@given(worlds(), st.sampled_from(["node-1", "node-2", "node-3"]))
def test_a_lost_node_takes_no_more_than_what_ran_there(cluster: SimulatedCluster, node: str) -> None:
    if cluster.store.get(Key("nodes", "", node)) is None:
        return
    before = state(cluster.store)
    found = fail(cluster.store, nodes=[node], now=cluster.clock.now + 60)
    there = len(cluster.store.pods_on(node))

    assert before == state(cluster.store)
    for item in found.availability:
        assert item.before - there <= item.worst_min <= item.best_min <= item.before
        assert item.worst_after <= item.best_after
