"""Healthy and Inconclusive are answers: what was looked at, what was ruled out, and where to look next."""

from __future__ import annotations

import pytest
from tests.tools.desk import TestDesk
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import blamed, container, deployment, running, service, verdict

from kubesteward_tools.analyse.diagnose import diagnose
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import diagnose as look
from kubesteward_tools.tool import Answer


def _name(objects: list[lab.Object]) -> str:
    return str(objects[-1]["metadata"]["name"])


def test_inconclusive_says_what_was_ruled_out_and_what_to_look_at_next() -> None:
    web = deployment("web", None, [running(ready=False)])

    found = verdict(web, "", {f"{_name(web)}/app": "started\nserving\n"}).best

    assert found.category == "Inconclusive"
    assert "scheduling (it is on worker-1)" in found.ruled_out
    assert "errors that it logs (none in what was read)" in found.ruled_out
    assert any("kubectl describe pod -n shop" in line for line in found.look_next)
    assert {"ruled_out", "look_next", "evidence", "against"} <= found.as_json().keys()


def test_what_was_not_seen_is_not_ruled_out() -> None:
    found = verdict(deployment("web", None, [running(ready=False, restarts=1)])).best

    assert not any("no restart" in line or "that it logs" in line for line in found.ruled_out)
    assert any(line.startswith("the log of pod shop/web") for line in found.look_next)


def test_healthy_says_how_much_was_looked_at_and_what_was_not() -> None:
    found = verdict(deployment("web"))

    assert blamed(found)[0] == "Healthy"
    assert found.best.evidence == found.looked
    assert any("metrics not read" in line for line in found.best.against)


def test_every_finding_has_evidence_and_says_what_is_against_it() -> None:
    objects = deployment("web", {"containers": [container(env=[{"name": "A", "value": "b"}])]}, replicas=0, pods=0)

    found = verdict([*objects, service("web")], "web does not work, why?").best

    assert found.evidence
    assert "against" in found.as_json()
    assert "Against it: " in found.diagnosis


@pytest.mark.anyio
async def test_the_tool_says_how_much_was_looked_at() -> None:
    source = of_objects([[*lab.base(), *lab.NODES, *deployment("web")]])

    answer = await diagnose.function(TestDesk(source.store))

    assert isinstance(answer, Answer)
    assert "Looked at: 3 pods on 2 nodes" in answer.text
    assert answer.data["looked_at"][0] == "3 pods on 2 nodes"


CALLS = "ERROR GET http://cart:80/items failed with status 503\n" * 3
REFUSED = "ERROR connect to db:5432 failed: connection refused\n" * 3


def test_a_cause_two_calls_away_is_the_root_of_all() -> None:
    front, cart, base = deployment("front"), deployment("cart"), deployment("db", replicas=0, pods=0)
    logs = {f"{_name(front)}/app": CALLS, f"{_name(cart)}/app": REFUSED}

    found = verdict([*front, service("front"), *cart, service("cart"), *base, service("db", port=5432)], "", logs)

    assert blamed(found) == ("ScaledToZero", "Deployment", "db")
    assert len(found.findings) == 1


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"dnsConfig": {"options": [{"name": "ndots", "value": "1"}]}}, "cart.shop"),
        ({"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"], "searches": ["example.com"]}}, "cart"),
    ],
)
def test_a_name_that_the_pods_own_settings_do_not_complete_is_their_fault(settings: lab.Object, name: str) -> None:
    api = deployment("api", {"containers": [container()], **settings})

    found = verdict(
        [*api, *deployment("cart"), service("cart")], "", {f"{_name(api)}/app": f"getaddrinfo ENOTFOUND {name}"}
    )

    assert blamed(found) == ("DNS", "Deployment", "api")
    assert "cart.shop.svc.cluster.local" in found.best.fix


def test_errors_that_healthy_siblings_do_not_have_are_told_as_new() -> None:
    web = deployment("web", replicas=2)
    bad = web[-1]
    end = {"exitCode": 1, "reason": "Error", "startedAt": lab.THEN, "finishedAt": lab.NOW}
    bad["status"]["containerStatuses"] = [{**lab.crashing(1), "lastState": {"terminated": end}}]
    bad["status"]["conditions"][0]["status"] = "False"
    logs = {f"{_name(web)}/app": "ERROR cannot parse price of item 7\n" * 4, f"{web[-2]['metadata']['name']}/app": "ok"}

    found = verdict(web, "", logs).best

    assert any("4 of 4 errors in its log are alike" in line for line in found.evidence)
    assert "1 of 2 pods of Deployment shop/web are ready" in found.against


def test_the_address_of_a_pod_leads_to_what_is_wrong_with_it() -> None:
    api, cart = deployment("api"), deployment("cart", None, [lab.crashing(1)], podIP="10.9.9.9")
    logs = {f"{_name(api)}/app": "ERROR dial tcp 10.9.9.9:8080: connect: connection refused\n" * 2}

    found = verdict([*api, service("api"), *cart, service("cart")], "", logs)

    assert [blamed(found)] == [("CrashLoop", "Deployment", "cart")]
    assert len(found.findings) == 1


def test_healthy_does_not_speak_of_logs_that_nobody_read() -> None:
    unread, read = verdict(deployment("web")), verdict(deployment("api"), "", {"api-0/app": "serving\n"})

    assert "no log was read" in unread.best.diagnosis
    assert "no errors in the logs that were read" not in unread.best.diagnosis
    assert read.best.category == "Healthy"


def test_a_workload_that_was_put_to_sleep_is_told_to_whoever_asks_about_it() -> None:
    objects = [*deployment("web", replicas=0, pods=0), service("web")]

    asked = verdict(objects, "How is deployment web?").best

    assert "scaled to zero" in asked.diagnosis
    assert "nothing is wrong" not in asked.diagnosis


def test_where_there_are_no_pods_none_of_them_is_called_well() -> None:
    source = of_objects([lab.NODES])

    found = look(scene_of(source.world("lab"), source, "", 1772452800.0)).best

    assert "There are no pods at all" in found.diagnosis
