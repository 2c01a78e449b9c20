"""Traffic that does not arrive: Services, Ingresses, policies, names, rights, autoscalers, upstreams."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, crashing, deployment, made, service, verdict

NET = "networking.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"


def _name(objects: list[lab.Object]) -> str:
    return str(objects[-1]["metadata"]["name"])


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ({"app": "carts"}, ("app=carts", "app=cart")),
        ({"app": "cart", "release": "blue"}, ("release", "selector")),
        ({"name": "cart"}, ("name=cart",)),
    ],
)
def test_a_selector_that_matches_no_pods_is_blamed_with_the_labels_that_are_there(
    selector: dict[str, str], words: tuple[str, ...]
) -> None:
    found = verdict([*deployment("cart"), *deployment("web"), service("cart", selector), service("web")])

    assert blamed(found) == ("ServiceRouting", "Service", "cart")
    assert len(found.findings) == 1
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_named_target_port_that_no_container_has_is_blamed() -> None:
    found = verdict([*deployment("cart"), service("cart", target="web")])

    assert blamed(found) == ("ServiceRouting", "Service", "cart")
    assert "targetPort web" in found.best.diagnosis


def test_a_target_port_that_no_container_declares_is_blamed_when_the_service_does_not_answer() -> None:
    found = verdict(
        [*deployment("cart"), service("cart", target=9090)], "Requests to the cart service are refused. Why?"
    )

    assert blamed(found) == ("ServiceRouting", "Service", "cart")
    assert "9090" in found.best.diagnosis
    assert "8080" in found.best.diagnosis


def test_a_port_on_which_the_program_says_it_listens_needs_no_declaration() -> None:
    cart = deployment("cart")

    found = verdict(
        [*cart, service("cart", target=9090)], "", {f"{_name(cart)}/app": "server listening on 0.0.0.0:9090"}
    )

    assert found.best.category == "Healthy"


def test_a_call_to_a_port_that_the_service_does_not_have_is_told() -> None:
    web = deployment("web")
    log = "dial tcp cart:8080: connect: connection refused"

    found = verdict([*web, *deployment("cart"), service("cart")], "Why does web fail?", {f"{_name(web)}/app": log})

    assert blamed(found) == ("ServiceRouting", "Service", "cart")
    assert "port 80" in found.best.diagnosis


def test_a_call_to_a_workload_without_a_service_blames_the_missing_service() -> None:
    web = deployment("web")
    log = "ERROR connecting to http://cart:80/items: connection refused"

    found = verdict([*web, *deployment("cart")], "web cannot reach cart", {f"{_name(web)}/app": log})

    assert blamed(found) == ("ServiceRouting", "Service", "cart")
    assert "does not exist" in found.best.diagnosis


def test_an_external_name_that_leads_nowhere_is_blamed() -> None:
    spec = {"type": "ExternalName", "externalName": "db.prod.svc.cluster.local"}

    found = verdict([made("Service", "db", spec=spec)], "db does not resolve")

    assert blamed(found) == ("ServiceRouting", "Service", "db")


def test_the_upstream_is_blamed_and_not_its_callers() -> None:
    cart = deployment("cart", None, [crashing(137, "OOMKilled")])
    web = deployment("web", None, [crashing(1)])
    logs = {f"{_name(web)}/app/previous": "panic: dial tcp 10.96.7.7:80: connect: connection refused (cart:80)"}

    found = verdict([*cart, *web, service("cart")], "", logs)

    assert blamed(found) == ("OOMKilled", "Deployment", "cart")


def test_callers_of_a_workload_without_replicas_are_not_blamed() -> None:
    web = deployment("web", None, [crashing(1)])
    log = "Error: connect ECONNREFUSED cart:80"

    found = verdict(
        [*web, *deployment("cart", replicas=0), service("cart")], "Why is web down?", {f"{_name(web)}/app": log}
    )

    assert blamed(found) == ("ScaledToZero", "Deployment", "cart")


def made_ingress(
    name: str = "front", cls: str | None = "nginx", backend: str = "web", port: Any = 80, **spec: Any
) -> lab.Object:
    number = {"number": port} if isinstance(port, int) else {"name": port}
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": number}}}
    body = {
        "rules": [{"host": "shop.example.com", "http": {"paths": [path]}}],
        **({"ingressClassName": cls} if cls else {}),
        **spec,
    }
    return made("Ingress", name, "shop", NET, spec=body, status={"loadBalancer": {}})


CLASS = made("IngressClass", "nginx", "", NET, spec={"controller": "k8s.io/ingress-nginx"})
ENTRIES = [
    (made_ingress(cls="traefik-x"), ("traefik-x", "does not exist", "ingress class")),
    (made_ingress(cls=None), ("ingressClassName",)),
    (made_ingress(backend="webb"), ("'webb'", "does not exist", "'web'")),
    (made_ingress(port=8081), ("8081", "80")),
    (made_ingress(port="metrics"), ("metrics", "http")),
    (made_ingress(tls=[{"hosts": ["shop.example.com"], "secretName": "shop-cert"}]), ("shop-cert", "TLS Secret")),
]


@pytest.mark.parametrize(("ingress", "words"), ENTRIES)
def test_an_ingress_that_leads_nowhere_is_told_with_the_wrong_field(
    ingress: lab.Object, words: tuple[str, ...]
) -> None:
    objects = [*deployment("web"), service("web"), CLASS, ingress]

    found = verdict(objects, "shop.example.com cannot be reached from outside the cluster, why?")

    assert blamed(found) == ("Ingress", "Ingress", "front")
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_wrong_backend_is_told_rather_than_a_class_that_nobody_saved() -> None:
    found = verdict([*deployment("web"), service("web"), made_ingress(backend="webapp")], "shop.example.com gives 503")

    assert "webapp" in found.best.diagnosis


def _policy(name: str, select: lab.Object, types: tuple[str, ...] = ("Ingress",), **rules: Any) -> lab.Object:
    return made(
        "NetworkPolicy",
        name,
        "shop",
        NET,
        spec={"podSelector": {"matchLabels": select} if select else {}, "policyTypes": list(types), **rules},
    )


BLOCKS = [
    (_policy("deny-all", {}), ("default deny",)),
    (
        _policy("cart-in", {"app": "cart"}, ingress=[{"from": [{"podSelector": {"matchLabels": {"role": "client"}}}]}]),
        ("role=client", "app=web"),
    ),
    (
        _policy(
            "cart-port",
            {"app": "cart"},
            ingress=[{"from": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 9999}]}],
        ),
        ("9999", "8080"),
    ),
    (
        _policy(
            "cart-space",
            {"app": "cart"},
            ingress=[{"from": [{"namespaceSelector": {"matchLabels": {"team": "front"}}}]}],
        ),
        ("team=front",),
    ),
    (
        _policy(
            "web-out",
            {"app": "web"},
            ("Egress",),
            egress=[{"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}],
        ),
        ("egress",),
    ),
]


@pytest.mark.parametrize(("policy", "words"), BLOCKS)
def test_a_policy_that_stops_a_needed_call_is_blamed(policy: lab.Object, words: tuple[str, ...]) -> None:
    web = deployment("web")
    log = "curl: (28) Failed to connect to cart port 80 after 5001 ms: Connection timed out"

    found = verdict(
        [*web, *deployment("cart"), service("cart"), policy], "web times out calling cart", {f"{_name(web)}/app": log}
    )

    assert ("NetworkPolicy", "NetworkPolicy", policy["metadata"]["name"]) == blamed(found)
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_policy_is_found_from_the_question_alone() -> None:
    policy = _policy(
        "cart-in", {"app": "cart"}, ingress=[{"from": [{"podSelector": {"matchLabels": {"role": "client"}}}]}]
    )

    found = verdict(
        [*deployment("web"), *deployment("cart"), service("cart"), policy],
        "Why can web not connect to cart in namespace shop?",
    )

    assert blamed(found) == ("NetworkPolicy", "NetworkPolicy", "cart-in")


def test_egress_without_dns_is_blamed_for_names_that_do_not_resolve() -> None:
    web = deployment("web")
    policy = _policy(
        "web-out", {"app": "web"}, ("Egress",), egress=[{"to": [{"podSelector": {"matchLabels": {"app": "cart"}}}]}]
    )
    log = "getaddrinfo EAI_AGAIN cart"

    found = verdict(
        [*web, *deployment("cart"), service("cart"), policy], "web cannot resolve cart", {f"{_name(web)}/app": log}
    )

    assert blamed(found) == ("NetworkPolicy", "NetworkPolicy", "web-out")
    assert "53" in found.best.diagnosis
