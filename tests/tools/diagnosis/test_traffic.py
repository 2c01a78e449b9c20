"""Traffic that does not arrive: Services, Ingresses, policies, names, rights, autoscalers, upstreams."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, container, crashing, deployment, event, made, running, service, verdict

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


def _ingress(
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
    (_ingress(cls="traefik-x"), ("traefik-x", "does not exist", "ingress class")),
    (_ingress(cls=None), ("ingressClassName",)),
    (_ingress(backend="webb"), ("'webb'", "does not exist", "'web'")),
    (_ingress(port=8081), ("8081", "80")),
    (_ingress(port="metrics"), ("metrics", "http")),
    (_ingress(tls=[{"hosts": ["shop.example.com"], "secretName": "shop-cert"}]), ("shop-cert", "TLS Secret")),
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
    found = verdict([*deployment("web"), service("web"), _ingress(backend="webapp")], "shop.example.com gives 503")

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
    ([], ("Deployment", "watcher"), ("missing role binding",)),
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


def _scaler(target: str, conditions: list[lab.Object] | None = None, **spec: Any) -> lab.Object:
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
    (_scaler("web"), None, ("Deployment", "web"), ("request", "cpu")),
    (_scaler("webb"), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("webb", "does not exist")),
    (_scaler("web", [NO_API]), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("metrics-server",)),
    (
        _scaler(
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
    (_scaler("web", minReplicas=5), ASKS, ("HorizontalPodAutoscaler", "web-hpa"), ("minReplicas 5",)),
]


@pytest.mark.parametrize(("scaler", "spec", "who", "words"), SCALERS)
def test_an_autoscaler_that_cannot_work_is_told_with_what_it_lacks(
    scaler: lab.Object, spec: lab.Object | None, who: tuple[str, str], words: tuple[str, ...]
) -> None:
    found = verdict([*deployment("web", spec), scaler], "Why does web not scale up under load?")

    assert ("HPA", *who) == blamed(found)
    assert [word for word in words if word not in found.best.diagnosis] == []


ERRORS = [
    'psycopg2.OperationalError: FATAL: password authentication failed for user "billing"',
    "ERROR order 77 failed: KeyError: 'price'",
    "javax.net.ssl.SSLHandshakeException: PKIX path building failed: certificate has expired",
    'level=error msg="cannot parse price" item=9',
]


@pytest.mark.parametrize("log", ERRORS)
def test_an_application_that_fails_at_its_work_is_told_by_its_log(log: str) -> None:
    made_objects = deployment("orders")

    found = verdict(
        [*made_objects, service("orders")],
        "What is the issue with orders?",
        {f"{_name(made_objects)}/app": f"started\n{log}\nnext order"},
    )

    assert blamed(found) == ("AppError", "Deployment", "orders")
    assert log[:40] in found.best.diagnosis


def test_a_program_of_a_sibling_is_the_wrong_one() -> None:
    def run(name: str, program: str) -> list[lab.Object]:
        return deployment(
            name, {"containers": [container(name, command=[f"./{program}"], ports=[{"containerPort": 8080}])]}
        )

    objects = [*run("geo", "geo"), *run("rate", "rate"), *run("user", "user"), *run("search", "rate")]

    found = verdict(objects, "Users report errors in shop")

    assert blamed(found) == ("WrongCommand", "Deployment", "search")
    assert "./rate" in found.best.diagnosis


def test_flags_that_a_program_does_not_know_are_a_wrong_command() -> None:
    made_objects = deployment("proxy", {"containers": [container(args=["--lissten=:80"])]}, [crashing(2)])

    found = verdict(
        made_objects, "", {f"{_name(made_objects)}/app": "flag provided but not defined: -lissten\nUsage of proxy:"}
    )

    assert blamed(found) == ("WrongCommand", "Deployment", "proxy")


QUIET = [
    "GET /healthz 200\n10 requests, 0 errors\nlistening on :8080",
    "INFO loaded 12 rules\nerror_log set to stderr\nINFO ready",
    "[notice] 1#1: start worker processes",
]


@pytest.mark.parametrize("log", QUIET)
@pytest.mark.parametrize("prompt", ["", "Is anything wrong with deployment web?", "How is web doing?"])
def test_a_healthy_cluster_blames_nobody(log: str, prompt: str) -> None:
    spec = {
        "containers": [
            container(
                ports=[{"containerPort": 8080, "name": "http"}],
                resources={"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m"}},
            )
        ]
    }
    web = deployment("web", spec, replicas=2)
    status = {"disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1, "expectedPods": 2}
    budget = made(
        "PodDisruptionBudget",
        "web",
        "shop",
        "policy/v1",
        spec={"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}},
        status=status,
    )

    found = verdict(
        [*web, service("web", target="http"), CLASS, _ingress(), budget, _scaler("web")],
        prompt,
        {f"{_name(web)}/app": log},
    )

    assert blamed(found) == ("Healthy", "", "")
    assert "no problem" in found.best.diagnosis


def test_a_probe_that_failed_while_a_pod_started_is_forgiven() -> None:
    web = deployment("web")

    found = verdict([*web, event(web[-1], "Unhealthy", "Readiness probe failed: connection refused", count=2)])

    assert found.best.category == "Healthy"


def test_one_old_restart_is_forgiven() -> None:
    found = verdict(deployment("web", None, [running(restarts=1, last=lab.ended(1))]), "Is anything wrong with web?")

    assert found.best.category == "Healthy"


def test_pods_that_fail_for_no_known_reason_are_inconclusive() -> None:
    odd = lab.pod("odd", {"containers": [container()]}, [lab.waiting("ContainerCreating")], phase="Pending")

    assert verdict([odd]).best.category == "Inconclusive"
