"""Pods that are refused, probed, throttled, lost with their node, or not wanted at all."""

from __future__ import annotations

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    crashing,
    deployment,
    event,
    made,
    node,
    running,
    service,
    verdict,
)

REFUSALS: list[tuple[str, tuple[str, str, str], tuple[str, ...]]] = [
    (
        'pods "w-1" is forbidden: exceeded quota: team-cap, requested: requests.cpu=500m, used: '
        "requests.cpu=2, limited: requests.cpu=2",
        ("Quota", "Deployment", "mill"),
        ("team-cap", "requests.cpu", "quota"),
    ),
    (
        'pods "w-1" is forbidden: failed quota: team-cap: must specify limits.cpu for: app; limits.memory for: app',
        ("Quota", "Deployment", "mill"),
        ("limits.memory", "team-cap"),
    ),
    (
        'pods "w-1" is forbidden: maximum cpu usage per Container is 800m, but limit is 2',
        ("Quota", "Deployment", "mill"),
        ("LimitRange", "800m"),
    ),
    (
        'pods "w-1" is forbidden: minimum memory usage per Container is 500Mi, but request is 100Mi',
        ("Quota", "Deployment", "mill"),
        ("LimitRange", "500Mi"),
    ),
    (
        'pods "w-1" is forbidden: memory max limit to request ratio per Container is 2, but provided ratio is 8.000000',
        ("Quota", "Deployment", "mill"),
        ("ratio",),
    ),
    (
        'pods "w-1" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != '
        'false (container "app" must set securityContext.allowPrivilegeEscalation=false)',
        ("PodSecurity", "Deployment", "mill"),
        ("restricted", "allowPrivilegeEscalation"),
    ),
    (
        'pods "w-1" is forbidden: violates PodSecurity "baseline:v1.30": privileged (container "app" must '
        "not set securityContext.privileged=true)",
        ("PodSecurity", "Deployment", "mill"),
        ("baseline", "privileged"),
    ),
    (
        'Internal error occurred: failed calling webhook "check.guard.example.com": failed to call webhook: '
        'Post "https://guard.guard-system.svc:443/validate": service "guard" not found',
        ("AdmissionWebhook", "ValidatingWebhookConfiguration", "guard-hooks"),
        ("guard", "failed calling webhook"),
    ),
    (
        'admission webhook "check.guard.example.com" denied the request: image tag latest is not allowed',
        ("AdmissionWebhook", "ValidatingWebhookConfiguration", "guard-hooks"),
        ("latest", "denie"),
    ),
    (
        'pods "w-1" is forbidden: error looking up service account shop/miller: serviceaccount "miller" not found',
        ("RBAC", "Deployment", "mill"),
        ("miller", "not found"),
    ),
]


@pytest.mark.parametrize(("said", "who", "words"), REFUSALS)
def test_pods_that_the_api_server_refuses_are_told_with_the_rule(
    said: str, who: tuple[str, str, str], words: tuple[str, ...]
) -> None:
    objects = deployment("mill", replicas=2, pods=0)
    hook = {
        "name": "check.guard.example.com",
        "failurePolicy": "Fail",
        "clientConfig": {"service": {"namespace": "guard-system", "name": "guard"}},
    }
    config = made(
        "ValidatingWebhookConfiguration", "guard-hooks", "", "admissionregistration.k8s.io/v1", webhooks=[hook]
    )
    more = [config] if who[0] == "AdmissionWebhook" else []

    found = verdict([*objects, *more, event(objects[1], "FailedCreate", f"Error creating: {said}")])

    assert who == blamed(found)
    assert [word for word in words if word.lower() not in found.best.diagnosis.lower()] == []


def test_a_webhook_whose_service_is_gone_is_found_before_anybody_runs_into_it() -> None:
    hook = {
        "name": "check.guard.example.com",
        "failurePolicy": "Fail",
        "clientConfig": {"service": {"namespace": "guard-system", "name": "guard"}},
    }
    config = made("MutatingWebhookConfiguration", "guard-hooks", "", "admissionregistration.k8s.io/v1", webhooks=[hook])

    assert blamed(verdict([config])) == ("AdmissionWebhook", "MutatingWebhookConfiguration", "guard-hooks")


