"""What a rehearsal says of Ingresses and Gateway routes whose Service, port or endpoints a change takes away."""

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
    patch,
    rehearsed,
    service,
    warning,
)

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.world.store import Key

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
GATEWAY_ROUTES = ("httproutes", "grpcroutes", "tcproutes")


def way(path: str = "/", name: str = "web", kind: str = "Prefix", port: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"path": path, "pathType": kind, "backend": {"service": {"name": name, "port": port or {"number": 80}}}}


def ingress(*ways: dict[str, Any], name: str = "shop", **spec: Any) -> dict[str, Any]:
    rules = [{"host": "shop.example.com", "http": {"paths": list(ways or (way(),))}}]
    return {"metadata": {"name": name}, "spec": {"rules": rules, **spec}}


def two_ports() -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}, {"name": "metrics", "port": 9090}]
    return {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports}}


def shop(*ways: dict[str, Any], of: dict[str, Any] | None = None, replicas: int = 2) -> SimulatedCluster:
    web = (DEPLOYMENTS, deployment(replicas=replicas))
    return cluster_with(web, (SERVICES, of or two_ports()), (INGRESSES, ingress(*ways)))


def said(found: Rehearsal, family: str = "route.") -> list[tuple[str, str]]:
    return [(item.rule, item.message) for item in found.findings if item.rule.startswith(family)]


def replaced(name: str, body: dict[str, Any], path: str = INGRESSES) -> Any:
    return patch(f"{path}/{name}", {"spec": body["spec"]})


def test_a_service_that_goes_takes_the_way_of_an_ingress_with_it() -> None:
    found = rehearsed(shop(), call("delete", f"{SERVICES}/web"))

    assert said(found) == [
        (
            "route.backend_gone",
            "ingress default/shop would send shop.example.com/ to service default/web, which does not exist",
        )
    ]
    assert {"service.gone", "route.backend_gone"} <= blocking(found)


@pytest.mark.parametrize("port", [{"number": 80}, {"name": "http"}])
def test_a_port_that_an_ingress_uses_and_the_service_gives_up_blocks(port: dict[str, Any]) -> None:
    ports = [{"$patch": "replace"}, {"name": "web", "port": 8080}]
    found = rehearsed(shop(way(port=port)), patch(f"{SERVICES}/web", {"spec": {"ports": ports}}))

    assert [rule for rule, _ in said(found)] == ["route.port_gone"]
    assert found.verdict == "blocked"


def test_a_renamed_port_is_no_matter_to_those_who_use_its_number() -> None:
    ports = [{"$patch": "replace"}, {"name": "web", "port": 80}, {"name": "metrics", "port": 9090}]
    found = rehearsed(shop(), patch(f"{SERVICES}/web", {"spec": {"ports": ports}}))

    assert said(found) == []


def test_a_target_port_that_no_container_has_leaves_one_port_of_a_service_unserved() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "nowhere"}]
    found = rehearsed(shop(), patch(f"{SERVICES}/web", {"spec": {"ports": ports}}))

    assert said(found, "service.") == [
        ("service.port_unserved", "service default/web would have no ready endpoint for its port 'http', which had 2")
    ]
    assert [rule for rule, _ in said(found)] == ["route.no_endpoints"]


def test_a_selector_that_matches_nothing_leaves_a_route_without_endpoints() -> None:
    found = rehearsed(shop(), patch(f"{SERVICES}/web", {"spec": {"selector": {"app": "wbe"}}}))

    assert {"service.no_endpoints", "route.no_endpoints"} <= blocking(found)


def test_pods_that_all_go_leave_a_route_without_endpoints() -> None:
    found = rehearsed(shop(), patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 0}}))

    assert "route.no_endpoints" in blocking(found)


def test_a_deleted_ingress_blocks_for_each_host_and_path_that_worked() -> None:
    found = rehearsed(shop(way("/a"), way("/b"), way("/dead", "nobody")), call("delete", f"{INGRESSES}/shop"))

    assert said(found) == [
        ("route.removed", "ingress default/shop would not take shop.example.com/a any more"),
        ("route.removed", "ingress default/shop would not take shop.example.com/b any more"),
    ]


def test_a_deleted_ingress_that_another_one_stands_in_for_is_safe() -> None:
    cluster = shop()
    cluster.handle(_created(ingress(name="other")))
    found = rehearsed(cluster, call("delete", f"{INGRESSES}/shop"))

    assert said(found) == [
        ("route.removed", "ingress default/shop would not take shop.example.com/ any more; ingress default/other does")
    ]
    assert found.verdict == "safe"


def test_a_path_that_is_taken_exactly_from_now_on_is_not_the_prefix_that_it_was() -> None:
    found = rehearsed(shop(way("/a")), replaced("shop", ingress(way("/a", kind="Exact"))))

    assert [rule for rule, _ in said(found)] == ["route.removed"]


