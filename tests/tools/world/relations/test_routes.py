"""Ingresses, Gateways and their routes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.world.relations.objects import links, targets

from kubesteward_tools.world.relations import Edge

GATEWAY_API = "gateway.networking.k8s.io"


def backend(service: str, /, **port: Any) -> dict[str, Any]:
    return {"service": {"name": service, "port": port}}


def test_an_ingress_points_to_its_class_its_backends_and_its_certificates() -> None:
    paths = [{"backend": backend("web", number=80)}, {"path": "/api", "backend": backend("api", name="http")}]
    spec = {
        "ingressClassName": "nginx",
        "defaultBackend": backend("fallback", number=8080),
        "rules": [{"host": "shop.example", "http": {"paths": paths}}],
        "tls": [{"hosts": ["shop.example"], "secretName": "certificate"}, {"hosts": []}],
    }

    assert targets("routes", "ingresses.networking.k8s.io", {"spec": spec}) == [
        ("ingressclasses.networking.k8s.io", "", "nginx", "class"),
        ("services", "shop", "fallback", "port 8080"),
        ("services", "shop", "web", "port 80"),
        ("services", "shop", "api", "port http"),
        ("secrets", "shop", "certificate", "tls"),
    ]


def test_an_ingress_of_an_old_bundle_is_read_too() -> None:
    spec = {"backend": {"serviceName": "web", "servicePort": 80}}

    assert targets("routes", "ingresses.extensions", {"spec": spec}) == [("services", "shop", "web", "port 80")]


def test_a_class_in_the_annotation_needs_no_object() -> None:
    obj = {"metadata": {"annotations": {"kubernetes.io/ingress.class": "nginx"}}, "spec": {}}

    found = links("routes", "ingresses.networking.k8s.io", obj)

    assert [(edge.target.name, edge.optional) for edge in found if isinstance(edge, Edge)] == [("nginx", True)]


def test_a_backend_may_be_another_resource() -> None:
    other = {"apiGroup": "shop.example.com", "kind": "Shelf", "name": "static"}

    assert targets("routes", "ingresses.networking.k8s.io", {"spec": {"defaultBackend": {"resource": other}}}) == [
        ("shelves.shop.example.com", "shop", "static", "backend")
    ]


@pytest.mark.parametrize("route", ["httproutes", "grpcroutes", "tlsroutes", "tcproutes", "udproutes"])
def test_a_route_points_to_its_gateways_and_backends_in_any_namespace(route: str) -> None:
    spec = {
        "parentRefs": [{"name": "edge", "namespace": "infra", "sectionName": "https"}, {"name": "own"}],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}, {"name": "api", "namespace": "api", "port": 81}]}],
    }

    assert targets("routes", f"{route}.{GATEWAY_API}", {"spec": spec}) == [
        (f"gateways.{GATEWAY_API}", "infra", "edge", "parent, section https"),
        (f"gateways.{GATEWAY_API}", "shop", "own", "parent"),
        ("services", "shop", "web", "port 80"),
        ("services", "api", "api", "port 81"),
    ]


def test_a_route_of_a_mesh_has_a_service_for_a_parent() -> None:
    spec = {"parentRefs": [{"group": "", "kind": "Service", "name": "web"}]}

    assert targets("routes", f"httproutes.{GATEWAY_API}", {"spec": spec}) == [("services", "shop", "web", "parent")]


def test_a_route_does_without_a_mirror() -> None:
    mirror = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}}}
    spec = {"rules": [{"filters": [mirror], "backendRefs": [{"name": "web", "filters": [mirror]}]}]}

    found = links("routes", f"httproutes.{GATEWAY_API}", {"spec": spec})

    assert [(edge.target.name, edge.optional) for edge in found if isinstance(edge, Edge)] == [
        ("web", False),
        ("copy", True),
        ("copy", True),
    ]


def test_a_gateway_points_to_its_class_and_certificates() -> None:
    tls = {"certificateRefs": [{"name": "own"}, {"kind": "Secret", "group": "", "name": "other", "namespace": "certs"}]}
    spec = {"gatewayClassName": "envoy", "listeners": [{"name": "https", "tls": tls}, {"name": "http"}]}

    assert targets("routes", f"gateways.{GATEWAY_API}", {"spec": spec}) == [
        (f"gatewayclasses.{GATEWAY_API}", "", "envoy", "class"),
        ("secrets", "shop", "own", "tls of listener https"),
        ("secrets", "certs", "other", "tls of listener https"),
    ]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    ingress = {"defaultBackend": None, "rules": [None, {"http": None}, {"http": {"paths": [{"backend": 1}]}}], "tls": 1}
    route = {"parentRefs": [{"name": None}], "rules": [{"backendRefs": None, "filters": [{"requestMirror": None}]}]}

    assert links("routes", "ingresses.networking.k8s.io", {"spec": ingress}) == []
    assert links("routes", f"httproutes.{GATEWAY_API}", {"spec": route}) == []
    assert links("routes", f"gateways.{GATEWAY_API}", {"spec": {"listeners": [None, {"tls": None}]}}) == []
