"""Names that do not resolve, rights that are missing, autoscalers that cannot work."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, container, deployment, made, service, verdict

NET = "networking.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"


def _name(objects: list[lab.Object]) -> str:
    return str(objects[-1]["metadata"]["name"])


NAMES = [
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='pricing-svc', port=80): Max retries "
    "exceeded (Failed to resolve 'pricing-svc' ([Errno -2] Name or service not known))",
    "Error: getaddrinfo ENOTFOUND pricing-svc",
    "dial tcp: lookup pricing-svc on 10.96.0.10:53: no such host",
    "curl: (6) Could not resolve host: pricing-svc",
    "wget: bad address 'pricing-svc'",
    "java.net.UnknownHostException: pricing-svc",
    'could not translate host name "pricing-svc" to address: Name or service not known',
    "nslookup: can't find pricing-svc: NXDOMAIN",
    'host not found in upstream "pricing-svc" in /etc/nginx/conf.d/default.conf:5',
]


@pytest.mark.parametrize("log", NAMES)
def test_a_name_that_does_not_resolve_is_told_by_every_runtime(log: str) -> None:
    web = deployment("web")

    found = verdict(
        [*web, service("pricing", {"app": "web"})], "Is something wrong with web?", {f"{_name(web)}/app": log}
    )

    assert blamed(found) == ("DNS", "Deployment", "web")
    assert "pricing-svc" in found.best.diagnosis


def test_a_service_of_another_namespace_is_named_in_full() -> None:
    web = deployment("web")
    log = "lookup ledger on 10.96.0.10:53: no such host"

    found = verdict(
        [*web, *deployment("ledger", namespace="kube-system"), service("ledger", namespace="kube-system")],
        "",
        {f"{_name(web)}/app": log},
    )

    assert blamed(found) == ("DNS", "Deployment", "web")
    assert "ledger.kube-system.svc.cluster.local" in found.best.diagnosis


@pytest.mark.parametrize(
    "extra", [{"dnsPolicy": "Default"}, {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["203.0.113.9"]}}]
)
def test_a_pod_that_passes_by_the_clusters_dns_is_blamed(extra: lab.Object) -> None:
    web = deployment("web", {"containers": [container()], **extra})
    log = "Could not resolve host: cart"

    found = verdict([*web, *deployment("cart"), service("cart")], "", {f"{_name(web)}/app": log})

    assert blamed(found) == ("DNS", "Deployment", "web")
    assert extra["dnsPolicy"] in found.best.diagnosis


def test_a_dns_server_without_pods_is_the_root_of_names_that_do_not_resolve() -> None:
    web = deployment("web")
    dns = deployment("coredns", namespace="kube-system", replicas=0, labels={"k8s-app": "kube-dns"})
    log = "Temporary failure in name resolution"
    objects = [item for item in lab.base() if "coredns" not in item["metadata"]["name"]]
    source = lab.of_objects(
        [[*objects, *lab.NODES, *web, *dns, service("cart", {"app": "web"})]], {f"shop/{_name(web)}/app": log}
    )

    found = lab.diagnose(
        lab.scene_of(source.world("lab"), source, "Why can web not resolve names?", 1772452800.0), "lab"
    )

    assert blamed(found) == ("DNS", "Deployment", "coredns")


def test_a_corefile_that_denies_the_clusters_names_is_blamed() -> None:
    core = (
        ".:53 {\n  template IN ANY svc.cluster.local {\n    rcode NXDOMAIN\n  }\n  kubernetes cluster.local "
        "in-addr.arpa\n  forward . /etc/resolv.conf\n}"
    )
    web = deployment("web")

    found = verdict(
        [
            *web,
            *deployment("cart"),
            service("cart"),
            made("ConfigMap", "coredns", "kube-system", data={"Corefile": core}),
        ],
        "Users report errors in shop",
        {f"{_name(web)}/app": "lookup cart on 10.96.0.10:53: no such host"},
    )

    assert blamed(found) == ("DNS", "ConfigMap", "coredns")


def _binding(name: str, role: str, account: str, kind: str = "Role", space: str = "shop") -> lab.Object:
    return made(
        "RoleBinding",
        name,
        "shop",
        RBAC,
        roleRef={"kind": kind, "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": space}],
    )


def _role(name: str, resource: str, *verbs: str) -> lab.Object:
    return made("Role", name, "shop", RBAC, rules=[{"apiGroups": [""], "resources": [resource], "verbs": list(verbs)}])


DENIED = (
    'pods is forbidden: User "system:serviceaccount:shop:watcher" cannot list resource "pods" in API '
    'group "" in the namespace "shop"'
)
RIGHTS = [
    ([_role("reader", "pods", "get"), _binding("reading", "reader", "watcher")], ("Role", "reader"), ("get", "list")),
    (
        [_role("reader", "services", "list"), _binding("reading", "reader", "watcher")],
        ("Role", "reader"),
        ("services", "pods"),
    ),
    (
        [_binding("reading", "readr", "watcher"), _role("reader", "pods", "list")],
        ("RoleBinding", "reading"),
        ("readr", "does not exist"),
    ),
    (
        [_role("reader", "pods", "list"), _binding("reading", "reader", "watchr")],
        ("RoleBinding", "reading"),
        ("watchr", "wrong subject"),
    ),
    (
        [_role("reader", "pods", "list"), _binding("reading", "reader", "watcher", space="other")],
        ("RoleBinding", "reading"),
        ("other/watcher",),
    ),
    ([], ("ServiceAccount", "watcher"), ("missing role binding", "Deployment shop/watcher")),
    ([_role("reader", "pods", "list")], ("ServiceAccount", "watcher"), ("Role shop/reader would grant it",)),
]


@pytest.mark.parametrize(("rules", "who", "words"), RIGHTS)
def test_a_right_that_is_missing_leads_to_the_rule_that_is_wrong(
    rules: list[lab.Object], who: tuple[str, str], words: tuple[str, ...]
) -> None:
    watcher = deployment("watcher", {"containers": [container()], "serviceAccountName": "watcher"})

    found = verdict(
        [*watcher, made("ServiceAccount", "watcher"), *rules],
        "",
        {f"{_name(watcher)}/app": f"E1 reflector.go: {DENIED}"},
    )

    assert ("RBAC", *who) == blamed(found)
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_question_about_a_right_is_answered_without_any_log() -> None:
    rules = [_role("config-reader", "secrets", "get"), _binding("reading", "config-reader", "deployer")]

    found = verdict(
        [made("ServiceAccount", "deployer"), *rules],
        "Why can the service account deployer not list configmaps in namespace shop?",
    )

    assert blamed(found) == ("RBAC", "Role", "config-reader")
    assert "configmaps" in found.best.diagnosis


def made_scaler(target: str, conditions: list[lab.Object] | None = None, **spec: Any) -> lab.Object:
    metrics = [
        {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    ]
    body = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": metrics,
        **spec,
    }
    return made(
        "HorizontalPodAutoscaler",
        "web-hpa",
        "shop",
        "autoscaling/v2",
        spec=body,
        status={"currentReplicas": 1, "conditions": conditions or []},
    )


ASKS = {"containers": [container(resources={"requests": {"cpu": "100m"}})]}
NO_API = {
    "type": "ScalingActive",
    "status": "False",
    "reason": "FailedGetResourceMetric",
    "message": (
        "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get "
        "metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not "
        "find the requested resource (get pods.metrics.k8s.io)"
    ),
}
SCALERS = [
    (made_scaler("web"), None, ("Deployment", "web"), ("request", "cpu")),
    (made_scaler("webb"), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("webb", "does not exist")),
    (made_scaler("web", [NO_API]), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("metrics-server",)),
    (
        made_scaler(
            "web",
            [
                {
                    "type": "ScalingLimited",
                    "status": "True",
                    "reason": "TooManyReplicas",
                    "message": "the desired replica count is more than the maximum replica count",
                }
            ],
        ),
        ASKS,
        ("HorizontalPodAutoscaler", "web-hpa"),
        ("maxReplicas 5",),
    ),
    (made_scaler("web", minReplicas=5), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("minReplicas 5",)),
]


@pytest.mark.parametrize(("scaler", "spec", "who", "words"), SCALERS)
def test_an_autoscaler_that_cannot_work_is_told_with_what_it_lacks(
    scaler: lab.Object, spec: lab.Object | None, who: tuple[str, str], words: tuple[str, ...]
) -> None:
    found = verdict([*deployment("web", spec), scaler], "Why does web not scale up under load?")

    assert ("HPA", *who) == blamed(found)
    assert [word for word in words if word not in found.best.diagnosis] == []
