"""Services that carry a part of the API: to take their last endpoint away breaks more than themselves."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.admission.policies import DEPLOYMENTS, NOW, a_cluster, binding, deployment, policy, rule

from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.rehearsal import Rehearsal
from kubesteward_tools.twin.rehearse import rehearse

Object = dict[str, Any]
GROUP = "admissionregistration.k8s.io"
LOCKED = "it cannot come back until somebody takes its configuration away"


def serving() -> SimulatedCluster:
    """A Deployment of two ready pods behind a Service."""
    cluster = a_cluster()
    cluster.api.create("services", "shop", {"metadata": {"name": "hook"}, "spec": a_service()})
    cluster.api.create("deployments.apps", "shop", deployment("web"))
    cluster.engine.settle()
    return cluster


def a_service() -> Object:
    return {"selector": {"app": "web"}, "ports": [{"port": 443, "targetPort": 8443}]}


def guard(cluster: SimulatedCluster, **more: Any) -> None:
    service = {"namespace": "shop", "name": "hook", "port": 443}
    hook = {"name": "a.example.com", "clientConfig": {"service": service}, "sideEffects": "None", **more}
    hook = {"rules": [rule("services", "")], "admissionReviewVersions": ["v1"], **hook}
    obj = {"metadata": {"name": "h"}, "webhooks": [hook]}
    cluster.api.create(f"validatingwebhookconfigurations.{GROUP}", "", obj)


def scaled_to_none(cluster: SimulatedCluster) -> Rehearsal:
    return rehearse(cluster.store, [call("patch", f"{DEPLOYMENTS}/web", {"spec": {"replicas": 0}})], now=NOW + 3600)


def call(verb: str, path: str, body: Object) -> ApiCall:
    nothing = Ref("", "", "", "", "")
    return ApiCall(verb=verb, path=path, target=nothing, body=body, content_type="application/merge-patch+json")


def findings(found: Rehearsal) -> dict[str, str]:
    return {item.rule: item.message for item in found.findings}


def test_the_last_endpoint_of_a_webhook_that_fails_closed_is_not_taken_away_unseen() -> None:
    cluster = serving()
    guard(cluster)
    found = scaled_to_none(cluster)

    assert found.verdict == "blocked"
    assert "webhook a.example.com refuses requests without it" in findings(found)["api.webhook_down"]
    assert LOCKED not in findings(found)["api.webhook_down"]


@pytest.mark.parametrize(
    ("selectors", "locked"),
    [
        ({}, True),
        ({"objectSelector": {"matchLabels": {"app": "web"}}}, True),
        ({"objectSelector": {"matchLabels": {"app": "other"}}}, False),
        ({"namespaceSelector": {"matchLabels": {"tier": "test"}}}, False),
    ],
)
def test_a_webhook_that_consents_to_its_own_pods_would_lock_itself_out(selectors: Object, locked: bool) -> None:
    cluster = serving()
    guard(cluster, rules=[rule("pods", "", "CREATE")], **selectors)

    assert (LOCKED in findings(scaled_to_none(cluster))["api.webhook_down"]) is locked


def test_a_webhook_that_fails_open_is_a_service_like_any_other() -> None:
    cluster = serving()
    guard(cluster, failurePolicy="Ignore")

    assert "service.no_endpoints" in findings(scaled_to_none(cluster))


def test_an_aggregated_api_is_gone_without_its_service() -> None:
    cluster = serving()
    spec = {"group": "metrics.k8s.io", "version": "v1beta1", "service": {"namespace": "shop", "name": "hook"}}
    cluster.api.create("apiservices.apiregistration.k8s.io", "", {"metadata": {"name": "v1beta1.x"}, "spec": spec})

    assert "APIService v1beta1.x is gone without it" in findings(scaled_to_none(cluster))["api.service_down"]


def bound(cluster: SimulatedCluster, a_policy: Object) -> None:
    cluster.api.create(f"validatingadmissionpolicies.{GROUP}", "", a_policy)
    cluster.api.create(f"validatingadmissionpolicybindings.{GROUP}", "", binding())


RESTART = {"spec": {"template": {"metadata": {"annotations": {"restarted": "now"}}}}}


def restarted(cluster: SimulatedCluster) -> Rehearsal:
    return rehearse(cluster.store, [call("patch", f"{DEPLOYMENTS}/web", RESTART)], now=NOW + 3600)


def test_a_policy_that_pods_would_break_is_seen_before_the_roll_out() -> None:
    cluster = serving()
    bound(cluster, policy("has(object.spec.priorityClassName)", rules=[rule("pods", "", "CREATE")]))
    found = restarted(cluster)

    assert found.verdict == "blocked"
    assert "failed expression: has(object.spec.priorityClassName)" in findings(found)["policy.denied"]


def test_a_policy_that_holds_leaves_nothing_unknown() -> None:
    cluster = serving()
    bound(cluster, policy("object.spec.containers.size() == 1", rules=[rule("pods", "", "CREATE")]))

    assert restarted(cluster).assumptions == ()


def test_a_policy_that_cannot_be_decided_makes_the_rehearsal_unknown() -> None:
    cluster = serving()
    bound(cluster, policy("object.spec.containers.all(i, c, c.name != '')", rules=[rule("pods", "", "CREATE")]))

    assert restarted(cluster).verdict == "unknown"


def test_pods_that_a_dead_webhook_would_have_to_pass_cannot_be_created() -> None:
    cluster = serving()
    dead = {"clientConfig": {"url": "https://127.0.0.1:1/x"}, "rules": [rule("pods", "", "CREATE")]}
    guard(cluster, **dead)

    assert "failed calling webhook" in findings(restarted(cluster))["webhook.down"]


def test_a_webhook_that_may_be_alive_is_named_and_makes_the_rehearsal_unknown() -> None:
    cluster = serving()
    guard(cluster, rules=[rule("deployments")])
    found = restarted(cluster)

    assert found.verdict == "unknown"
    assert found.assumptions == ("admission webhook a.example.com may refuse deployments; it is not asked",)


def test_writes_of_the_control_plane_that_a_policy_refuses_make_the_rehearsal_unknown() -> None:
    cluster = serving()
    bound(cluster, policy({"expression": "false", "message": "no"}, rules=[rule("endpointslices", "discovery.k8s.io")]))

    assert "the control plane's writes of endpointslices are refused" in " ".join(scaled_to_none(cluster).assumptions)
