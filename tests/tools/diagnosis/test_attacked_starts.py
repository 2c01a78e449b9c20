"""What a failure leaves behind where one does not look first: logs of other pods, ends of logs, odd volumes."""

from __future__ import annotations

from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    crashing,
    deployment,
    ended,
    event,
    job,
    made,
    pod,
    running,
    service,
    verdict,
    waiting,
)


def test_a_log_that_only_one_of_the_pods_has_is_read() -> None:
    objects = deployment("pay", {"containers": [container()]}, [crashing(1)], replicas=3)
    name = objects[-1]["metadata"]["name"]

    found = verdict(objects, logs={f"{name}/app": "FATAL cannot parse PAY_MODE\n"})

    assert "PAY_MODE" in found.best.diagnosis


def test_variables_that_a_program_lists_below_its_complaint_are_named() -> None:
    said = (
        "You need to specify one of the following as an environment variable:\n    - DB_ROOT_SECRET\n    - DB_RANDOM\n"
    )

    found = verdict([pod("db", {"containers": [container()]}, [crashing(1)])], logs={"db/app": said})

    assert "DB_ROOT_SECRET, DB_RANDOM" in found.best.diagnosis


def test_refused_credentials_are_no_missing_connection_and_no_port_that_is_listened_on() -> None:
    said = 'connection to server at "pg" (10.96.4.4), port 5432 failed: FATAL:  password authentication failed\n'
    objects = [*deployment("orders", {"containers": [container()]}, [crashing(1)]), service("orders", target=8080)]
    name = objects[2]["metadata"]["name"]

    found = verdict(objects, "orders is down", logs={f"{name}/app": said})

    assert (blamed(found), "authentication failed" in found.best.diagnosis) == (
        ("CrashLoop", "Deployment", "orders"),
        True,
    )


def test_a_process_that_a_shell_says_was_killed_has_met_its_memory_limit() -> None:
    spec = {"containers": [container(resources={"limits": {"memory": "200Mi"}})]}

    found = verdict([pod("trainer", spec, [crashing(137)])], logs={"trainer/app": "loading the model\nKilled\n"})

    assert (blamed(found), "200Mi" in found.best.diagnosis) == (("OOMKilled", "Pod", "trainer"), True)


def test_a_container_that_has_been_up_for_long_is_only_blamed_when_somebody_complains() -> None:
    objects = deployment("api", {"containers": [container()]}, [running(restarts=4, last=ended(1))])
    nodes = [lab.node("worker-1")]
    nodes[0]["status"]["conditions"][0]["lastHeartbeatTime"] = lab.NOW

    answers = [
        verdict(objects, prompt, nodes=nodes).best.category for prompt in ("Is api fine?", "Why does api restart?")
    ]

    assert answers == ["Healthy", "CrashLoop"]


def test_a_pod_of_this_minute_is_starting_and_not_sick() -> None:
    objects = deployment("fresh", {"containers": [container()]}, [waiting("ContainerCreating")])
    for one in objects:
        one["metadata"]["creationTimestamp"] = lab.NOW

    assert verdict(objects, "Is fresh fine?").best.category == "Healthy"


def test_a_workload_that_is_short_of_pods_without_a_reason_is_not_called_healthy() -> None:
    objects = deployment("web", replicas=4, pods=2)

    assert verdict(objects, "Is web fine?").best.category == "Inconclusive"


def test_a_key_that_a_volume_takes_is_told_with_its_config_map() -> None:
    volume = {"name": "c", "configMap": {"name": "settings", "items": [{"key": "app.yml", "path": "app.yml"}]}}
    objects = deployment(
        "api", {"containers": [container()], "volumes": [volume]}, [waiting("ContainerCreating")], phase="Pending"
    )
    said = 'MountVolume.SetUp failed for volume "c" : configmap references non-existent config key: app.yml'
    settings = made("ConfigMap", "settings", data={"app.yaml": ""})

    found = verdict([*objects, settings, event(objects[-1], "FailedMount", said)])

    assert blamed(found) == ("ConfigMissing", "Deployment", "api")
    assert "'settings'" in found.best.diagnosis