def test_a_workload_without_pods_is_held_against_its_namespaces_level() -> None:
    space = made(
        "Namespace", "shop", "", labels={"pod-security.kubernetes.io/enforce": "restricted"}, status={"phase": "Active"}
    )

    found = verdict([*deployment("mill", pods=0), space])

    assert blamed(found) == ("PodSecurity", "Deployment", "mill")


PROBES: list[tuple[lab.Object, str, tuple[str, ...]]] = [
    (
        {"livenessProbe": {"httpGet": {"path": "/alive", "port": 8080}}},
        "Liveness probe failed: HTTP probe failed with statuscode: 404",
        ("liveness", "/alive", "404"),
    ),
    (
        {"livenessProbe": {"tcpSocket": {"port": 9000}}},
        "Liveness probe failed: dial tcp 10.1.2.3:9000: connect: connection refused",
        ("liveness", "9000", "8080"),
    ),
    (
        {"readinessProbe": {"httpGet": {"path": "/ready", "port": 8081}}},
        'Readiness probe failed: Get "http://10.1.2.3:8081/ready": dial tcp 10.1.2.3:8081: connect: connection refused',
        ("readiness", "8081", "8080"),
    ),
    (
        {"readinessProbe": {"exec": {"command": ["cat", "/tmp/up"]}}},
        "Readiness probe failed: cat: /tmp/up: No such file or directory",
        ("readiness", "/tmp/up"),
    ),
    (
        {"startupProbe": {"httpGet": {"path": "/", "port": 8080}, "failureThreshold": 1}},
        "Startup probe failed: HTTP probe failed with statuscode: 503",
        ("startup", "503"),
    ),
    (
        {"readinessProbe": {"httpGet": {"path": "/", "port": 8080, "scheme": "HTTPS"}}},
        'Readiness probe failed: Get "https://10.1.2.3:8080/": http: server gave HTTP response to HTTPS client',
        ("scheme",),
    ),
    (
        {"livenessProbe": {"httpGet": {"path": "/", "port": 8080}, "timeoutSeconds": 1}},
        'Liveness probe failed: Get "http://10.1.2.3:8080/": context deadline exceeded (Client.Timeout '
        "exceeded while awaiting headers)",
        ("timeoutSeconds",),
    ),
    (
        {"livenessProbe": {"exec": {"command": ["curl", "-f", "localhost"]}}},
        'Liveness probe errored and resulted in unknown state: rpc error: exec: "curl": executable file not '
        "found in $PATH",
        ("curl", "not found"),
    ),
]


@pytest.mark.parametrize(("probe", "said", "words"), PROBES)
def test_a_probe_that_fails_is_told_with_what_it_asks(probe: lab.Object, said: str, words: tuple[str, ...]) -> None:
    spec = {"containers": [container(ports=[{"containerPort": 8080}], **probe)]}
    kills = "readinessProbe" not in probe
    status = running(ready=kills, restarts=6 if kills else 0, last=lab.ended(137) if kills else None)
    objects = deployment("web", spec, [status])

    found = verdict([*objects, event(objects[-1], "Unhealthy", said, count=40)])

    assert blamed(found) == ("ProbeFailure", "Deployment", "web")
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_probe_that_times_out_under_a_tiny_cpu_limit_is_throttling() -> None:
    spec = {
        "containers": [
            container(resources={"limits": {"cpu": "10m"}}, livenessProbe={"httpGet": {"path": "/", "port": 8080}})
        ]
    }
    objects = deployment("web", spec, [running(restarts=5, last=lab.ended(137))])
    told = event(
        objects[-1],
        "Unhealthy",
        'Liveness probe failed: Get "http://10.1.2.3:8080/": context deadline exceeded',
        count=50,
    )

    found = verdict([*objects, told], "Why is web so slow?")

    assert blamed(found) == ("CPUThrottling", "Deployment", "web")
    assert "10m" in found.best.diagnosis


