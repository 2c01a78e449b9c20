"""Questions and traffic that mislead: applications called like workloads, namespaces, paths, accounts, old trouble."""

from __future__ import annotations

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    deployment,
    event,
    made,
    pod,
    running,
    service,
    verdict,
    waiting,
)

_RBAC = "rbac.authorization.k8s.io/v1"
_NET = "networking.k8s.io/v1"


@pytest.mark.parametrize(
    "text",
    ["web times out", "web gives 503", "mongo does not answer", "nobody reaches web", "requests to web return 500"],
)
def test_a_complaint_is_heard_however_it_is_put(text: str) -> None:
    objects = [*deployment("web", replicas=0), service("web"), *deployment("mongo", replicas=0), service("mongo")]

    assert verdict(objects, text).best.category == "ScaledToZero"


def test_an_application_is_no_workload_that_is_called_like_a_part_of_its_name() -> None:
    space = "hotel-booking"
    objects = [lab.made("Namespace", space, "", status={"phase": "Active"})]
    for name in ("booking", "rate"):
        objects += deployment(name, namespace=space, replicas=0 if name == "rate" else 1)
        objects.append(service(name, namespace=space))

    found = verdict(objects, "Users report errors on the hotel booking application. Find the root cause.")

    assert blamed(found) == ("ScaledToZero", "Deployment", "rate")


def test_a_missing_service_whose_pods_run_is_blamed_rather_than_its_callers() -> None:
    calls = {"containers": [container(env=[{"name": "CART_ADDR", "value": "cart:7070"}])]}
    objects = [*deployment("front", calls), *deployment("checkout", calls), *deployment("cart"), service("front")]

    assert blamed(verdict(objects, "Users report errors.")) == ("ServiceRouting", "Service", "cart")


def test_a_name_of_the_same_pattern_is_no_misspelling() -> None:
    calls = {"containers": [container(env=[{"name": "HELP_ADDR", "value": "shoppingassistantservice:80"}])]}
    objects = [
        *deployment("front", calls),
        *deployment("shippingservice"),
        service("shippingservice"),
        service("front"),
    ]

    assert verdict(objects, "Users say that the shop is broken.").best.category == "Healthy"


def test_a_service_without_a_selector_and_without_endpoints_leads_nowhere() -> None:
    body = {"type": "ClusterIP", "clusterIP": "10.96.1.1", "ports": [{"port": 5432}]}
    found = verdict([*deployment("db"), made("Service", "db", spec=body)], "Service db times out")

    assert blamed(found) == ("ServiceRouting", "Service", "db")
    assert "selector" in found.best.diagnosis


def test_a_server_on_the_loopback_address_is_told_when_a_service_leads_to_it() -> None:
    objects = [*deployment("api"), service("api")]
    log = {f"{objects[2]['metadata']['name']}/app": " * Running on http://127.0.0.1:8080\n"}

    found = verdict(objects, "connections to api are refused", logs=log)

    assert (blamed(found), "127.0.0.1" in found.best.diagnosis) == (("AppError", "Deployment", "api"), True)


def _ingress(**metadata: object) -> list[lab.Object]:
    backend = {"service": {"name": "video", "port": {"number": 80}}}
    rule = {"host": "watch.example.com", "http": {"paths": [{"path": "/video", "backend": backend}]}}
    spec = {"rules": [rule]} | ({} if metadata else {"ingressClassName": "nginx"})
    served = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    return [
        *deployment("video"),
        service("video"),
        made("IngressClass", "nginx", "", _NET, spec={"controller": "k8s.io/ingress-nginx"}),
        made("Ingress", "edge", "shop", _NET, spec=spec, status=served, **metadata),
    ]


@pytest.mark.parametrize(("path", "category"), [("/stream", "Ingress"), ("/video/1", "Healthy")])
def test_a_url_that_no_path_of_its_ingress_fits_is_told(path: str, category: str) -> None:
    assert verdict(_ingress(), f"http://watch.example.com{path} gives 404").best.category == category


