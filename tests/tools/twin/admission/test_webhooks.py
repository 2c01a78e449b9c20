"""Webhooks in the twin: who would be asked, what the state says of them, and what becomes of an answer."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from tests.tools.twin.admission.policies import (
    DEPLOYMENTS,
    GROUP,
    Object,
    a_cluster,
    delete,
    deployment,
    patch,
    rule,
    write,
)

from kubesteward_tools.twin.admission.calling import Unreachable
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.world.store import Store

DEAD = {"url": "https://127.0.0.1:1/validate"}
ALIVE = {"url": "https://hooks.example.com/validate"}
BY_SERVICE = {"service": {"namespace": "shop", "name": "hook", "path": "/check"}}


def hook(config: Object = ALIVE, **more: Any) -> Object:
    known = {"name": "check.example.com", "clientConfig": config, "rules": [rule()], "sideEffects": "None"}
    return {**known, "admissionReviewVersions": ["v1"], "timeoutSeconds": 1, **more}


def hooked(*hooks: Object, mutating: bool = False) -> SimulatedCluster:
    cluster = a_cluster()
    plural = "mutatingwebhookconfigurations" if mutating else "validatingwebhookconfigurations"
    assert write(cluster, f"{GROUP}/{plural}", {"metadata": {"name": "h"}, "webhooks": list(hooks)}).status == 201
    return cluster


def answering(cluster: SimulatedCluster, answer: Callable[[Object], Object]) -> list[Object]:
    """Every webhook answers so from now on; returns the requests that come in."""
    asked = list[Object]()

    def call(store: Store, hook: Mapping[str, Any], review: Object) -> Object:
        request = review["request"]
        asked.append(request)
        return {"response": {"uid": request["uid"], "allowed": True, **answer(request)}}

    cluster.api.caller = call
    return asked


@pytest.mark.parametrize("mutating", [False, True])
@pytest.mark.parametrize(
    ("config", "why"),
    [
        (DEAD, 'Post "https://127.0.0.1:1/validate?timeout=1s": dial tcp 127.0.0.1:1: connect: connection refused'),
        (BY_SERVICE, 'Post "https://hook.shop.svc:443/check?timeout=1s": service "hook" not found'),
    ],
)
def test_a_webhook_that_the_state_shows_dead_fails_closed_or_open(config: Object, why: str, mutating: bool) -> None:
    closed = write(hooked(hook(config), mutating=mutating), DEPLOYMENTS, deployment())
    opened = write(hooked(hook(config, failurePolicy="Ignore"), mutating=mutating), DEPLOYMENTS, deployment())
    text = f'failed calling webhook "check.example.com": failed to call webhook: {why}'

    assert (closed.status, closed.body["reason"]) == (500, "InternalError")
    assert closed.body["message"] == f"Internal error occurred: {text}"
    assert closed.body["details"]["causes"] == [{"message": text}]
    assert opened.status == 201


def test_a_service_without_ready_endpoints_is_dead_and_one_with_some_may_be_alive() -> None:
    cluster = hooked(hook(BY_SERVICE))
    service = {"metadata": {"name": "hook"}, "spec": {"selector": {"app": "api"}, "ports": [{"port": 443}]}}
    address = cluster.api.create("services", "shop", service)["spec"]["clusterIP"]
    cluster.engine.settle()
    dead = write(cluster, DEPLOYMENTS, deployment())
    cluster.api.create("pods", "shop", {"metadata": {"name": "p", "labels": {"app": "api"}}, "spec": a_pod()})
    cluster.engine.settle()
    alive = write(cluster, DEPLOYMENTS, deployment())

    assert dead.body["message"].endswith(f"dial tcp {address}:443: connect: connection refused")
    assert alive.status == 201
    assert cluster.api.unknown == ["admission webhook check.example.com may refuse deployments; it is not asked"]


def a_pod() -> Object:
    return {"containers": [{"name": "c", "image": "registry.example/a:1"}]}


@pytest.mark.parametrize(
    "more",
    [
        {"objectSelector": {"matchLabels": {"x": "y"}}},
        {"namespaceSelector": {"matchLabels": {"tier": "test"}}},
        {"rules": [rule("deployments", "apps", "DELETE")]},
        {"rules": [rule("deployments/scale")]},
        {"matchConditions": [{"name": "few", "expression": "object.spec.replicas > 9"}]},
    ],
)
def test_a_webhook_that_is_not_about_the_request_is_not_asked(more: Object) -> None:
    cluster = hooked(hook(DEAD, **more))

    assert write(cluster, DEPLOYMENTS, deployment()).status == 201
    assert cluster.api.unknown == []


def test_a_match_condition_that_fails_refuses_what_fails_closed() -> None:
    conditions = [{"name": "c", "expression": "object.spec.nope"}]
    response = write(hooked(hook(matchConditions=conditions)), DEPLOYMENTS, deployment())

    assert (response.status, response.body["reason"]) == (403, "Forbidden")


def test_a_dry_run_is_refused_where_a_webhook_has_side_effects() -> None:
    cluster = hooked(hook())
    configuration = cluster.store.objects("validatingwebhookconfigurations.admissionregistration.k8s.io")[0]
    old = {**configuration, "webhooks": [{**configuration["webhooks"][0], "sideEffects": "Some"}]}
    cluster.store.put(
        next(iter(cluster.store.keys("validatingwebhookconfigurations.admissionregistration.k8s.io"))), old
    )
    response = write(cluster, DEPLOYMENTS, deployment(), dryRun="All")

    assert response.status == 400
    assert response.body["message"] == 'admission webhook "check.example.com" does not support dry run'


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ({"code": 403, "message": "no"}, 403, 'admission webhook "check.example.com" denied the request: no'),
        ({"reason": "Forbidden"}, 400, 'admission webhook "check.example.com" denied the request: Forbidden'),
        ({}, 400, 'admission webhook "check.example.com" denied the request without explanation'),
    ],
)
def test_a_refusal_carries_the_webhook_s_own_words(status: Object, code: int, message: str) -> None:
    cluster = hooked(hook(failurePolicy="Ignore"))
    answering(cluster, lambda request: {"allowed": False, "status": status, "warnings": ["mind this"]})
    response = write(cluster, DEPLOYMENTS, deployment())

    assert (response.status, response.body["message"]) == (code, message)
    assert response.warnings == ("mind this",)


def test_a_review_shows_the_request_and_both_objects() -> None:
    cluster = hooked(hook(rules=[rule("deployments", "apps", "*")]))
    asked = answering(cluster, lambda request: {})
    write(cluster, DEPLOYMENTS, deployment())
    patch(cluster, f"{DEPLOYMENTS}/web", {"spec": {"replicas": 3}}, dryRun="All")
    delete(cluster, f"{DEPLOYMENTS}/web")
    seen = [(item["operation"], item["dryRun"], bool(item["object"]), bool(item["oldObject"])) for item in asked]

    assert seen[:1] == [("CREATE", False, True, False)]
    assert ("UPDATE", True, True, True) in seen
    assert ("DELETE", False, False, True) in seen
    assert asked[0]["userInfo"]["username"] == "kubesteward-admin"


def patching(*operations: Object) -> Object:
    data = base64.b64encode(json.dumps(operations).encode()).decode()
    return {"patchType": "JSONPatch", "patch": data}


def test_a_mutating_webhook_changes_the_object_before_it_is_judged() -> None:
    cluster = hooked(hook(), mutating=True)
    answering(cluster, lambda request: patching({"op": "add", "path": "/metadata/labels/team", "value": "a"}))

    assert write(cluster, DEPLOYMENTS, deployment(tier="x")).body["metadata"]["labels"] == {"tier": "x", "team": "a"}


def test_a_webhook_is_asked_again_when_a_later_one_has_changed_the_object() -> None:
    names = ("first.example.com", "second.example.com")
    cluster = hooked(*(hook(name=name, reinvocationPolicy="IfNeeded") for name in names), mutating=True)
    asked = answering(
        cluster,
        lambda request: patching({"op": "add", "path": "/metadata/annotations", "value": {"seen": str(len(asked))}}),
    )
    write(cluster, DEPLOYMENTS, deployment())

    assert len(asked) == 4


@pytest.mark.parametrize(
    "response",
    [
        {"uid": "another", "allowed": True},
        {"allowed": True},
        {},
        {"patchType": "Merge", "patch": "e30="},
    ],
)
def test_a_wrong_answer_is_no_answer(response: Object) -> None:
    cluster = hooked(hook())

    def call(store: Store, hook: Mapping[str, Any], review: Object) -> Object:
        given = {"uid": review["request"]["uid"], "allowed": True} if "patch" in response else {}
        return {"response": {**given, **response}}

    cluster.api.caller = call

    assert write(cluster, DEPLOYMENTS, deployment()).status == 500


def test_a_patch_that_cannot_be_applied_is_the_webhook_s_failure() -> None:
    cluster = hooked(hook(), mutating=True)
    answering(cluster, lambda request: patching({"op": "remove", "path": "/spec/nope"}))

    assert write(cluster, DEPLOYMENTS, deployment()).status == 500


def test_a_call_that_fails_is_named_with_its_reason() -> None:
    cluster = hooked(hook())

    def call(store: Store, hook: Mapping[str, Any], review: Object) -> Object:
        raise Unreachable("failed to call webhook: context deadline exceeded")

    cluster.api.caller = call

    assert "context deadline exceeded" in write(cluster, DEPLOYMENTS, deployment()).body["message"]
