"""What a question changes: which of several faults is meant, quoted errors, words for objects, and mere questions."""

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
    running,
    service,
    verdict,
    waiting,
)


def _broken() -> list[lab.Object]:
    """Four faults that have nothing to do with each other."""
    image = deployment("catalog", None, [waiting("ImagePullBackOff", 'Back-off pulling image "x:y"')], phase="Pending")
    memory = deployment("checkout", None, [crashing(137, "OOMKilled")])
    return [
        *image,
        *memory,
        *deployment("cart", replicas=0),
        service("cart"),
        *deployment("web"),
        service("web", {"app": "wep"}),
    ]


@pytest.mark.parametrize(
    ("prompt", "who"),
    [
        ("Why does catalog not start?", ("ImagePull", "Deployment", "catalog")),
        ("What is the issue with checkout?", ("OOMKilled", "Deployment", "checkout")),
        ("The checkout pods keep restarting", ("OOMKilled", "Deployment", "checkout")),
        ("Why is service web not accessible?", ("ServiceRouting", "Service", "web")),
        ("There are no pods for deployment cart. Why?", ("ScaledToZero", "Deployment", "cart")),
        ("Please fix the 'web' service in namespace shop", ("ServiceRouting", "Service", "web")),
        ("deployment/catalog is failing", ("ImagePull", "Deployment", "catalog")),
    ],
)
def test_the_question_says_which_fault_is_meant(prompt: str, who: tuple[str, str, str]) -> None:
    assert who == blamed(verdict(_broken(), prompt))


def test_without_a_question_every_sure_fault_is_told() -> None:
    found = {one.culprit.name for one in verdict(_broken()).findings if one.culprit}

    assert {"catalog", "checkout", "web"} == found


QUOTED = [
    (
        'Creating a pod fails: pods "extra" is forbidden: exceeded quota: cap, requested: '
        "requests.memory=700Mi, used: requests.memory=600Mi, limited: requests.memory=1Gi",
        made("ResourceQuota", "cap", spec={"hard": {"requests.memory": "1Gi"}}),
        ("Quota", "ResourceQuota", "cap"),
        "700Mi",
    ),
    (
        'Error from server (Forbidden): pods "big" is forbidden: maximum memory usage per Container is 1Gi, '
        "but limit is 1536Mi",
        made("LimitRange", "sizes", spec={"limits": [{"type": "Container", "max": {"memory": "1Gi"}}]}),
        ("Quota", "LimitRange", "sizes"),
        "1536Mi",
    ),
    (
        'Error from server (Forbidden): pods "root" is forbidden: violates PodSecurity "restricted:latest": '
        "runAsNonRoot != true",
        made(
            "Namespace",
            "shop",
            "",
            labels={"pod-security.kubernetes.io/enforce": "restricted"},
            status={"phase": "Active"},
        ),
        ("PodSecurity", "Namespace", "shop"),
        "runAsNonRoot",
    ),
]


@pytest.mark.parametrize(("prompt", "rule", "who", "word"), QUOTED)
def test_a_quoted_refusal_leads_to_the_rule(
    prompt: str, rule: lab.Object, who: tuple[str, str, str], word: str
) -> None:
    found = verdict([*deployment("web"), rule], prompt)

    assert who == blamed(found)
    assert word in found.best.diagnosis


def test_a_port_in_a_variable_that_the_service_lacks_is_found_when_the_caller_fails() -> None:
    env = [{"name": "RATES_ADDR", "value": "rates:8082"}]
    web = deployment("web", {"containers": [container(env=env)]})

    found = verdict([*web, *deployment("rates"), service("rates", port=8081)], "Why does web fail to get rates?")

    assert blamed(found) == ("ServiceRouting", "Deployment", "web")
    assert "8082" in found.best.diagnosis
    assert "8081" in found.best.diagnosis


def test_a_variable_that_is_set_twice_is_told_to_who_complains() -> None:
    env = [{"name": "RATES_HOST", "value": "rates"}, {"name": "RATES_HOST", "value": "localhost"}]

    found = verdict(
        deployment("web", {"containers": [container(env=env)]}), "Users report errors in shop, find the root cause"
    )

    assert "set twice" in found.best.diagnosis


def test_a_service_that_is_missing_among_its_siblings_is_named() -> None:
    names = ("geo", "rate", "user", "profile")
    objects = [item for name in names for item in deployment(name)]

    found = verdict(
        [*objects, *map(service, names[1:])], "Users report errors in the shop application. Find the root cause."
    )

    assert blamed(found) == ("ServiceRouting", "Service", "geo")