def test_an_ingress_class_in_an_annotation_must_be_there_too() -> None:
    found = verdict(
        _ingress(annotations={"kubernetes.io/ingress.class": "ngnix"}), "Nobody reaches the video from outside"
    )

    assert (blamed(found), "ngnix" in found.best.diagnosis) == (("Ingress", "Ingress", "edge"), True)


def test_a_failing_readiness_probe_leads_on_to_what_its_application_misses() -> None:
    probe = {"httpGet": {"path": "/ready", "port": 8080}}
    objects = deployment("front", {"containers": [container(readinessProbe=probe)]}, [running(ready=False)])
    said = event(objects[-1], "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503")
    log = {f"{objects[2]['metadata']['name']}/app": "dependency: lookup inventory on 10.96.0.10:53: no such host\n"}

    found = verdict([*objects, said], "front is not ready", logs=log)

    assert found.best.category in {"DNS", "ServiceRouting"}
    assert "inventory" in found.best.diagnosis


def test_a_host_name_in_another_zone_is_wrong_though_the_service_is_there() -> None:
    objects = [*deployment("front"), *deployment("api"), service("api")]
    line = "lookup api.shop.svc.cluster.lcal on 10.96.0.10:53: no such host\n"

    found = verdict(objects, "front cannot reach api", logs={f"{objects[2]['metadata']['name']}/app": line})

    assert "'cluster.lcal' is not the cluster's zone" in found.best.diagnosis


def test_dns_servers_that_crash_are_told_with_the_reason() -> None:
    spec, labels = {"containers": [container("coredns")]}, {"k8s-app": "kube-dns"}
    objects = deployment(
        "coredns", spec, [lab.crashing(1, name="coredns")], namespace="kube-system", replicas=2, labels=labels
    )

    found = verdict(objects, "Names do not resolve")

    assert blamed(found) == ("DNS", "Deployment", "coredns")
    assert "keeps crashing" in found.best.diagnosis


def _reader(verbs: list[str], subject: str = "reader", resource: str = "secrets") -> list[lab.Object]:
    rules = [{"apiGroups": [""], "resources": [resource], "verbs": verbs}]
    return [
        *(made("ServiceAccount", name) for name in ("reader", "other")),
        made("Role", "read", "shop", _RBAC, rules=rules),
        made(
            "RoleBinding",
            "read",
            "shop",
            _RBAC,
            roleRef={"kind": "Role", "name": "read"},
            subjects=[{"kind": "ServiceAccount", "name": subject, "namespace": "shop"}],
        ),
    ]


def test_a_right_that_is_asked_about_is_checked_without_the_word_permission() -> None:
    found = verdict(_reader(["list"], resource="pods"), "account reader fails to patch resource pods")

    assert (blamed(found), "patch" in found.best.diagnosis) == (("RBAC", "Role", "read"), True)


def test_an_account_without_any_binding_explains_a_403() -> None:
    runs = {"containers": [container()], "serviceAccountName": "reader"}
    objects = [*_reader(["list"], subject="other"), *deployment("monitor", runs)]

    assert verdict(objects, "monitor gets 403 from the API server").best.category == "RBAC"


def test_an_account_is_no_suspect_because_its_namespace_is_called_like_it() -> None:
    objects = [*deployment("web"), made("ServiceAccount", "shop")]

    assert verdict(objects, "Customers say that shop is broken").best.category == "Healthy"