def test_a_way_to_a_service_that_is_not_there_is_warned_of() -> None:
    found = rehearsed(shop(), replaced("shop", ingress(way(), way("/new", "nobody"))))

    assert said(found) == [
        (
            "route.leads_nowhere",
            "ingress default/shop sends shop.example.com/new to service default/nobody, which does not exist",
        )
    ]
    assert found.verdict == "warn"


def test_a_host_and_path_that_another_ingress_has_is_warned_of() -> None:
    found = rehearsed(shop(), call("create", INGRESSES, ingress(name="thief")))

    assert said(found) == [
        ("route.taken_over", "ingress default/thief takes shop.example.com/, which ingress default/shop has already")
    ]


def test_a_new_path_to_a_service_that_answers_is_safe() -> None:
    found = rehearsed(shop(), replaced("shop", ingress(way(), way("/metrics", port={"number": 9090}))))

    assert found.verdict == "safe"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"}}}, "annotations"),
        ({"spec": {"ingressClassName": "other"}}, "ingressClassName"),
        ({"spec": {"tls": [{"hosts": ["shop.example.com"], "secretName": "cert"}]}}, "tls"),
    ],
)
def test_what_only_the_controller_understands_is_unknown(change: dict[str, Any], part: str) -> None:
    found = rehearsed(shop(), patch(f"{INGRESSES}/shop", change))

    assert found.verdict == "unknown"
    assert f"ingress default/shop: what its controller makes of its {part} is not simulated" in found.assumptions


def test_the_class_of_a_new_ingress_is_no_matter_to_anybody_yet() -> None:
    new = ingress(way("/new"), name="new", ingressClassName="nginx", tls=[{"secretName": "cert"}])

    assert rehearsed(shop(), call("create", INGRESSES, new)).verdict == "safe"


def test_a_service_behind_the_default_backend_is_missed_too() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))
    cluster.handle(_created({"metadata": {"name": "all"}, "spec": {"defaultBackend": backend}}))
    found = rehearsed(cluster, call("delete", f"{SERVICES}/web"))

    assert said(found) == [
        ("route.backend_gone", "ingress default/all would send * to service default/web, which does not exist")
    ]


@pytest.mark.parametrize("kind", GATEWAY_ROUTES)
def test_routes_of_the_gateway_api_miss_their_backends_too(kind: str) -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))
    _put_route(cluster, kind, "default")
    gone = rehearsed(cluster, call("delete", f"{SERVICES}/web"))
    moved = rehearsed(cluster, patch(f"{SERVICES}/web", {"spec": {"ports": [{"$patch": "replace"}, {"port": 81}]}}))

    assert "route.backend_gone" in blocking(gone)
    assert "route.port_gone" in blocking(moved)


def test_a_route_leads_into_another_namespace_where_it_is_granted_that() -> None:
    cluster = cluster_with((DEPLOYMENTS, deployment()), (SERVICES, service()))
    _put_route(cluster, "httproutes", "kube-public")
    alone = rehearsed(cluster, call("delete", f"{SERVICES}/web"))
    grant = {"from": [{"namespace": "kube-public", "kind": "HTTPRoute"}], "to": [{"kind": "Service"}]}
    key = Key("referencegrants.gateway.networking.k8s.io", "default", "let")
    cluster.store.put(key, {"metadata": {"name": "let", "namespace": "default"}, "spec": grant})
    granted = rehearsed(cluster, call("delete", f"{SERVICES}/web"))

    assert said(alone) == []
    assert said(granted) == [
        (
            "route.backend_gone",
            "httproutes kube-public/shop would send shop.example.com/cart GET to service default/web, "
            "which does not exist",
        )
    ]


def test_a_roll_out_behind_an_ingress_is_no_matter_of_routes() -> None:
    found = rehearsed(shop(), patch(f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}}))

    assert said(found) == []
    assert "route.no_endpoints" not in warning(found)


def _put_route(cluster: SimulatedCluster, kind: str, namespace: str) -> None:
    matches = {
        "httproutes": [{"path": {"type": "PathPrefix", "value": "/cart"}, "method": "GET"}],
        "grpcroutes": [{"method": {"service": "Cart", "method": "Add"}}],
    }.get(kind, [])
    rule = {"matches": matches, "backendRefs": [{"name": "web", "namespace": "default", "port": 80}]}
    spec = {"hostnames": ["shop.example.com"], "rules": [rule]}
    key = Key(f"{kind}.gateway.networking.k8s.io", namespace, "shop")
    cluster.store.put(key, {"metadata": {"name": "shop", "namespace": namespace}, "spec": spec})


def _created(body: dict[str, Any]) -> Any:
    from kubesteward_tools.twin.route import Request

    return Request("create", INGRESSES, {}, "", body)