def test_an_init_container_that_builds_its_name_is_still_read() -> None:
    wait = (
        "until nslookup mydb.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; "
        "do echo waiting for mydb; sleep 2; done"
    )
    spec = {
        "initContainers": [container("init-mydb", "busybox:1.28", command=["sh", "-c", wait])],
        "containers": [container()],
    }
    pod = lab.pod(
        "myapp", spec, [waiting("PodInitializing")], phase="Pending", inits=[running("init-mydb", ready=False)]
    )

    found = verdict(
        [pod], "Pod myapp stays in Init:0/1. Why?", {"myapp/init-mydb": "waiting for mydb\nwaiting for mydb"}
    )

    assert blamed(found) == ("InitStuck", "Pod", "myapp")
    assert "'mydb'" in found.best.diagnosis
    assert "does not exist" in found.best.diagnosis


def test_a_secret_that_is_taken_for_a_config_map_is_told() -> None:
    objects = deployment(
        "billing", None, [waiting("CreateContainerConfigError", 'configmap "billing-conf" not found')], phase="Pending"
    )

    found = verdict([*objects, made("Secret", "billing-conf", data={})])

    assert "wrong kind" in found.best.diagnosis


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_other_workloads_are_blamed_likewise(kind: str) -> None:
    found = verdict(deployment("agent", None, [crashing(1)], kind=kind), "What is wrong with agent?")

    assert ("CrashLoop", kind, "agent") == blamed(found)


def test_a_mere_question_is_not_answered_with_another_objects_fault() -> None:
    found = verdict(_broken() + deployment("mail"), "Is deployment mail running well?")

    assert blamed(found) == ("Healthy", "", "")
    assert "Deployment shop/mail is healthy" in found.best.diagnosis


def test_an_alert_about_throttling_leads_to_the_cpu_limit() -> None:
    spec = {"containers": [container(resources={"limits": {"cpu": "50m"}, "requests": {"cpu": "50m"}})]}

    found = verdict(
        deployment("encoder", spec),
        "Alert CPUThrottlingHigh: 62% throttling of CPU in namespace shop for container app in pod encoder-6d4f9-ax",
    )

    assert blamed(found) == ("CPUThrottling", "Deployment", "encoder")
    assert "50m" in found.best.diagnosis


def test_a_limit_that_is_reached_is_an_error_of_the_application() -> None:
    api = deployment("api")
    log = "WARN slow\nERROR upstream said 429 Too Many Requests: rate limit of 100/min exceeded\nGET / 200"

    found = verdict(api, "Why does api return errors?", {f"{api[-1]['metadata']['name']}/app": log})

    assert blamed(found) == ("AppError", "Deployment", "api")
    assert "rate limit of 100/min" in found.best.diagnosis


def test_since_when_and_the_roll_out_are_told() -> None:
    new = deployment("checkout", None, [crashing(1)])
    top = new[0]
    old = made(
        "ReplicaSet",
        "checkout-old",
        api="apps/v1",
        owners=[lab.owner(top)],
        annotations={"deployment.kubernetes.io/revision": "1"},
        spec={"template": {"spec": {"containers": [container(image="r.example.com/app:1.3")]}}},
        status={"readyReplicas": 2},
    )
    new[1]["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}

    found = verdict([*new, old])

    assert "revision 2" in found.best.diagnosis
    assert "app:1.3" in found.best.diagnosis


def test_secrets_never_reach_a_diagnosis() -> None:
    api = deployment("api", None, [crashing(1)])
    log = (
        "FATAL cannot log in with password=hunter2-Xq81 to postgres://app:vR8k2qLm4ZtW@db:5432/app: "
        "authentication failed"
    )

    found = verdict(api, "", {f"{api[-1]['metadata']['name']}/app": log})

    assert "vR8k2qLm4ZtW" not in str(found.best.as_json())
    assert "hunter2" not in str(found.best.as_json())


def test_a_diagnosis_is_never_longer_than_its_limit() -> None:
    api = deployment("api", None, [crashing(1)])
    told = event(api[-1], "Unhealthy", "Liveness probe failed: " + "long story " * 300)

    found = verdict([*api, told], "", {f"{api[-1]['metadata']['name']}/app": "ERROR " + "words " * 2000})

    assert all(len(one.diagnosis) <= 1200 for one in found.findings)


def test_a_pod_that_is_gone_still_names_its_workload() -> None:
    found = verdict(_broken(), "Alert KubePodCrashLooping: pod checkout-5c8d7f9b64-x2k9p in namespace shop")

    assert blamed(found) == ("OOMKilled", "Deployment", "checkout")


def test_a_connection_that_came_back_is_no_error() -> None:
    api = deployment("api")
    log = "ERROR dial tcp cart:80: connect: connection refused\nretrying in 1s\nconnected to cart:80\nserving"

    found = verdict(
        [*api, *deployment("cart"), service("cart")],
        "What is wrong with api?",
        {f"{api[-1]['metadata']['name']}/app": log},
    )

    assert found.best.category == "Healthy"
