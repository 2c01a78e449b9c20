"""What holds of NetworkPolicies whatever they are."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.twin.netpol.applications import namespace, pod, policy

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.twin.netpol import ALL, NONE, Connections, connections
from kubesteward_tools.twin.netpol.policies import has
from kubesteward_tools.world.store import Object, Store

SPACES = ("one", "two")
PODS = [f"{space}/{name}" for space in SPACES for name in "ab"]
seldom = settings(max_examples=40, deadline=None)
PROTOCOLS = ("TCP", "UDP", "SCTP")

apps = st.sampled_from(["", "a", "b"])
selectors = st.sampled_from([{}, {"matchLabels": {"app": "a"}}, {"matchLabels": {"app": "b"}}])
spaces = st.sampled_from([{}, *({"matchLabels": {"kubernetes.io/metadata.name": name}} for name in SPACES)])
peers = st.one_of(
    st.fixed_dictionaries({"podSelector": selectors}),
    st.fixed_dictionaries({"namespaceSelector": spaces}),
    st.fixed_dictionaries({"namespaceSelector": spaces, "podSelector": selectors}),
    st.sampled_from(
        [{"ipBlock": {"cidr": "10.0.0.0/8"}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.1/32"]}}]
    ),
)
numbers = st.integers(1, 30)
ports = st.builds(
    lambda protocol, low, more: {"protocol": protocol, "port": low, "endPort": low + more},
    st.sampled_from(PROTOCOLS),
    numbers,
    st.integers(0, 9),
)


def rules(side: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries({}, optional={side: st.lists(peers, max_size=2), "ports": st.lists(ports, max_size=2)}),
        max_size=2,
    )


policies = st.builds(
    lambda name, space, app, types, ingress, egress: policy(
        name, space, app=app, types=types, ingress=ingress, egress=egress
    ),
    st.uuids().map(str),
    st.sampled_from(SPACES),
    apps,
    st.sampled_from([["Ingress"], ["Egress"], ["Ingress", "Egress"], None]),
    rules("from"),
    rules("to"),
)
many = st.lists(policies, max_size=4)


def store_with(found: list[Object]) -> Store:
    pods = [
        pod(name, space, ip=f"10.{number}.0.{place}")
        for number, space in enumerate(SPACES)
        for place, name in enumerate("ab", 1)
    ]
    return of_objects([*map(namespace, SPACES), *pods, *found]).store


def matrix(store: Store) -> dict[tuple[str, str], Connections]:
    ends = [*PODS, "198.51.100.7"]
    return {(one, two): connections(store, one, two) for one in ends for two in ends}


@seldom
@given(many, st.randoms(use_true_random=False))
def test_the_order_of_policies_is_of_no_consequence(found: list[Object], chance: Any) -> None:
    renamed = [{**item, "metadata": {**item["metadata"], "name": f"n{number}"}} for number, item in enumerate(found)]
    chance.shuffle(renamed)

    assert matrix(store_with(found)) == matrix(store_with(renamed))


@seldom
@given(many)
def test_a_pod_always_reaches_itself(found: list[Object]) -> None:
    reached = matrix(store_with(found))

    assert all(reached[one, one] == ALL for one in PODS)


@seldom
@given(many, policies)
def test_another_policy_takes_nothing_from_pods_that_are_isolated_already(found: list[Object], more: Object) -> None:
    space = more["metadata"]["namespace"]
    isolated = [
        policy(f"all-{side}", space, types=[side]) for side in ("Ingress", "Egress") if has(more, _direction(side))
    ]
    before, after = matrix(store_with([*found, *isolated])), matrix(store_with([*found, *isolated, more]))

    assert all(not before[pair] - after[pair] for pair in before)


@seldom
@given(many, policies)
def test_another_policy_gives_nothing_to_pods_that_were_not_isolated(found: list[Object], more: Object) -> None:
    """What is denied without it stays so, unless it isolates nobody anew."""
    before, after = matrix(store_with([])), matrix(store_with([more]))

    assert all(before[pair] == ALL and not after[pair] - before[pair] for pair in before)


@seldom
@given(many)
def test_pods_that_no_policy_may_leave_or_enter_reach_themselves_alone(found: list[Object]) -> None:
    shut = [policy("shut", space, types=["Ingress", "Egress"]) for space in SPACES]
    reached = matrix(store_with([*shut, *(item for item in found if _says_nothing(item))]))

    assert all(bool(allowed) == (one == two) for (one, two), allowed in reached.items())


@seldom
@given(many)
def test_addresses_together_may_do_what_each_of_them_may(found: list[Object]) -> None:
    store = store_with(found)
    for one in PODS:
        whole = connections(store, "10.0.0.0/31", one)

        assert whole == connections(store, "10.0.0.0", one) & connections(store, "10.0.0.1", one)


def _union(found: list[Connections]) -> Connections:
    whole = NONE
    for item in found:
        whole |= item
    return whole


sets = st.lists(st.builds(Connections.of, st.sampled_from(PROTOCOLS), numbers, numbers), max_size=4).map(_union)


@seldom
@given(sets, sets)
def test_sets_of_ports_are_sets(one: Connections, two: Connections) -> None:
    for protocol in PROTOCOLS:
        for port in range(1, 35):
            a, b = one.allows(port, protocol), two.allows(port, protocol)

            assert (one | two).allows(port, protocol) == (a or b)
            assert (one & two).allows(port, protocol) == (a and b)
            assert (one - two).allows(port, protocol) == (a and not b)


@seldom
@given(sets)
def test_a_set_of_ports_and_what_it_lacks_are_everything(one: Connections) -> None:
    assert one | (ALL - one) == ALL
    assert one & (ALL - one) == NONE


def _direction(side: str) -> Any:
    return side.lower()


def _says_nothing(item: Object) -> bool:
    spec = item["spec"]
    return not spec.get("ingress") and not spec.get("egress")
