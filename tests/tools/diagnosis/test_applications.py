"""Applications that fail at their work, run the wrong program, or are well."""

from __future__ import annotations

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, container, crashing, deployment, event, made, running, service, verdict
from tests.tools.diagnosis.test_names_and_rights import made_scaler
from tests.tools.diagnosis.test_traffic import CLASS, made_ingress

NET = "networking.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"


def _name(objects: list[lab.Object]) -> str:
    return str(objects[-1]["metadata"]["name"])


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
        [*web, service("web", target="http"), CLASS, made_ingress(), budget, made_scaler("web")],
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
