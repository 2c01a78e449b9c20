"""Which Services an application is thought to call."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.world.relations.objects import app, links, pod, targets, workload

from kubesteward_tools.world.relations import Edge


def called(*env: tuple[str, str], args: list[Any] | None = None) -> list[tuple[str, str, float]]:
    """Name, namespace and confidence of what a template in namespace shop with these variables calls."""
    variables = [{"name": name, "value": value} for name, value in env]
    found = links("calls", "deployments.apps", workload(containers=[app(env=variables, args=args)]))
    return [(edge.target.name, edge.target.namespace, edge.confidence) for edge in found if isinstance(edge, Edge)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://orders.shop.svc:8080", ("orders", "shop", 0.9)),
        ("orders.prod.svc.cluster.local", ("orders", "prod", 0.9)),
        ("orders.prod.svc.cluster.local.:443", ("orders", "prod", 0.9)),
        ("kafka-0.kafka.queue.svc:9092", ("kafka", "queue", 0.9)),
        ("postgres://user:word@db.prod:5432/x?sslmode=off", ("db", "prod", 0.7)),
        ("jdbc:postgresql://db.prod/x", ("db", "prod", 0.7)),
        ("db.prod:5432", ("db", "prod", 0.7)),
        ("orders:8080", ("orders", "shop", 0.5)),
        ("ORDERS:8080/path", ("orders", "shop", 0.5)),
        ("http://orders", ("orders", "shop", 0.5)),
        ("kafka-0.kafka:9092", ("kafka", "shop", 0.5)),
        ("user:word@tcp(db:3306)/x", ("db", "shop", 0.5)),
        ('{"url": "http://orders:8080"}', ("orders", "shop", 0.5)),
    ],
)
def test_a_value_that_names_a_service_is_a_call(value: str, expected: tuple[str, str, float]) -> None:
    assert called(("TARGET", value)) == [expected]


@pytest.mark.parametrize(
    "value",
    [
        "",
        "true",
        "orders",
        "orders.shop",
        "info:",
        "12:30",
        "10.0.0.1:8080",
        "http://10.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost:8080",
        "https://example.com",
        "https://api.shop.example.com/x",
        "registry.example/app:1",
        "redis:7",
        "key:value",
        "app:99999",
        "unix:///run/app.sock",
        "s3://bucket/path",
        "-bad-:8080",
        "a..b:8080",
        "http://$(ORDERS_HOST):$(ORDERS_PORT)",
        "äöü:8080",
        "://",
        ".svc",
        "a.svc:80:90",
    ],
)
def test_other_values_are_no_calls(value: str) -> None:
    assert called(("TARGET", value)) == []


def test_a_list_of_brokers_names_each_of_them() -> None:
    assert called(("BROKERS", "a.queue:9092,b.queue:9092; c.queue:9092")) == [
        ("a", "queue", 0.7),
        ("b", "queue", 0.7),
        ("c", "queue", 0.7),
    ]


def test_a_host_variable_counts_and_more_so_with_its_port_beside_it() -> None:
    assert called(("DB_HOST", "db"), ("DB_PORT", "5432")) == [("db", "shop", 0.5)]
    assert called(("DB_ADDR", "db.prod"), ("DB_PORT", "5432")) == [("db", "prod", 0.7)]
    assert called(("DB_HOST", "db")) == [("db", "shop", 0.4)]
    assert called(("DB_ADDR", "db")) == []
    assert called(("db_host", "db"), ("db_port", "5432")) == [("db", "shop", 0.5)]
    assert called(("LISTEN_HOST", "0.0.0.0"), ("LISTEN_PORT", "80")) == []


def test_what_may_be_a_credential_is_not_taken_for_a_host() -> None:
    assert called(("BASIC_AUTH", "admin:12345"), ("PASSWORD", "word:1234")) == []
    assert called(args=["--token=abc:1234", "--upstream=orders:8080"]) == [("orders", "shop", 0.5)]


def test_a_service_that_checks_credentials_is_a_host_all_the_same() -> None:
    assert called(("AUTH_SERVICE_ADDR", "auth:8080")) == [("auth", "shop", 0.5)]
    assert called(("KEYCLOAK", "keycloak.login.svc:8080")) == [("keycloak", "login", 0.9)]
    assert called(args=["--auth-server=auth:8080"]) == [("auth", "shop", 0.5)]


def test_arguments_are_read_and_the_place_is_told_without_the_value() -> None:
    script = "until curl -s http://orders.prod:8080/ready; do sleep 1; done"
    obj = workload(
        containers=[app(args=["--db=postgres://me:word@db.prod:5432/x"])],
        initContainers=[{"name": "wait", "command": ["sh", "-c", script]}],
    )

    assert targets("calls", "deployments.apps", obj) == [
        ("services", "prod", "db", "args of container app"),
        ("services", "prod", "orders", "command of container wait"),
    ]


def test_a_service_that_is_named_often_is_one_call_by_its_surest_name() -> None:
    assert called(("A", "http://orders:80"), ("B", "orders.shop.svc"), ("C", "orders:80")) == [("orders", "shop", 0.9)]


def test_a_pod_of_a_workload_is_not_read_again_but_other_pods_are() -> None:
    obj = pod(containers=[app(args=["http://orders:8080"])])

    def owned_by(kind: str) -> dict[str, Any]:
        return obj | {"metadata": {"ownerReferences": [{"kind": kind, "name": "x"}]}}

    kinds = ("ReplicaSet", "Job", "Node", "Custom")

    assert [len(links("calls", "pods", owned_by(kind))) for kind in kinds] == [0, 0, 1, 1]
    assert len(links("calls", "pods", obj)) == 1


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert called(("A", "x" * 5000 + " http://orders:8080")) == []
    assert called(("A", "http://orders:8080 " + "a:" * 100_000)) == [("orders", "shop", 0.5)]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    url = "http://orders"
    env = [None, {"name": "A"}, {"value": url}, {"name": 1, "value": url}, {"name": "B", "value": 1}]

    assert links("calls", "deployments.apps", workload(containers=[app(env=env, args=[None, 1], command="x:80")])) == []
