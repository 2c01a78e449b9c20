"""What a rehearsal says of traffic that a change cuts off or opens by NetworkPolicies and the labels they select by."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.rehearsal.clusters import (
    DEPLOYMENTS,
    SERVICES,
    blocking,
    call,
    cluster_with,
    deployment,
    image,
    patch,
    rehearsed,
    service,
    warning,
)

from kubesteward_tools.twin.netpol import changes, questions
from kubesteward_tools.twin.rehearsal import Rehearsal

POLICIES = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies"
INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
NAMESPACES = "/api/v1/namespaces"
DENY_ALL = {"podSelector": {}, "policyTypes": ["Ingress"]}
ENFORCED = "the network plugin is assumed to enforce NetworkPolicies, for pods on their node's network either way"


def policy(name: str = "web", app: str = "web", **spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": app}} if app else {}
    return {"metadata": {"name": name}, "spec": {"podSelector": selector, **spec}}


def from_pods(*labels: dict[str, str], **port: Any) -> dict[str, Any]:
    peers = [{"podSelector": {"matchLabels": item}} for item in labels]
    return {"from": peers, **({"ports": [port]} if port else {})}


def from_namespace(**labels: str) -> dict[str, Any]:
    return {"from": [{"namespaceSelector": {"matchLabels": labels}}]}


def ingress(service_name: str = "web", port: Any = None) -> dict[str, Any]:
    backend = {"service": {"name": service_name, "port": port or {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    return {"metadata": {"name": "shop"}, "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]}}


def controller(namespace: str = "edge") -> tuple[str, dict[str, Any]]:
    labels = {"app.kubernetes.io/name": "ingress-nginx"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "nginx:1"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    return DEPLOYMENTS.replace("default", namespace), {"metadata": {"name": "nginx"}, "spec": spec}


def said(found: Rehearsal, rule: str) -> dict[str, str]:
    return {item.object: item.message for item in found.findings if item.rule == rule}


EDGE = (NAMESPACES, {"metadata": {"name": "edge", "labels": {"role": "edge"}}})
WEB, API = (DEPLOYMENTS, deployment(replicas=1)), (DEPLOYMENTS, deployment("api", replicas=1))
ROUTED = (EDGE, controller(), WEB, (SERVICES, service()), (INGRESSES, ingress()))


def test_a_policy_that_cuts_an_ingress_off_its_pods_blocks() -> None:
    found = rehearsed(cluster_with(*ROUTED), call("create", POLICIES, policy("deny", "", **DENY_ALL)))

    assert found.verdict == "blocked"
    assert said(found, "network.ingress_cut") == {
        "ingress default/shop": "ingress default/shop would not reach deployment default/web on TCP 80 any more: "
        "deployment edge/nginx may not"
    }
    assert ENFORCED in found.assumptions


def test_a_policy_that_lets_the_controller_in_does_not_block() -> None:
    allow = policy(ingress=[from_namespace(role="edge")])
    found = rehearsed(cluster_with(*ROUTED), call("create", POLICIES, allow))

    assert found.verdict == "warn"
    assert blocking(found) == set()


@pytest.mark.parametrize(("role", "rules"), [("edge", set()), ("nobody", {"network.ingress_cut"})])
def test_a_service_that_turns_to_pods_which_its_ingress_may_not_reach_blocks(role: str, rules: set[str]) -> None:
    green = (DEPLOYMENTS, deployment("green", replicas=1))
    cluster = cluster_with(*ROUTED, green, (POLICIES, policy("green", "green", ingress=[from_namespace(role=role)])))
    found = rehearsed(cluster, patch(f"{SERVICES}/web", {"spec": {"selector": {"app": "green"}}}))

    assert rules == {rule for rule in blocking(found) if rule.startswith("network.")}


def test_an_ingress_whose_controller_nobody_knows_is_warned_of() -> None:
    cluster = cluster_with(WEB, (SERVICES, service()), (INGRESSES, ingress()))
    found = rehearsed(cluster, call("create", POLICIES, policy(**DENY_ALL)))

    assert {"network.ingress_cut", "network.route_lost"} <= warning(found)
    assert "unless it is in the same namespace" in said(found, "network.ingress_cut")["ingress default/shop"]


def test_a_namespace_that_loses_the_label_by_which_policies_let_it_in_is_cut_off() -> None:
    cluster = cluster_with(*ROUTED, (POLICIES, policy(ingress=[from_namespace(role="edge")])))
    found = rehearsed(cluster, patch(f"{NAMESPACES}/edge", {"metadata": {"labels": {"role": None}}}))

    assert blocking(found) == {"network.ingress_cut"}


def test_a_template_that_loses_the_label_by_which_a_policy_lets_it_through_loses_its_way() -> None:
    api = deployment("api", replicas=1)
    api["spec"]["template"]["metadata"]["labels"] = {"app": "api", "client": "yes"}
    cluster = cluster_with(WEB, (DEPLOYMENTS, api), (POLICIES, policy(ingress=[from_pods({"client": "yes"}, port=80)])))
    relabel = {"spec": {"template": {"metadata": {"labels": {"client": "no"}}}}}

    assert said(rehearsed(cluster, patch(f"{DEPLOYMENTS}/api", relabel)), "network.route_lost") == {
        "deployment default/web": "deployment default/web would not be reached any more by "
        "deployment default/api (TCP 80)"
    }


def test_a_template_with_a_label_that_a_policy_selects_by_is_isolated() -> None:
    cluster = cluster_with(WEB, API, (POLICIES, policy("locked", "", podSelector={"matchLabels": {"tier": "locked"}})))
    found = rehearsed(
        cluster, patch(f"{DEPLOYMENTS}/web", {"spec": {"template": {"metadata": {"labels": {"tier": "locked"}}}}})
    )

    assert said(found, "network.route_lost") == {
        "deployment default/web": "deployment default/web would not be reached any more by "
        "pods of any other namespace (All Connections), addresses outside the cluster (All Connections), "
        "deployment default/api (All Connections)"
    }


def test_pods_that_may_not_ask_for_names_any_more_block() -> None:
    dns = {"metadata": {"name": "coredns", "labels": {"k8s-app": "kube-dns"}}}
    dns["spec"] = {"containers": [{"name": "dns", "image": "coredns:1"}]}  # type: ignore[dict-item] # a pod's spec
    cluster = cluster_with(WEB, ("/api/v1/namespaces/kube-system/pods", dns))
    found = rehearsed(cluster, call("create", POLICIES, policy(policyTypes=["Egress"])))

    assert blocking(found) == {"network.dns_cut"}
    assert said(found, "network.dns_cut") == {
        "deployment default/web": "deployment default/web could not ask pod kube-system/coredns for names any more"
    }


def test_a_policy_that_goes_opens_what_it_kept_shut() -> None:
    cluster = cluster_with(WEB, API, (POLICIES, policy(ingress=[from_pods({"app": "api"})])))
    found = rehearsed(cluster, call("delete", f"{POLICIES}/web"))

    assert found.verdict == "warn"
    assert said(found, "network.opened") == {
        "deployment default/web": "deployment default/web would be open to pods of any other namespace "
        "(All Connections), addresses outside the cluster (All Connections), which it was not"
    }


def test_addresses_are_told_range_by_range() -> None:
    block = {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}
    cluster = cluster_with(WEB, (POLICIES, policy(policyTypes=["Egress"], egress=[{"to": [{"ipBlock": block}]}])))
    less = {"spec": {"egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/1"}}]}]}}
    found = rehearsed(cluster, patch(f"{POLICIES}/web", less))

    assert said(found, "network.route_lost") == {
        "deployment default/web": "deployment default/web would not reach "
        "addresses 128.0.0.0-255.255.255.255 (All Connections) any more"
    }
    assert said(found, "network.opened") == {
        "deployment default/web": "deployment default/web would reach "
        "addresses 10.0.0.0-10.255.255.255 (All Connections) from then on"
    }


def test_a_wider_rule_for_a_neighbour_is_worth_a_word_and_no_more() -> None:
    cluster = cluster_with(WEB, API, (POLICIES, policy(ingress=[from_pods({"app": "api"}, port=80)])))
    wider = {"spec": {"ingress": [from_pods({"app": "api"})]}}
    found = rehearsed(cluster, patch(f"{POLICIES}/web", wider))

    assert [(item.rule, item.severity) for item in found.findings] == [("network.opened", "info")]
    assert "TCP 1-79,81-65535" in said(found, "network.opened")["deployment default/web"]


def test_a_policy_that_changes_nothing_is_safe() -> None:
    cluster = cluster_with(WEB, API, (POLICIES, policy(ingress=[from_pods({"app": "api"})])))
    same = policy("again", ingress=[from_pods({"app": "api"}, port=80)])
    found = rehearsed(cluster, call("create", POLICIES, same))

    assert found.verdict == "safe"
    assert found.assumptions == ()


def test_a_roll_out_under_policies_is_no_matter_of_theirs() -> None:
    cluster = cluster_with(WEB, API, (POLICIES, policy(ingress=[from_pods({"app": "api"})])))
    found = rehearsed(cluster, image("web", "2"))

    assert not any(item.rule.startswith("network.") for item in found.findings)


def test_what_is_not_compared_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_QUESTIONS", 2)
    monkeypatch.setattr(questions, "MOST_NAMESPACES", 0)
    cluster = cluster_with(WEB, API)
    clients = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"client": "yes"}}}
    found = rehearsed(cluster, call("create", POLICIES, policy(ingress=[{"from": [clients]}])))

    assert found.verdict == "unknown"
    assert [item for item in found.assumptions if "compared" in item] == [
        "policies name pods of more namespaces than were compared",
        "1 pairs of workloads were not compared for who can reach whom",
    ]


def test_policies_of_other_apis_leave_the_answer_unknown() -> None:
    from kubesteward_tools.world.store import Key

    cluster = cluster_with(WEB, API)
    key = Key("ciliumnetworkpolicies.cilium.io", "default", "deny")
    cluster.store.put(key, {"metadata": {"name": "deny", "namespace": "default"}})
    found = rehearsed(cluster, call("create", POLICIES, policy(**DENY_ALL)))

    assert found.verdict == "unknown"