def test_volumes_made_by_hand_for_a_class_without_an_object_are_compared_with_the_claim() -> None:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "resources": {"requests": {"storage": "50Gi"}},
    }
    claim = made("PersistentVolumeClaim", "data", spec=spec, status={"phase": "Pending"})
    offer = {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual", "capacity": {"storage": "10Gi"}}
    volume = made("PersistentVolume", "disk", "", spec=offer, status={"phase": "Available"})

    found = verdict([claim, volume], "Why is the claim data pending?")

    assert blamed(found) == ("PVC", "PersistentVolumeClaim", "data")
    assert {"10Gi", "50Gi"} <= set(found.best.diagnosis.replace(",", "").split())


def test_a_sandbox_that_cannot_be_made_is_the_fault_of_the_node() -> None:
    stuck = pod("web", {"containers": [container()]}, [waiting("ContainerCreating")], phase="Pending")
    said = (
        'Failed to create pod sandbox: plugin type="bridge" failed (add): dial tcp 127.0.0.1:6784: connection refused'
    )

    found = verdict([stuck, event(stuck, "FailedCreatePodSandBox", said)], "web does not start")

    assert blamed(found) == ("NodeNotReady", "Node", "worker-1")


def test_a_silent_scheduler_is_explained_by_its_own_crashes() -> None:
    waits = pod("app", {"containers": [container()]}, [], phase="Pending")
    waits["spec"].pop("nodeName")
    waits["status"] = {"phase": "Pending"}
    scheduler = pod("kube-scheduler-main", {"containers": [container()]}, [crashing(1)], namespace="kube-system")

    found = verdict([waits, scheduler], "Pod app stays pending")

    assert blamed(found) == ("CrashLoop", "Pod", "kube-scheduler-main")


def test_labels_that_an_affinity_asks_for_in_expressions_are_named() -> None:
    asked = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["cache"]}]}
    term = {"labelSelector": asked, "topologyKey": "kubernetes.io/hostname"}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    said = (
        "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, "
        "2 node(s) didn't match pod affinity rules."
    )
    found = verdict([pod("near", {"containers": [container()], "affinity": affinity}, unschedulable=said)])

    assert "app In cache" in found.best.diagnosis
    assert "does not tolerate" not in found.best.diagnosis


def test_a_cron_job_whose_day_never_comes_or_cannot_be_read_is_told() -> None:
    def cron(schedule: str) -> lab.Object:
        return made("CronJob", "tidy", "shop", "batch/v1", spec={"schedule": schedule, "jobTemplate": {}}, status={})

    found = [verdict([cron(text)], "CronJob tidy never runs") for text in ("0 25 * * *", "0 0 31 2 *", "0 4 * * *")]

    assert [one.best.category for one in found] == ["JobFailure", "JobFailure", "Healthy"]


def test_a_suspended_cron_job_is_no_fault_when_the_complaint_is_about_something_else() -> None:
    cron = made("CronJob", "tidy", "shop", "batch/v1", spec={"schedule": "@daily", "suspend": True, "jobTemplate": {}})

    answers = [verdict([cron], text).best.category for text in ("My pods crash!", "Why does CronJob tidy not run?")]

    assert answers == ["Healthy", "JobFailure"]


def test_the_end_of_a_log_stands_beside_the_line_that_was_chosen() -> None:
    spec = {"restartPolicy": "Never", "containers": [container()]}
    said = 'could not connect to server: Connection refused\n\tIs it running on host "ledger"?\n'

    found = verdict(job("load", spec, [crashing(1)]), logs={"load-x1/app": said})

    assert 'host "ledger"' in found.best.diagnosis


def test_what_is_on_record_about_the_culprit_fills_the_diagnosis_and_no_more() -> None:
    spec = {"containers": [container(command=["/bin/serve", "--verbose"])]}
    objects = deployment("web", spec, [crashing(1)])
    notes = [
        event(objects[-1], "BackOff", f"Back-off {number} restarting failed container app " + "x" * 150)
        for number in range(9)
    ]

    found = verdict([*objects, *notes]).best.diagnosis

    assert "On record:" in found
    assert "BackOff" in found
    assert len(found) <= 1200
