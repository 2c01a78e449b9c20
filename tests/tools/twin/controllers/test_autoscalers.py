from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.controllers.clusters import cluster, create, messages, patch, run
from tests.tools.twin.rehearsal.clusters import DEPLOYMENTS, RESTART, call, deployment, rehearsed, scale
from tests.tools.twin.rehearsal.clusters import patch as change

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.world.store import Object

SCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
OLD_SCALERS = SCALERS.replace("v2", "v1")


def scaler(share: int | None = 50, amount: str | None = None, least: int = 1, most: int = 10, **spec: Any) -> Object:
    target = {"type": "AverageValue", "averageValue": amount} if amount else _share(share)
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    wanted = {"scaleTargetRef": reference, "minReplicas": least, "maxReplicas": most, "metrics": [metric], **spec}
    return {"metadata": {"name": "web"}, "spec": wanted}


def _share(share: int | None) -> Object:
    return {"type": "Utilization", "averageUtilization": share}


def web(replicas: int, uses: str | None) -> Object:
    """Each pod asks for 100m of cpu and uses so much."""
    body = deployment(replicas=replicas, cpu="100m")
    if uses:
        body["spec"]["template"]["metadata"]["annotations"] = {"sim.kubesteward.dev/cpu": uses}
    return body


def scaled(body: Object, scaler_: Object, seconds: float = 120) -> SimulatedCluster:
    where = cluster()
    create(where, DEPLOYMENTS, body)
    run(where, 30)
    create(where, SCALERS, scaler_)
    run(where, seconds)
    return where


def replicas(where: SimulatedCluster) -> int:
    return int(where.api.get("deployments.apps", "default", "web")["spec"]["replicas"])


def words(where: SimulatedCluster) -> dict[str, str]:
    found = where.api.get("horizontalpodautoscalers.autoscaling", "default", "web")["status"]
    return {item["type"]: f"{item['status']}/{item['reason']}" for item in found["conditions"]}


@pytest.mark.parametrize(
    ("uses", "most", "expected"),
    [("54m", 10, 2), ("46m", 10, 2), ("80m", 10, 4), ("80m", 3, 3)],
)
def test_there_are_so_many_replicas_that_each_uses_its_share(uses: str, most: int, expected: int) -> None:
    where = scaled(web(2, uses), scaler(most=most), seconds=20)

    assert expected == replicas(where)


def test_an_amount_can_be_aimed_at_instead_of_a_share() -> None:
    where = scaled(web(2, "80m"), scaler(amount="50m"), seconds=25)

    assert replicas(where) == 4
    assert messages(where, "SuccessfulRescale") == ["New size: 4; reason: cpu resource above target"]


def test_fewer_replicas_wait_until_no_recent_look_wanted_more() -> None:
    where = scaled(web(4, "10m"), scaler(), seconds=200)
    before = replicas(where), words(where)["AbleToScale"]
    run(where, 130)

    assert before == (4, "True/ScaleDownStabilized")
    assert replicas(where) == 1
    assert "New size: 1; reason: All metrics below target" in messages(where, "SuccessfulRescale")


def test_growth_at_once_is_limited_to_twice_as_many() -> None:
    where = scaled(web(3, "100m"), scaler(share=10, most=50), seconds=16)

    assert replicas(where) == 6
    assert words(where)["AbleToScale"] == "True/SucceededRescale"
    assert words(where)["ScalingLimited"] == "True/ScaleUpLimit"


def test_a_behavior_sets_the_pace() -> None:
    slowly = {"scaleUp": {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    where = scaled(web(2, "100m"), scaler(share=10, behavior=slowly), seconds=62)
    after_a_minute = replicas(where)
    run(where, 60)

    assert after_a_minute == 3
    assert replicas(where) == 4


def test_a_direction_can_be_disabled() -> None:
    never = {"scaleDown": {"selectPolicy": "Disabled", "stabilizationWindowSeconds": 0}}
    where = scaled(web(4, "10m"), scaler(behavior=never))

    assert replicas(where) == 4
    assert words(where)["ScalingLimited"] == "True/ScaleDownLimit"


def test_a_missing_request_makes_a_share_meaningless() -> None:
    body = web(2, "80m")
    del body["spec"]["template"]["spec"]["containers"][0]["resources"]
    where = scaled(body, scaler())

    assert replicas(where) == 2
    assert words(where)["ScalingActive"] == "False/FailedGetResourceMetric"
    assert "missing request for cpu in container app of Pod web-" in messages(where, "FailedGetResourceMetric")[0]


def test_zero_replicas_turn_it_off() -> None:
    where = scaled(web(2, "50m"), scaler())
    patch(where, f"{DEPLOYMENTS}/web", {"spec": {"replicas": 0}})
    run(where, 60)

    assert replicas(where) == 0
    assert words(where)["ScalingActive"] == "False/ScalingDisabled"


def test_a_target_that_is_not_there_is_reported() -> None:
    where = cluster()
    create(where, SCALERS, scaler())
    run(where, 20)

    assert words(where)["AbleToScale"] == "False/FailedGetScale"


def test_the_old_version_speaks_of_the_same_object() -> None:
    where = cluster()
    spec = {**scaler()["spec"], "targetCPUUtilizationPercentage": 70}
    del spec["metrics"]
    answer = create(where, OLD_SCALERS, {"metadata": {"name": "web"}, "spec": spec})
    stored = where.api.get("horizontalpodautoscalers.autoscaling", "default", "web")

    assert (answer["apiVersion"], answer["spec"]["targetCPUUtilizationPercentage"]) == ("autoscaling/v1", 70)
    assert stored["apiVersion"] == "autoscaling/v2"
    assert _share(70) == stored["spec"]["metrics"][0]["resource"]["target"]


def test_a_rehearsal_undoes_what_is_out_of_bounds_and_does_not_guess_at_usage() -> None:
    where = scaled(web(3, None), scaler(most=5))
    beyond, within = rehearsed(where, scale("web", 9)), rehearsed(where, scale("web", 4))
    restart = rehearsed(where, change(f"{DEPLOYMENTS}/web", RESTART))

    assert [item.best_after for item in beyond.availability if item.object == "deployment default/web"] == [5]
    assert within.verdict == "unknown"
    assert "by usage, which is not known beforehand" in within.assumptions[0]
    assert not any("by usage" in item for item in restart.assumptions)


def test_a_rehearsal_knows_what_annotations_declare() -> None:
    where = scaled(web(2, "50m"), scaler())
    found = rehearsed(where, call("create", SCALERS, {**scaler(), "metadata": {"name": "other"}}))

    assert not any("by usage" in item for item in found.assumptions)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"most": 0}, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
        ({"least": 5, "most": 4}, "must be greater than or equal to `minReplicas`"),
        ({"share": 0}, "averageUtilization: Invalid value: 0: must be greater than 0"),
        ({"metrics": [{"type": "Guess"}]}, 'spec.metrics[0].type: Unsupported value: "Guess"'),
        ({"metrics": [{"type": "Resource"}]}, "must populate information for the given metric source"),
    ],
)
def test_what_makes_no_sense_is_refused(spec: dict[str, Any], message: str) -> None:
    answer = create(cluster(), SCALERS, scaler(**spec), code=422)

    assert message in answer["message"]
