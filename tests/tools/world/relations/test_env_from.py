"""Environment variables from ConfigMaps and Secrets."""

from __future__ import annotations

from typing import Any

from tests.tools.world.relations.objects import app, links, pod, targets, workload

from kubesteward_tools.world.relations import Edge


def variable(variable: str, field: str, /, **reference: Any) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {field: reference}}


def test_a_variable_names_the_container_and_the_key_it_takes() -> None:
    env = [
        {"name": "PLAIN", "value": "x"},
        variable("LEVEL", "configMapKeyRef", name="settings", key="level"),
        variable("PASSWORD", "secretKeyRef", name="db", key="password"),
        variable("IP", "fieldRef", fieldPath="status.podIP"),
    ]

    assert targets("env_from", "pods", pod(containers=[app(env=env)])) == [
        ("configmaps", "shop", "settings", "env LEVEL of container app, key level"),
        ("secrets", "shop", "db", "env PASSWORD of container app, key password"),
    ]


def test_whole_config_maps_and_secrets_are_taken_by_any_container() -> None:
    obj = pod(
        containers=[app(envFrom=[{"prefix": "A_", "configMapRef": {"name": "settings"}}])],
        initContainers=[{"name": "prepare", "envFrom": [{"secretRef": {"name": "db"}}]}],
        ephemeralContainers=[{"name": "debug", "envFrom": [{"secretRef": {"name": "tools"}}]}],
    )

    assert targets("env_from", "pods", obj) == [
        ("configmaps", "shop", "settings", "envFrom of container app"),
        ("secrets", "shop", "db", "envFrom of container prepare"),
        ("secrets", "shop", "tools", "envFrom of container debug"),
    ]


def test_optional_references_are_told_as_optional() -> None:
    obj = pod(
        containers=[
            app(
                env=[variable("A", "secretKeyRef", name="a", key="k", optional=True)],
                envFrom=[{"configMapRef": {"name": "b", "optional": True}}, {"configMapRef": {"name": "c"}}],
            )
        ]
    )

    found = [edge for edge in links("env_from", "pods", obj) if isinstance(edge, Edge)]

    assert [(edge.target.name, edge.optional) for edge in found] == [("a", True), ("b", True), ("c", False)]


def test_a_deployment_without_pods_shows_the_config_map_that_they_would_miss() -> None:
    obj = workload(containers=[app(envFrom=[{"configMapRef": {"name": "missing"}}])])

    assert targets("env_from", "deployments.apps", obj) == [
        ("configmaps", "shop", "missing", "envFrom of container app")
    ]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    env = [None, "A", {"valueFrom": None}, {"valueFrom": {"secretKeyRef": None}}, variable("A", "secretKeyRef", name=1)]
    whole: list[Any] = [None, 1, {"secretRef": None}, {"secretRef": {}}, {"configMapRef": "x"}]

    assert links("env_from", "pods", pod(containers=[app(env=env, envFrom=whole), None, 1])) == []
    assert links("env_from", "pods", pod(containers=[app(env=None, envFrom=None)], initContainers=None)) == []
    assert links("env_from", "pods", pod(containers={"name": "app"})) == []
