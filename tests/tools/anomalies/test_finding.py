"""`find_anomalies` as it is called: on demonstration clusters, on objects of any shape, with wrong arguments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.anomalies.world import WEB, World
from tests.tools.desk import NOW, TestDesk, shop
from tests.tools.diagnosis import lab

from kubesteward.embedded.scenarios import build
from kubesteward_tools.analyse.find_anomalies import find_anomalies
from kubesteward_tools.anomalies import detectors
from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.find import ordered
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound
from kubesteward_tools.tool import Answer
from kubesteward_tools.world.store import Key, Store

pytestmark = pytest.mark.anyio

CANARY = "kX9canaryQ7vLm2Zr8Tt4Wp"


async def ask(store: Store, logs: dict[str, str] | None = None, **arguments: Any) -> Answer:
    answer = await find_anomalies.function(TestDesk(store, logs), **arguments)
    assert isinstance(answer, Answer)
    return answer


def codes(answer: Answer) -> list[tuple[str, str]]:
    return [(item["code"], item["name"]) for item in answer.data["anomalies"]]


@pytest.mark.parametrize("scenario", ["healthy", "empty"])
async def test_a_healthy_cluster_has_none_and_is_told_what_could_not_be_judged(scenario: str) -> None:
    answer = await ask(build(scenario, 3, NOW).store)

    assert answer.data["anomalies"] == []
    assert answer.data["not_read"] == []
    assert "no anomaly in what could be judged" in answer.text
    assert "NOT JUDGED use of cpu and memory" in answer.text


async def test_a_young_cluster_has_none() -> None:
    assert codes(await ask(shop().store)) == []


@pytest.mark.parametrize(
    ("scenario", "expected"),
    [
        ("incident", [("restarts.often", "checkout"), ("stuck.rollout", "checkout")]),
        ("node-down", [("health.node_not_ready", "node-2")]),
        ("image-pull", [("health.not_starting", "catalog")]),
    ],
)
async def test_what_is_wrong_in_a_demonstration_is_found(scenario: str, expected: list[tuple[str, str]]) -> None:
    assert codes(await ask(build(scenario, 3, NOW).store)) == expected


async def test_what_was_changed_before_is_told_with_it() -> None:
    answer = await ask(build("incident", 3, NOW).store, scope="deployment/checkout", namespace="shop")

    assert answer.data["anomalies"][0]["changed"].startswith("rollout at ")
    assert "limits.memory 256Mi" in answer.untrusted


@pytest.mark.parametrize("scope", ["shop", "ns/shop", "deploy/checkout", "checkout"])
async def test_a_scope_is_a_namespace_or_an_object_by_kind_or_name(scope: str) -> None:
    assert ("restarts.often", "checkout") in codes(await ask(build("incident", 3, NOW).store, scope=scope))


async def test_what_is_elsewhere_is_not_told() -> None:
    store = build("incident", 3, NOW).store

    assert codes(await ask(store, namespace="kube-system")) == []
    assert codes(await ask(store, scope="deployment/cart")) == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"window": "soon"}, InvalidArguments),
        ({"window": "5s"}, InvalidArguments),
        ({"window": "30d"}, InvalidArguments),
        ({"scope": "deploy/wbe"}, ObjectNotFound),
        ({"scope": "nobody"}, ObjectNotFound),
        ({"namespace": "sohp"}, ObjectNotFound),
        ({"scope": "/"}, InvalidArguments),
    ],
)
async def test_what_is_asked_wrongly_is_answered_with_what_to_do(
    arguments: dict[str, Any], error: type[AskDifferently]
) -> None:
    with pytest.raises(error) as raised:
        await ask(shop().store, **arguments)

    assert raised.value.todo


async def test_nothing_secret_and_nothing_unseen_is_said() -> None:
    pods = [lab.waiting("CreateContainerConfigError", f"password={CANARY} \u202eabc\x1b[31m")]
    web = lab.deployment("web", None, pods, phase="Pending")
    answer = await ask(of_objects([*lab.base(), *web, lab.event(web[-1], "Failed", "Error")]).store)
    said = answer.text + answer.untrusted + json.dumps(answer.data, ensure_ascii=False)

    assert ("stuck.starting", "web") in codes(answer)
    assert CANARY not in said
    assert "\u202e" not in said
    assert "\x1b" not in said


async def test_the_logs_of_a_bundle_are_read() -> None:
    objects = [*lab.base(), *lab.deployment("web")]
    quiet = [f"2026-03-02T{8 + n // 60:02}:{n % 60:02}:00Z GET /items 200 {n}ms" for n in range(170)]
    loud = [f"2026-03-02T11:{30 + n}:30Z ERROR ledger {n} offline" for n in range(9)]
    logs = {"shop/web-6d4f9-ax/app": "\n".join([*quiet, *loud])}
    about = lab.event(objects[-1], "Unhealthy", "Readiness probe failed", count=1)
    answer = await ask(of_objects([*objects, about]).store, logs)

    assert codes(answer) == [("logs.new", "web")]
    assert answer.data["looked_at"]["logs"] == 1


SHAPES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "Pending", lab.NOW, lab.THEN]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["phase", "conditions", "containers", "containerStatuses", "status", "type", "name", "state", "waiting"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(SHAPES, SHAPES, st.sampled_from(["Pod", "Node", "Job", "Deployment", "PersistentVolumeClaim", "Event"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_objects_of_any_shape_are_looked_at(spec: Any, status: Any, kind: str) -> None:
    api = {"Job": "batch/v1", "Deployment": "apps/v1"}.get(kind, "v1")
    world = World(lab.base(), lab.made(kind, "odd", "" if kind == "Node" else "shop", api, spec=spec, status=status))

    assert all(item.sentence for item in world.look().anomalies)


def test_what_another_detector_tells_of_an_object_is_not_told_twice() -> None:
    def one(code: str, score: float, name: str = "web") -> Anomaly:
        return Anomaly(code, "warning", Key("deployments.apps", "shop", name), f"{code} {score}", score)

    api = one("stuck.claim", 70.0, "api")
    found = [one("siblings.restarts", 90.0), one("restarts.often", 60.0), api, one("logs.new", 55.0)]
    twice = [one("siblings.cpu", 60.0), one("siblings.cpu", 80.0)]

    assert [item.code for item in ordered(found)] == ["restarts.often", "logs.new", "stuck.claim"]
    assert [item.sentence for item in ordered(twice)] == ["siblings.cpu 80.0; and 1 more like it"]
    assert list(ordered(reversed(found))) == list(ordered(found))


def test_a_detector_that_fails_is_named_and_silences_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> Any:
        raise ValueError("odd")

    monkeypatch.setattr(detectors, "load", lambda: {"broken": fail, "restarts": real["restarts"]})
    report = World(lab.base(), lab.deployment("web", None, [lab.crashing(1)])).look()

    assert report.unread == ("broken: ValueError: odd",)
    assert [item.key for item in report.anomalies] == [WEB]


real = detectors.load()


def test_every_code_is_explained_in_the_documentation() -> None:
    folder = Path(detectors.__file__).parent
    said = (folder.parents[3] / "docs" / "anomalies.md").read_text("utf-8")
    written = {code for file in folder.glob("*.py") for code in re.findall(r'"([a-z]+\.[a-z_]+)"', file.read_text())}
    codes_ = {code for code in written if code.partition(".")[0] in {*real, "stuck"} - {"jobs"}}

    assert len(codes_) > 15
    assert [code for code in sorted(codes_) if f"`{code}`" not in said] == []