def test_a_policy_between_two_namespaces_that_are_named_is_found() -> None:
    closed = {"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}], "policyTypes": ["Ingress"]}
    objects = [
        made("Namespace", "watch", "", status={"phase": "Active"}),
        *deployment("prober", namespace="watch"),
        *deployment("web"),
        service("web"),
        made("NetworkPolicy", "own-only", "shop", _NET, spec=closed),
    ]

    assert blamed(verdict(objects, "watch cannot scrape metrics in shop")) == (
        "NetworkPolicy",
        "NetworkPolicy",
        "own-only",
    )


def test_a_budget_whose_status_was_not_saved_is_worked_out() -> None:
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    objects = [*deployment("web"), made("PodDisruptionBudget", "web", "shop", "policy/v1", spec=spec)]

    found = verdict(objects, "drain of worker-1 hangs")

    assert blamed(found) == ("PDB", "PodDisruptionBudget", "web")


def test_a_quota_without_room_for_the_missing_pods_is_told_though_no_event_says_so() -> None:
    spec = {"containers": [container(resources={"requests": {"cpu": "500m"}})]}
    limits = {"hard": {"requests.cpu": "1200m"}, "used": {"requests.cpu": "1"}}
    quota = made("ResourceQuota", "tight", spec={"hard": limits["hard"]}, status=limits)

    found = verdict([*deployment("worker", spec, replicas=4, pods=2), quota], "worker has too few pods")

    assert (blamed(found), "tight" in found.best.diagnosis) == (("Quota", "Deployment", "worker"), True)


def test_zero_replicas_are_right_where_an_autoscaler_wakes_the_workload() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "worker"}
    rest = {"type": "ScalingActive", "status": "False", "reason": "ScalingDisabled", "message": "scaling is disabled"}
    scaler = made(
        "HorizontalPodAutoscaler",
        "keda-hpa-worker",
        "shop",
        "autoscaling/v2",
        spec={"scaleTargetRef": target, "maxReplicas": 3},
        status={"conditions": [rest]},
    )

    assert verdict([*deployment("worker", replicas=0), scaler], "Is worker healthy?").best.category == "Healthy"


def test_what_a_node_evicted_long_ago_tells_nothing_of_it_now() -> None:
    gone = pod(
        "old", {"containers": [container()]}, [], phase="Failed", reason="Evicted", message="low on resource: memory"
    )
    gone["metadata"]["creationTimestamp"] = "2026-02-20T00:00:00Z"

    assert verdict([*deployment("web"), gone], "Is web healthy?").best.category == "Healthy"


def test_a_pod_that_waits_gives_no_reason_by_its_waiting_alone() -> None:
    objects = deployment("web", {"containers": [container()]}, [waiting("ContainerCreating")], phase="Pending")

    assert verdict(objects, "web hangs").best.category == "Inconclusive"


@pytest.mark.parametrize(("word", "name"), [("CrashLoopBackOff", "loops"), ("ImagePullBackOff", "pulls")])
def test_of_two_faults_the_one_whose_symptom_is_named_comes_first(word: str, name: str) -> None:
    spec = {"containers": [container()]}
    objects = [
        *deployment("loops", spec, [lab.crashing(1)]),
        *deployment("pulls", spec, [waiting("ImagePullBackOff", 'Back-off pulling image "x:0"')], phase="Pending"),
    ]

    assert blamed(verdict(objects, f"Some pods are in {word}. Why?"))[2] == name


@pytest.mark.parametrize(
    ("text", "category"), [("web is slow", "CPUThrottling"), ("Everything is slow, why?", "Healthy")]
)
def test_an_ordinary_cpu_limit_is_only_too_low_for_what_is_said_to_be_slow(text: str, category: str) -> None:
    spec = {"containers": [container(resources={"limits": {"cpu": "500m"}})]}

    assert verdict(deployment("web", spec), text).best.category == category


@pytest.mark.parametrize(
    ("text", "category"), [("web has no external IP", "ServiceRouting"), ("Why are carts not reachable?", "Healthy")]
)
def test_a_load_balancer_that_no_cluster_provides_is_told_when_one_asks_for_it(text: str, category: str) -> None:
    body = {"type": "LoadBalancer", "clusterIP": "10.96.1.1"}

    assert verdict([*deployment("web"), service("web", **body)], text).best.category == category
