"""Fixes are calls that a rehearsal takes: what they make is what the cause asks for."""

from __future__ import annotations

import pytest
from tests.tools.desk import TestDesk
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import container, deployment, event, made, service, verdict

from kubesteward_tools.analyse.diagnose import diagnose
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.tool import Answer

NET = "networking.k8s.io/v1"


def _policy(**spec: object) -> lab.Object:
    return made("NetworkPolicy", "walls", "shop", NET, spec={"podSelector": {}, **spec})


def _log(objects: list[lab.Object], text: str) -> dict[str, str]:
    return {f"{objects[-1]['metadata']['name']}/app": text}


def test_a_policy_that_blocks_names_gets_a_rule_for_them_and_keeps_its_own() -> None:
    own = {"to": [{"podSelector": {}}]}
    api, walls = deployment("api"), _policy(policyTypes=["Egress"], egress=[own])
    logs = _log(api, "lookup cart on 10.96.0.10:53: i/o timeout")

    found = verdict([walls, *api, *deployment("cart"), service("cart")], "", logs).best

    assert found.category == "NetworkPolicy"
    assert found.proposal is not None
    egress = (found.proposal.params or {})["patch"]["spec"]["egress"]
    assert egress[0] == own
    assert {(port["port"], port["protocol"]) for port in egress[1]["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert "namespaceSelector" in egress[1]["to"][0]


def test_a_policy_that_blocks_a_caller_gets_a_rule_for_that_caller() -> None:
    api, walls = deployment("api"), _policy(policyTypes=["Ingress"], podSelector={"matchLabels": {"app": "cart"}})
    logs = _log(api, "ERROR dial tcp cart:80: i/o timeout")

    found = verdict([walls, *api, *deployment("cart"), service("cart")], "api cannot reach cart, why?", logs).best

    assert found.proposal is not None
    assert (found.proposal.params or {})["patch"]["spec"]["ingress"] == [
        {
            "from": [{"podSelector": {"matchLabels": {"app": "api"}}}],
            "ports": [{"port": 8080, "protocol": "TCP"}],
        }
    ]


def test_a_quota_is_raised_by_what_was_refused() -> None:
    api = deployment("api", pods=0)
    quota = made("ResourceQuota", "q", spec={"hard": {"pods": "1", "requests.cpu": "1"}})
    message = (
        'Error creating: pods "api-x" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=500m, '
        "used: pods=1,requests.cpu=800m, limited: pods=1,requests.cpu=1"
    )

    found = verdict([*api, quota, event(api[1], "FailedCreate", message)]).best

    assert found.proposal is not None
    assert (found.proposal.params or {})["patch"]["spec"]["hard"] == {"pods": "2", "requests.cpu": "1300m"}


def test_a_name_server_without_replicas_is_scaled_up() -> None:
    objects = lab.base()
    server = next(item for item in objects if item["kind"] == "Deployment")
    server["spec"]["replicas"] = 0

    found = verdict([server, *deployment("web")]).best

    assert (found.category, found.proposal and found.proposal.action) == ("DNS", "scale")


@pytest.mark.anyio
async def test_a_missing_right_comes_with_a_grant_that_can_be_rehearsed() -> None:
    watcher = deployment("watcher", {"containers": [container()], "serviceAccountName": "watcher"})
    said = (
        'pods is forbidden: User "system:serviceaccount:shop:watcher" cannot list resource "pods" in API group "" '
        'in the namespace "shop"'
    )
    objects = [*lab.base(), *lab.NODES, *watcher, made("ServiceAccount", "watcher")]
    pod = watcher[-1]["metadata"]["name"]

    answer = await diagnose.function(TestDesk(of_objects([objects]).store, {f"shop/{pod}/app": f"E {said}"}))

    assert isinstance(answer, Answer)
    best = answer.data["findings"][0]
    assert best["culprit"]["kind"] == "ServiceAccount"
    assert best["proposed"]["action"] == "apply"
    assert "kind: RoleBinding" in best["proposed"]["manifest"] or '"RoleBinding"' in best["proposed"]["manifest"]
    assert "watcher" in best["proposed_summary"]


def test_a_quota_is_raised_for_every_pod_that_is_missing_and_never_lowered() -> None:
    api = deployment("api", None, [], replicas=3, pods=0)
    api[0]["status"] = {"replicas": 1, "readyReplicas": 1}
    status = {"hard": {"pods": "1", "requests.cpu": "9"}, "used": {"pods": "1", "requests.cpu": "2"}}
    quota = made("ResourceQuota", "team", status=status, spec={"hard": status["hard"]})
    message = (
        'pods "api-x" is forbidden: exceeded quota: team, requested: pods=1,requests.cpu=500m, '
        "used: pods=1,requests.cpu=1, limited: pods=1,requests.cpu=9"
    )

    found = verdict([*api, quota, event(api[1], "FailedCreate", message)]).best

    assert found.proposal is not None
    assert (found.proposal.params or {})["patch"]["spec"]["hard"] == {"pods": "3"}
