"""A cause precedes its effect: what was rolled out, restarted or changed before the first failure, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    crashing,
    deployment,
    event,
    made,
    owner,
    running,
    service,
    verdict,
)

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import diagnose
from kubesteward_tools.diagnosis.past import Past, remembered
from kubesteward_tools.lookup.recalled import Moment
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.changes import Told
from kubesteward_tools.world.store import Key

REVISION = "deployment.kubernetes.io/revision"
AT = "2026-03-02T11:50:00Z"


def _spec(image: str, **more: Any) -> lab.Object:
    return {"containers": [container(image=image, **more)]}


def _rolled(statuses: list[lab.Object], *, at: str = AT, working: int = 2, image: str = "app:2") -> list[lab.Object]:
    """web, whose newest revision 7 has one pod, and its revision 6 `working` ready ones."""
    top, new, pod = deployment("web", _spec(image), statuses, replicas=working + 1, pods=1)
    template = {"metadata": {"labels": {"app": "web"}}, "spec": _spec("app:1")}
    old = made("ReplicaSet", "web-old", "shop", "apps/v1", owners=[owner(top)], annotations={REVISION: "6"})
    old |= {"spec": {**new["spec"], "template": template}, "status": {"replicas": working, "readyReplicas": working}}
    new["metadata"] |= {"annotations": {REVISION: "7"}, "creationTimestamp": at}
    pod["metadata"]["creationTimestamp"] = at
    pods = [lab.pod(f"web-old-{number}", _spec("app:1"), owners=[owner(old)]) for number in range(working)]
    top["status"] = {"replicas": working + 1, "readyReplicas": working, "updatedReplicas": 1}
    return [top, old, *pods, new, pod]


def _failed(at: str) -> lab.Object:
    end = {"exitCode": 1, "reason": "Error", "startedAt": at, "finishedAt": at}
    return {**crashing(1), "lastState": {"terminated": end}}


def test_a_roll_out_whose_predecessor_works_is_told_with_the_way_back() -> None:
    found = verdict(_rolled([_failed("2026-03-02T11:56:00Z")])).best

    assert (found.category, found.since) == ("CrashLoop", "2026-03-02T11:56:00Z")
    assert "roll-out of revision 7, 6m before the first failure" in found.diagnosis
    assert "app:1 -> app:2" in found.diagnosis
    assert found.proposal is not None
    assert (found.proposal.action, found.proposal.params) == ("rollback", {"revision": 6})


def test_a_roll_out_long_before_is_evidence_against_it() -> None:
    found = verdict(_rolled([_failed("2026-03-02T11:56:00Z")], at="2026-03-02T08:00:00Z", working=0)).best

    assert "the last roll-out (revision 7) was 3h before: it is not behind it" in found.against
    assert found.proposal is None


def test_a_roll_out_after_the_first_failure_is_not_its_cause() -> None:
    objects = _rolled([_failed("2026-03-02T11:56:00Z")], working=0)
    objects[-2]["metadata"]["creationTimestamp"] = "2026-03-02T11:58:00Z"

    found = verdict(objects).best

    assert "revision 7 came only after the first failure: it is not behind it" in found.against


def test_new_pods_that_never_become_ready_for_no_known_reason_are_a_bad_roll_out() -> None:
    found = verdict(_rolled([running(ready=False)]))

    assert blamed(found) == ("BadRollout", "Deployment", "web")
    assert found.best.proposal is not None


def test_the_same_template_again_is_no_roll_out() -> None:
    found = verdict(_rolled([running(ready=False)], at=lab.THEN, image="app:1"))

    assert found.best.category == "Inconclusive"


def test_a_restart_just_before_is_evidence() -> None:
    objects = deployment("web", None, [_failed("2026-03-02T11:56:00Z")])
    objects[0]["spec"]["template"]["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": AT}

    found = verdict(objects).best

    assert any("was restarted (rollout restart) 6m before" in line for line in found.evidence)


def test_the_beginning_is_the_first_failure_and_not_the_newest_event() -> None:
    objects = deployment("web", None, [_failed("2026-03-02T11:59:30Z")])
    back_off = event(objects[-1], "BackOff", "Back-off restarting failed container app in pod web")

    found = verdict([*objects, back_off]).best

    assert found.since == lab.THEN


def test_nothing_began_before_its_pod_was_there() -> None:
    objects = deployment("web", None, [_failed("2026-03-02T10:00:00Z")])

    assert verdict(objects).best.since == lab.THEN


def test_a_pod_that_stopped_being_ready_failed_then() -> None:
    objects = deployment("web", {"containers": [container(readinessProbe={"tcpSocket": {"port": 1}})]}, [running()])
    objects[-1]["status"]["containerStatuses"][0]["ready"] = False
    turned = {"type": "Ready", "status": "False", "lastTransitionTime": "2026-03-02T11:41:00Z"}
    objects[-1]["status"]["conditions"] = [turned]
    said = event(objects[-1], "Unhealthy", "Readiness probe failed: dial tcp 10.1.2.3:1: connect: connection refused")
    later = "2026-03-02T11:41:05Z"
    said |= {"firstTimestamp": later, "metadata": {**said["metadata"], "creationTimestamp": later}}

    found = verdict([*objects, said]).best

    assert (found.category, found.since) == ("ProbeFailure", "2026-03-02T11:41:00Z")


def _scene(objects: list[lab.Object]) -> Any:
    source = of_objects([[*lab.base(), *lab.NODES, *objects]])
    return scene_of(source.world("lab"), source, "", 1772452800.0)


SETTINGS = Key("configmaps", "shop", "settings")


def _configured() -> list[lab.Object]:
    spec = {"containers": [container(envFrom=[{"configMapRef": {"name": "settings"}}])]}
    settings = made("ConfigMap", "settings", data={"DB_HOST": "db"})
    return [settings, *deployment("web", spec, [_failed("2026-03-02T11:56:00Z")])]


def _changed(at: str) -> Past:
    told = Told("config", "new content: DB_HOST")
    return Past((Moment(parse_timestamp(at), SETTINGS, told, "kubectl-edit"),), parse_timestamp("2026-03-02T11:00:00Z"))


def test_a_change_of_its_configuration_just_before_is_told() -> None:
    scene = _scene(_configured())
    scene.past = _changed("2026-03-02T11:52:00Z")

    found = diagnose(scene).best

    assert "ConfigMap shop/settings was changed by kubectl-edit 4m before the first failure" in found.diagnosis
    assert "new content: DB_HOST" in found.diagnosis


@pytest.mark.parametrize("at", ["2026-03-02T11:58:00Z", "2026-03-02T09:00:00Z"])
def test_a_change_after_the_failure_or_long_before_is_not(at: str) -> None:
    scene = _scene(_configured())
    scene.past = _changed(at)

    found = diagnose(scene).best

    assert "kubectl-edit" not in found.diagnosis
    assert any("no change of it or of its configuration was seen" in line for line in found.against)


def test_a_weak_suspicion_about_what_was_just_changed_is_told_though_nobody_is_blamed() -> None:
    objects = [*deployment("web"), service("web", target=9999)]
    key, told = Key("services", "shop", "web"), Told("change", "spec.ports[0].targetPort 8080 -> 9999", grave=True)
    quiet, scene = diagnose(_scene(objects)).best, _scene(objects)
    scene.past = Past((Moment(scene.now - 60, key, told, "kubectl-patch"),), scene.now - 600)

    found = diagnose(scene).best

    assert (quiet.category, found.category) == ("Healthy", "Healthy")
    assert "To be watched: ServiceRouting" in found.diagnosis
    assert "nothing is wrong" not in found.diagnosis
    assert "To be watched" not in quiet.diagnosis


def test_a_world_remembers_what_people_wrote_and_never_a_value() -> None:
    source = of_objects([[*lab.base(), *lab.NODES, *_configured(), made("Secret", "keys", data={"token": "YWJj"})]])
    world = source.world("lab")
    for key, data in ((SETTINGS, {"DB_HOST": "hunter2"}), (Key("secrets", "shop", "keys"), {"token": "hmac:1"})):
        obj = world.store.get(key)
        assert obj is not None
        world.store.put(key, {**obj, "data": data})

    past = remembered(world, [], world.history._now())

    assert {(item.key.name, item.told.text) for item in past.moments} == {
        ("settings", "new content: DB_HOST"),
        ("keys", "new content: token"),
    }


def test_a_replica_set_that_is_used_again_is_older_than_its_roll_out() -> None:
    objects = _rolled([_failed("2026-03-02T11:56:00Z")], at="2026-03-02T08:00:00Z")
    objects[-2]["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] = "5"

    found = verdict(objects).best

    assert "It came with the roll-out of revision 7 (" in found.diagnosis
    assert "before the first failure" not in found.diagnosis
