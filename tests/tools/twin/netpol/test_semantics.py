"""What the API documentation of NetworkPolicy says, sentence by sentence."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tests.tools.twin.netpol.applications import namespace, pod, policy

from kubesteward_policies.ref import Ref
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.twin.netpol import EVERYWHERE, connections, explain, reachable
from kubesteward_tools.world.store import Key, Object, Store

WEB, API = "default/web", "default/api"


def store_with(*policies: Object, web: Object | None = None, api: Object | None = None) -> Store:
    """Pods web (10.1.0.1) and api (10.1.0.2), and other/api (10.2.0.2) in a namespace with labels."""
    pods = [
        web or pod("web", ip="10.1.0.1"),
        api or pod("api", ip="10.1.0.2"),
        pod("api", "other", ip="10.2.0.2"),
    ]
    return of_objects([namespace("default"), namespace("other", team="other"), *pods, *policies]).store


def from_(*peers: dict[str, Any], **port: Any) -> dict[str, Any]:
    return {"from": list(peers), **({"ports": [port]} if port else {})}


def labels(**wanted: str) -> dict[str, Any]:
    return {"matchLabels": wanted}


def test_without_policies_everybody_reaches_everybody() -> None:
    store = store_with()

    assert str(connections(store, API, WEB)) == "All Connections"
    assert reachable(store, WEB, "203.0.113.9", 443)
    assert reachable(store, "203.0.113.9", WEB, 80, "UDP")


@pytest.mark.parametrize(
    ("spec", "into", "out"),
    [
        ({}, False, True),
        ({"ingress": []}, False, True),
        ({"ingress": [{}]}, True, True),
        ({"egress": []}, False, True),
        ({"egress": [{"to": [{"podSelector": {}}]}]}, False, True),
        ({"types": ["Ingress"]}, False, True),
        ({"types": ["Egress"]}, True, False),
        ({"types": ["Egress"], "ingress": [{}]}, True, False),
        ({"types": ["Ingress", "Egress"]}, False, False),
        ({"types": ["Ingress", "Egress"], "egress": [{}]}, False, True),
    ],
)
def test_policy_types_say_in_which_direction_a_pod_is_isolated(spec: dict[str, Any], into: bool, out: bool) -> None:
    store = store_with(policy("p", app="web", **spec))

    assert (into, out) == (reachable(store, API, WEB, 80), reachable(store, WEB, API, 80))


def test_traffic_needs_the_leave_of_both_ends() -> None:
    let_in = policy("in", app="web", ingress=[from_({"podSelector": labels(app="api")})])
    keep_in = policy("out", app="api", types=["Egress"])

    assert reachable(store_with(let_in), API, WEB, 80)
    assert not reachable(store_with(let_in, keep_in), API, WEB, 80)


@pytest.mark.parametrize(
    ("peer", "near", "far"),
    [
        ({"podSelector": labels(app="api")}, True, False),
        ({"podSelector": {}}, True, False),
        ({"namespaceSelector": {}}, True, True),
        ({"namespaceSelector": labels(team="other")}, False, True),
        ({"namespaceSelector": labels(team="other"), "podSelector": labels(app="web")}, False, False),
        ({"namespaceSelector": labels(team="other"), "podSelector": labels(app="api")}, False, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}}}, True, False),
        ({"namespaceSelector": {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]}}, True, False),
        ({"podSelector": {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["api"]}]}}, False, False),
        ({"ipBlock": {"cidr": "10.1.0.0/16"}}, True, False),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.2/32"]}}, False, True),
        ({}, False, False),
    ],
)
def test_a_peer_names_pods_by_all_that_it_says(peer: dict[str, Any], near: bool, far: bool) -> None:
    store = store_with(policy("p", app="web", ingress=[from_(peer)]))

    assert (near, far) == (reachable(store, API, WEB, 80), reachable(store, "other/api", WEB, 80))


def test_any_peer_of_a_rule_is_enough() -> None:
    peers = {"namespaceSelector": labels(team="other")}, {"podSelector": labels(app="api")}
    store = store_with(policy("p", app="web", ingress=[from_(*peers)]))

    assert reachable(store, API, WEB, 80)
    assert reachable(store, "other/api", WEB, 80)


@pytest.mark.parametrize(
    ("port", "allowed"),
    [
        ({"port": 80}, "TCP 80"),
        ({"port": 80, "protocol": "UDP"}, "UDP 80"),
        ({"port": 80, "endPort": 90, "protocol": "SCTP"}, "SCTP 80-90"),
        ({"port": 80, "endPort": 70}, "No Connections"),
        ({"protocol": "UDP"}, "UDP 1-65535"),
        ({"port": "http"}, "TCP 8080"),
        ({"port": "http", "protocol": "UDP"}, "No Connections"),
        ({"port": "sidecar"}, "TCP 15021"),
        ({"port": "setup"}, "No Connections"),
        ({"port": "nobody"}, "No Connections"),
    ],
)
def test_ports_are_those_of_the_destination(port: dict[str, Any], allowed: str) -> None:
    web = pod("web")
    web["spec"]["containers"] = [{"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]
    web["spec"]["initContainers"] = [
        {"name": "s", "restartPolicy": "Always", "ports": [{"name": "sidecar", "containerPort": 15021}]},
        {"name": "i", "ports": [{"name": "setup", "containerPort": 1}]},
    ]
    let_in = store_with(policy("p", app="web", ingress=[{"ports": [port]}]), web=web)
    let_out = store_with(policy("p", app="api", types=["Egress"], egress=[{"ports": [port]}]), web=web)

    assert allowed == str(connections(let_in, API, WEB))
    assert allowed == str(connections(let_out, API, WEB))


def test_several_rules_and_policies_add_up() -> None:
    store = store_with(
        policy("deny", types=["Ingress"]),
        policy("one", app="web", ingress=[{"ports": [{"port": 80}, {"port": 443}]}]),
        policy(
            "two",
            app="web",
            ingress=[{"ports": [{"port": 444, "endPort": 445}]}, {"ports": [{"port": 53, "protocol": "UDP"}]}],
        ),
    )

    assert str(connections(store, API, WEB)) == "TCP 80,443-445,UDP 53"


@pytest.mark.parametrize(
    ("outside", "allowed"),
    [
        ("198.51.100.7", True),
        ("198.51.100.128/25", False),
        ("198.51.100.0/25", True),
        ("198.51.100.0/24", False),
        ("198.51.100.0-198.51.101.9", False),
        ("203.0.113.9", False),
        ("2001:db8::1", True),
        ("external:198.51.100.7", True),
        (ip_address("198.51.100.7"), True),
        (ip_network("198.51.100.0/24"), False),
    ],
)
def test_all_addresses_of_a_range_have_to_be_let_in(outside: Any, allowed: bool) -> None:
    blocks = [
        {"ipBlock": {"cidr": "198.51.100.0/24", "except": ["198.51.100.192/26"]}},
        {"ipBlock": {"cidr": "2001:db8::/32"}},
    ]
    store = store_with(policy("p", app="web", ingress=[from_(*blocks)]))

    assert allowed == reachable(store, outside, WEB, 80)


def test_two_blocks_together_let_a_range_in_that_neither_holds() -> None:
    blocks = {"ipBlock": {"cidr": "0.0.0.0/1"}}, {"ipBlock": {"cidr": "128.0.0.0/1"}}
    store = store_with(policy("p", app="web", ingress=[from_(*blocks)]))

    assert reachable(store, EVERYWHERE, WEB, 80)


def test_no_selector_names_an_address() -> None:
    store = store_with(policy("p", app="web", types=["Ingress", "Egress"], ingress=[from_({"namespaceSelector": {}})]))

    assert not reachable(store, "203.0.113.9", WEB, 80)
    assert not reachable(store, WEB, "203.0.113.9", 80)


def test_a_named_port_is_nobodys_outside() -> None:
    store = store_with(policy("p", app="web", types=["Egress"], egress=[{"ports": [{"port": "http"}]}]))

    assert not reachable(store, WEB, "203.0.113.9", 80)


def test_a_pod_reaches_itself_whatever_policies_say() -> None:
    store = store_with(policy("deny", types=["Ingress", "Egress"]))

    assert reachable(store, WEB, WEB, 80)
    assert not reachable(store, API, WEB, 80)


def test_the_kubelet_of_its_own_node_reaches_a_pod() -> None:
    web = pod("web", ip="10.1.0.1", host_ip="192.0.2.1", nodeName="n1")
    store = store_with(policy("deny", types=["Ingress"]), web=web)

    assert reachable(store, "192.0.2.1", WEB, 80)
    assert not reachable(store, "192.0.2.2", WEB, 80)


def test_pods_on_their_nodes_network_are_seen_in_either_way() -> None:
    on_node = pod("web", hostNetwork=True, ip="192.0.2.1", host_ip="192.0.2.1", nodeName="n1")
    store = store_with(policy("deny", types=["Ingress"]), web=on_node)
    by_node = policy("node", app="api", ingress=[from_({"ipBlock": {"cidr": "192.0.2.1/32"}})])
    by_label = policy("label", app="api", ingress=[from_({"podSelector": labels(app="web")})])

    assert not reachable(store, API, WEB, 80)
    assert connections(store, API, WEB, "like_nodes")
    assert connections(store_with(by_node, web=on_node), WEB, API, "like_nodes")
    assert not connections(store_with(by_label, web=on_node), WEB, API, "like_nodes")
    assert connections(store_with(by_label, web=on_node), WEB, API)


def test_a_pod_on_the_network_of_the_same_node_is_the_node() -> None:
    on_node = pod("api", hostNetwork=True, ip="192.0.2.1", host_ip="192.0.2.1", nodeName="n1")
    store = store_with(policy("deny", types=["Ingress"]), web=pod("web", nodeName="n1"), api=on_node)

    assert connections(store, API, WEB, "like_nodes")


@pytest.mark.parametrize(
    ("port", "protocol", "allowed"),
    [
        (8080, "TCP", True),
        ("8080", "tcp", True),
        ("http", None, True),
        ("http", "UDP", False),
        ("nobody", "TCP", False),
        (None, "TCP", True),
        (None, "UDP", False),
        (8080, "ICMP", False),
    ],
)
def test_a_port_is_asked_for_by_number_by_name_or_not_at_all(port: Any, protocol: str | None, allowed: bool) -> None:
    web = pod("web")
    web["spec"]["containers"][0]["ports"] = [{"name": "http", "containerPort": 8080}]
    store = store_with(policy("p", app="web", ingress=[{"ports": [{"port": 8080}]}]), web=web)

    assert allowed == reachable(store, API, WEB, port, protocol)


@pytest.mark.parametrize(
    "end",
    [
        "default/web",
        "web",
        "Pod default/web",
        "default/web[Pod]",
        ("default", "web"),
        Key("pods", "default", "web"),
        Ref("here", "", "Pod", "default", "web"),
        {"namespace": "default", "name": "web"},
        pod("web"),
        "default/shop",
        "default/owner[ReplicaSet]",
    ],
)
def test_an_end_may_be_named_in_many_ways(end: Any) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    shop = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {"template": template}}
    owned = pod("owned", labels={"app": "web"})
    owned["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "apiVersion": "apps/v1", "name": "owner"}]
    store = of_objects([pod("web"), pod("api"), shop, owned, policy("deny", app="web")]).store

    assert not reachable(store, API, end, 80)
    assert reachable(store, end, API, 80)


def test_a_pod_that_nobody_knows_passes_where_anybody_does() -> None:
    anybody = policy("p", app="web", ingress=[from_({"namespaceSelector": {}}, port=80)])

    assert reachable(store_with(anybody), "{ingress-controller}", WEB, 80)
    assert not reachable(store_with(anybody), "{ingress-controller}", WEB, 81)
    assert not reachable(store_with(policy("p", ingress=[from_({"podSelector": {}})])), "{somebody}", WEB, 80)


def test_a_world_is_as_good_as_its_store() -> None:
    from types import SimpleNamespace

    assert not reachable(SimpleNamespace(store=store_with(policy("deny"))), API, WEB, 80)


def test_an_end_that_is_nowhere_is_an_error() -> None:
    with pytest.raises(ObjectNotFound, match="there is no pod or workload 'nobody' in 'default'"):
        reachable(store_with(), "default/nobody", WEB, 80)
    with pytest.raises(InvalidArguments):
        reachable(store_with(), 7, WEB, 80)
    with pytest.raises(InvalidArguments):
        reachable(store_with(), "a/b/c", WEB, 80)


def test_why_names_the_policies_that_decide() -> None:
    allow = policy("allow", app="web", ingress=[{"ports": [{"port": 80}]}])
    store = store_with(policy("deny", types=["Ingress", "Egress"]), allow, policy("out", app="api", egress=[{}]))
    reach = explain(store, API, WEB)

    assert reach.why(80) == (
        "default/api to default/web on TCP 80 is allowed: default/out (egress) and default/allow (ingress)"
    )
    assert reach.why(81) == (
        "default/api to default/web on TCP 81 is denied: "
        "default/allow, default/deny isolates default/web for ingress and no policy of it allows this"
    )
    assert explain(store_with(), API, WEB).why(53, "UDP").endswith("is allowed: no policy is about it")


def test_what_is_broken_in_a_bundle_allows_nothing() -> None:
    broken = policy(
        "p", app="web", ingress=[from_({"podSelector": {"matchLabels": 7}}, {"ipBlock": {"cidr": "x"}}), None, 7]
    )
    store = store_with(broken, policy("q", app="web", ingress="x"))

    assert str(connections(store, API, WEB)) == "No Connections"