def test_a_node_that_is_down_is_blamed_and_not_its_pods() -> None:
    spec = {"containers": [container(readinessProbe={"tcpSocket": {"port": 8080}})]}
    lost = [
        item
        for name in ("web", "cart", "mail")
        for item in deployment(name, spec, [running(ready=False)], node="worker-2")
    ]

    found = verdict(lost, nodes=[node("worker-1"), node("worker-2", ready="Unknown")])

    assert blamed(found) == ("NodeNotReady", "Node", "worker-2")
    assert len(found.findings) == 1
    assert "Kubelet stopped posting" in found.best.diagnosis


@pytest.mark.parametrize("kind", ["MemoryPressure", "DiskPressure", "PIDPressure"])
def test_a_node_under_pressure_is_blamed(kind: str) -> None:
    found = verdict(deployment("web"), nodes=[node("worker-1"), node("worker-2", pressures=(kind,))])

    assert blamed(found) == ("NodePressure", "Node", "worker-2")
    assert kind in found.best.diagnosis


def test_a_workload_without_replicas_is_told_when_it_is_missed() -> None:
    found = verdict([*deployment("cart", replicas=0), service("cart")], "Why is the cart service not reachable?")

    assert blamed(found) == ("ScaledToZero", "Deployment", "cart")
    assert "replicas: 0" in found.best.diagnosis


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        ({"maxUnavailable": 0}, "maxUnavailable is 0"),
        ({"minAvailable": 2}, "minAvailable is 2"),
        ({"minAvailable": "100%"}, "100%"),
        ({"maxUnavailable": "0%"}, "0%"),
    ],
)
def test_a_budget_that_allows_nothing_blocks_a_drain(spec: lab.Object, word: str) -> None:
    status = {"disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2}
    budget = made(
        "PodDisruptionBudget",
        "web-pdb",
        "shop",
        "policy/v1",
        spec={**spec, "selector": {"matchLabels": {"app": "web"}}},
        status=status,
    )

    found = verdict(
        [*deployment("web", replicas=2), budget],
        "kubectl drain worker-1 never ends: Cannot evict pod as it would violate the pod's disruption budget",
    )

    assert blamed(found) == ("PDB", "PodDisruptionBudget", "web-pdb")
    assert word in found.best.diagnosis


def test_a_crash_on_a_healthy_node_is_not_the_nodes_fault() -> None:
    found = verdict(deployment("web", None, [crashing(1)]), nodes=[node("worker-1"), node("worker-2", ready="Unknown")])

    assert {("NodeNotReady", "worker-2"), ("CrashLoop", "web")} == {
        (one.category, one.culprit.name) for one in found.findings if one.culprit
    }


def test_a_refusal_that_was_overcome_is_not_blamed_for_pods_that_crash_now() -> None:
    objects = deployment("api", None, [crashing(1)])
    set_ = next(item for item in objects if item["kind"] == "ReplicaSet")
    set_ |= {"spec": {**set_["spec"], "replicas": 1}, "status": {"replicas": 1}}
    said = 'pods "api-x" is forbidden: exceeded quota: shop, requested: pods=1, used: pods=9, limited: pods=9'

    found = verdict([*objects, event(set_, "FailedCreate", f"Error creating: {said}")])

    assert found.best.category == "CrashLoop"
    assert not [one for one in found.findings if one.category == "Quota"]


def test_healthy_does_not_deny_the_warnings_that_were_overcome() -> None:
    objects = deployment("api")
    set_ = next(item for item in objects if item["kind"] == "ReplicaSet")
    said = 'pods "api-x" is forbidden: exceeded quota: shop, requested: pods=1, used: pods=9, limited: pods=9'

    found = verdict([*objects, event(set_, "FailedCreate", f"Error creating: {said}")]).best

    assert found.category == "Healthy"
    assert "no warning events that still matter" in found.diagnosis
