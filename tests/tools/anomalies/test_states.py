"""States that come and go, and states that do not end."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.anomalies.world import NOW, WEB, World, aged, ago, with_metadata
from tests.tools.diagnosis import lab

from kubesteward_tools.anomalies.find import Report
from kubesteward_tools.world.store import Key, Object


def the(report: Report) -> Any:
    (found,) = report.anomalies
    return found


def healthy(*more: Any) -> World:
    return World(lab.base(), lab.node("worker-1"), lab.deployment("web", replicas=3), *more)


def ready(pod: Object, value: bool) -> Object:
    conditions = [{"type": "Ready", "status": str(value), "lastTransitionTime": lab.THEN}]
    statuses = [{**item, "ready": value} for item in pod["status"]["containerStatuses"]]
    return {**pod, "status": {**pod["status"], "conditions": conditions, "containerStatuses": statuses}}


def flap(world: World, key: Key, times: int) -> None:
    obj = world.get(key)
    for number in range(times):
        for value in (False, True):
            world.put(key, ready(obj, value), 1800 - 60 * number - 30 * value)


def normal(about: Object, reason: str, message: str, count: int = 1) -> Object:
    return {**lab.event(about, reason, message, count=count), "type": "Normal"}


def test_a_healthy_cluster_has_no_anomalies() -> None:
    report = healthy().look()

    assert (report.anomalies, report.unread) == ((), ())
    assert report.looked_at["pods"] == 5


@pytest.mark.parametrize(("times", "expected"), [(2, []), (3, [("flapping.ready", "web")])])
def test_a_pod_whose_readiness_flaps_is_told_from_three_times_an_hour_on(times: int, expected: list[Any]) -> None:
    world = healthy()
    flap(world, next(key for key in world.keys("pods") if key.namespace == "shop"), times)

    assert world.codes() == expected


def test_a_pod_that_is_deleted_does_not_flap() -> None:
    world = healthy()
    key = next(key for key in world.keys("pods") if key.namespace == "shop")
    pod = world.get(key)
    for number in range(6):
        world.put(key, with_metadata(ready(pod, number % 2 == 0), deletionTimestamp=ago(0)), 600 - number)

    assert world.codes() == []


def test_a_node_that_comes_and_goes_is_told_by_its_events_alone() -> None:
    node = lab.node("worker-2")
    world = healthy(node, normal(node, "NodeNotReady", "Node worker-2 status is now: NodeNotReady", count=3))
    found = the(world.look(history=None))

    assert (found.code, found.key.name, found.severity) == ("flapping.ready", "worker-2", "critical")


def test_an_autoscaler_that_turns_again_and_again_is_told_from_history_and_from_events() -> None:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "maxReplicas": 9}
    scaler = lab.made("HorizontalPodAutoscaler", "web", api="autoscaling/v2", spec=spec, status={"desiredReplicas": 3})
    key = Key("horizontalpodautoscalers.autoscaling", "shop", "web")
    world = healthy(scaler)
    for number, wanted in enumerate((6, 3, 6, 3, 6)):
        world.put(key, {**scaler, "status": {"desiredReplicas": wanted}}, 1000 - number * 120)
    up = normal(scaler, "SuccessfulRescale", "New size: 6; reason: cpu resource utilization above target", 4)
    down = normal(scaler, "SuccessfulRescale", "New size: 3; reason: All metrics below target", 4)
    told = healthy(lab.made("HorizontalPodAutoscaler", "api", api="autoscaling/v2", spec=spec), scaler, up, down)

    assert world.codes() == [("scaling.flapping", "web")]
    assert told.codes(history=None) == [("scaling.flapping", "web")]
    assert the(world.look()).numbers == {"turns": 4, "threshold": 3}


def test_an_autoscaler_that_grows_and_shrinks_once_is_well() -> None:
    scaler = lab.made("HorizontalPodAutoscaler", "web", api="autoscaling/v2", spec={}, status={"desiredReplicas": 3})
    world = healthy(scaler)
    for number, wanted in enumerate((4, 6, 9, 7, 3)):
        body = {**scaler, "status": {"desiredReplicas": wanted}}
        world.put(Key("horizontalpodautoscalers.autoscaling", "shop", "web"), body, 1000 - number * 120)

    assert world.codes() == []


def test_a_lead_that_is_taken_again_and_again_is_told() -> None:
    lease = lab.made("Lease", "scheduler", "kube-system", "coordination.k8s.io/v1")
    events = [normal(lease, "LeaderElection", f"scheduler-{one} became leader", 2) for one in "ab"]

    assert World(lab.base(), events).codes() == [("leaders.lost", "scheduler")]
    assert World(lab.base(), events[:1]).codes() == []


def test_containers_that_restart_too_often_are_told_once_for_their_workload() -> None:
    crash = lab.deployment("web", None, [lab.crashing(137, "OOMKilled")], replicas=2)
    found = the(World(lab.base(), crash).look())

    assert (found.code, found.key, found.severity, len(found.parts)) == ("restarts.often", WEB, "critical", 2)
    assert "app: OOMKilled, exit 137" in found.sentence


def test_restarts_of_long_ago_are_forgotten() -> None:
    last = lab.ended(1)
    last["terminated"]["finishedAt"] = ago(5 * 3600)
    web = [aged(item, 9 * 3600) for item in lab.deployment("web", None, [lab.running(restarts=9, last=last)])]

    assert World(lab.base(), web).codes() == []


def test_one_pod_that_restarts_among_steady_siblings_is_told_with_them() -> None:
    web = [aged(item, 86400) for item in lab.deployment("web", replicas=5)]
    web[2]["status"]["containerStatuses"] = [lab.running(restarts=8, last=lab.ended(1))]

    assert World(lab.base(), web).codes() == [("siblings.restarts", "web")]


def test_a_tag_that_was_moved_and_a_container_in_one_pod_alone_are_told() -> None:
    web = lab.deployment("web", replicas=5)
    for number, pod in enumerate(web[2:]):
        digest = "b" * 64 if number == 4 else "a" * 64
        pod["status"]["containerStatuses"] = [{**lab.running(), "imageID": f"registry.example.com/app@sha256:{digest}"}]
    injected = lab.deployment("api", replicas=5)
    injected[-1]["spec"] = {"containers": [*injected[-1]["spec"]["containers"], lab.container("proxy", "proxy:1")]}

    assert World(lab.base(), web, injected).codes() == [("siblings.spec", "api"), ("siblings.image", "web")]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"finalizers": ["example.com/drain"]}, "finalizer example.com/drain is still on it"),
        ({}, "the kubelet of worker-1 does not end it"),
    ],
)
def test_a_pod_beyond_its_grace_is_told_with_what_holds_it(metadata: dict[str, Any], reason: str) -> None:
    web = lab.deployment("web")
    late = with_metadata(web[-1], deletionTimestamp=ago(600), **metadata)
    found = the(World(lab.base(), lab.node("worker-1"), web[:-1], late).look())
    timely = with_metadata(web[-1], deletionTimestamp=ago(30), **metadata)

    assert found.code == "stuck.terminating"
    assert "has been Terminating for 10m beyond its grace" in found.sentence
    assert reason in found.sentence
    assert World(lab.base(), lab.node("worker-1"), web[:-1], timely).codes() == []


def test_a_pod_whose_node_does_not_answer_says_so() -> None:
    web = lab.deployment("web")
    late = with_metadata(web[-1], deletionTimestamp=ago(600))
    codes = World(lab.base(), lab.node("worker-1", ready="Unknown"), web[:-1], late).found()

    assert [item.code for item in codes] == ["health.node_not_ready", "stuck.terminating"]
    assert "its node worker-1 is NotReady" in codes[1].sentence


def test_a_namespace_that_does_not_go_says_what_is_left_in_it() -> None:
    said = "Some content in the namespace has finalizers remaining: example.com/x in 2 resource instances"
    conditions = [{"type": "NamespaceFinalizersRemaining", "status": "True", "message": said}]
    status = {"phase": "Terminating", "conditions": conditions}
    gone = with_metadata(lab.made("Namespace", "old", "", status=status), deletionTimestamp=ago(1200))
    found = the(healthy(gone).look())

    assert (found.code, found.key.name) == ("stuck.deleting", "old")
    assert said in found.sentence


def test_whatever_a_finalizer_holds_is_told_by_its_kind() -> None:
    claim = lab.made("PersistentVolumeClaim", "data", status={"phase": "Bound"})
    held = with_metadata(claim, deletionTimestamp=ago(900), finalizers=["kubernetes.io/pvc-protection"])
    found = the(healthy(held).look())

    assert "pods still use it (finalizer kubernetes.io/pvc-protection)" in found.sentence
    assert found.numbers["finalizers"] == "kubernetes.io/pvc-protection"


@pytest.mark.parametrize(("age", "expected"), [(120, []), (900, [("stuck.unscheduled", "web")])])
def test_a_pod_that_no_node_takes_is_told_after_five_minutes(age: float, expected: list[Any]) -> None:
    web = lab.deployment("web", unschedulable="0/3 nodes are available: 3 Insufficient cpu.")

    assert World(lab.base(), [aged(item, age) for item in web]).codes() == expected


def test_a_pod_that_is_being_made_for_long_says_what_its_events_say() -> None:
    web = lab.deployment("web", None, [lab.waiting("ContainerCreating")], phase="Pending")
    told = lab.event(web[-1], "FailedMount", "MountVolume.SetUp failed: not found")
    found = the(World(lab.base(), web, told).look())

    assert (found.code, found.sentence.partition(": ")[2]) == (
        "stuck.starting", "FailedMount: MountVolume.SetUp failed: not found",
    )  # fmt: skip


@pytest.mark.parametrize(("since", "expected"), [(1500, [("stuck.unready", "web")]), (300, [])])
def test_a_pod_that_runs_and_is_not_ready_for_long_says_what_its_probe_says(since: float, expected: list[Any]) -> None:
    web = lab.deployment("web", None, [lab.running(ready=False)])
    web[-1]["status"]["conditions"][0]["lastTransitionTime"] = ago(since)
    told = lab.event(web[-1], "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", count=2)
    world = World(lab.base(), web, told)

    assert world.codes() == expected
    assert all("statuscode: 503" in item.sentence for item in world.found())


def test_a_claim_waits_for_its_first_pod_in_peace_but_not_for_a_provisioner() -> None:
    def claim(storage: str) -> Object:
        spec = {"storageClassName": storage}
        return lab.made("PersistentVolumeClaim", f"of-{storage}", spec=spec, status={"phase": "Pending"})

    fast = lab.made("StorageClass", "fast", "", "storage.k8s.io/v1", volumeBindingMode="Immediate")

    assert healthy(claim("standard"), fast, claim("fast"), claim("slow")).codes() == [
        ("stuck.claim", "of-fast"), ("stuck.claim", "of-slow"),
    ]  # fmt: skip


def test_a_request_for_a_certificate_that_nobody_answers_is_told() -> None:
    def request(name: str, **status: Any) -> Object:
        spec = {"signerName": "kubernetes.io/kubelet-serving"}
        return lab.made("CertificateSigningRequest", name, "", "certificates.k8s.io/v1", spec=spec, status=status)

    approved = {"conditions": [{"type": "Approved", "status": "True"}]}
    done = request("done", **approved, certificate="x")
    found = healthy(request("new"), request("yes", **approved), done).found()

    assert {item.key.name: item.sentence.partition(": ")[2] for item in found} == {
        "new": "nobody has approved it (kubernetes.io/kubelet-serving)",
        "yes": "its signer kubernetes.io/kubelet-serving has not answered",
    }


def test_a_custom_resource_that_is_not_ready_for_long_says_why() -> None:
    why = {"type": "Ready", "status": "False", "message": "order failed", "lastTransitionTime": ago(3000)}
    odd = lab.made("Certificate", "web", api="certs.example.com/v1", status={"conditions": [why]})
    found = the(healthy(odd).look())

    assert (found.code, found.since) == ("stuck.not_ready", NOW - 3000)
    assert "this Certificate is not Ready for 50m: order failed" in found.sentence


def test_a_rollout_beyond_its_deadline_is_told_unless_its_pods_tell_why() -> None:
    web = lab.deployment("web", None, [lab.running(ready=False)], replicas=2)
    failing = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
               "lastTransitionTime": ago(1500)}  # fmt: skip
    web[0]["status"]["conditions"] = [failing]
    for pod in web[2:]:
        pod["status"]["conditions"][0]["lastTransitionTime"] = ago(300)
    pending = lab.deployment("web", unschedulable="0/3 nodes are available.", replicas=2)
    pending[0]["status"]["conditions"] = [failing]

    assert World(lab.base(), web).codes() == [("stuck.rollout", "web")]
    assert World(lab.base(), pending).codes() == [("stuck.unscheduled", "web")]


@pytest.mark.parametrize(("since", "expected"), [(900, [("stuck.refused", "web")]), (60, [])])
def test_pods_that_a_quota_refuses_for_long_are_told_with_its_words(since: float, expected: list[Any]) -> None:
    web = lab.deployment("web", replicas=3, pods=2)
    said = 'pods "web-6d4f9-x" is forbidden: exceeded quota: most'
    web[0]["status"]["conditions"] = [
        {"type": "ReplicaFailure", "status": "True", "message": said, "lastTransitionTime": ago(since)}
    ]
    world = World(lab.base(), web)

    assert world.codes() == expected
    assert all("exceeded quota: most" in item.sentence for item in world.found())


def test_a_set_whose_rollout_does_not_get_on_is_told_by_its_newest_revision() -> None:
    def revision(number: int, age: float, above: Object) -> Object:
        made = lab.made("ControllerRevision", f"db-{number}", api="apps/v1", owners=[lab.owner(above)])
        return aged(made, age)

    db = lab.deployment("db", None, [lab.running(ready=False)], replicas=3, kind="StatefulSet")
    db[0]["status"]["updatedReplicas"] = 1
    for pod in db[1:]:
        pod["status"]["conditions"][0]["lastTransitionTime"] = ago(300)
    revisions = [revision(1, 86400, db[0]), revision(2, 1800, db[0])]

    assert World(lab.base(), db, revisions).codes() == [("stuck.rollout", "db")]
    assert World(lab.base(), db, revisions[:1]).codes() == []


def test_a_job_without_a_pod_is_told_and_one_that_works_is_not() -> None:
    def job(name: str, **status: Any) -> Object:
        return lab.made("Job", name, api="batch/v1", spec={}, status={"startTime": ago(900), **status})

    assert healthy(job("idle"), job("busy", active=1)).codes() == [("stuck.job", "idle")]


def test_a_job_far_longer_at_work_than_those_before_it_is_told() -> None:
    cron = lab.made("CronJob", "report", api="batch/v1", spec={"concurrencyPolicy": "Forbid"})

    def job(number: int, began: float, took: float | None) -> Object:
        ended = {"completionTime": ago(began - took)} if took else {"active": 1}
        complete = [{"type": "Complete", "status": "True"}] if took else []
        status = {"startTime": ago(began), "conditions": complete, **ended}
        return lab.made("Job", f"report-{number}", api="batch/v1", owners=[lab.owner(cron)], spec={}, status=status)

    before = [job(number, 90_000 - 20_000 * number, 240.0) for number in range(3)]

    assert healthy(cron, before, job(9, 4000, None)).codes() == [("stuck.job_slow", "report")]
    assert healthy(cron, before, job(9, 500, None)).codes() == []
    assert healthy(cron, before[:2], job(9, 4000, None)).codes() == []


@pytest.mark.parametrize(
    ("pods", "each", "expected"),
    [(40, 1, ["restarts.often"]), (200, 1, []), (200, 3, ["restarts.often"])],
)
def test_single_restarts_of_very_many_pods_are_no_habit(pods: int, each: int, expected: list[str]) -> None:
    world = healthy()
    one = next(world.get(key) for key in world.keys("pods") if key.namespace == "shop")
    end = {"exitCode": 1, "reason": "Error", "startedAt": ago(1300), "finishedAt": ago(1200)}
    for number in range(pods):
        name, times = f"web-6d4f9-{number:03}", each if number < 3 else 0
        status = [
            {**item, "restartCount": times, "lastState": {"terminated": end} if times else {}}
            for item in one["status"]["containerStatuses"]
        ]
        made = with_metadata(aged(one, 3000), name=name, uid=name)
        world.store.put(Key("pods", "shop", name), {**made, "status": {**one["status"], "containerStatuses": status}})

    assert [code for code, _ in world.codes() if code == "restarts.often"] == expected
