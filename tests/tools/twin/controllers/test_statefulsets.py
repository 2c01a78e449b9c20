"""StatefulSets: one pod for each ordinal, in order, and never two under one name."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.controllers.workloads import Lab, stateful_set, template

DB = "statefulsets/db"


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def db(lab: Lab) -> Lab:
    lab.create(stateful_set())
    return lab


def unready(lab: Lab, **more: Any) -> None:
    """A set whose first pod never becomes ready."""
    broken = template("db")
    broken["metadata"]["annotations"] = {"sim.kubesteward.dev/mode": "unready"}
    lab.create(stateful_set(template=broken, **more))


def test_pods_come_one_after_the_other_and_say_who_they_are(db: Lab) -> None:
    labels = db.pods()["db-1"]["metadata"]["labels"]

    assert db.ready() == ["db-0", "db-1", "db-2"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert labels["apps.kubernetes.io/pod-index"] == "1"
    assert labels["controller-revision-hash"] == db.status(DB)["currentRevision"]
    assert (db.pods()["db-1"]["spec"]["hostname"], db.pods()["db-1"]["spec"]["subdomain"]) == ("db-1", "db")
    assert "Create Pod db-2 in StatefulSet db successful" in db.events("SuccessfulCreate")


def test_its_status_counts_what_there_is(db: Lab) -> None:
    status = db.status(DB)

    assert status["currentRevision"] == status.pop("updateRevision") == status.pop("currentRevision")
    assert status == {
        "observedGeneration": 1,
        "replicas": 3,
        "readyReplicas": 3,
        "currentReplicas": 3,
        "updatedReplicas": 3,
        "collisionCount": 0,
        "availableReplicas": 3,
    }


def test_ordinals_start_where_it_says(lab: Lab) -> None:
    lab.create(stateful_set(replicas=2, ordinals={"start": 5}))
    assert lab.ready() == ["db-5", "db-6"]

    lab.patch(DB, {"ordinals": {"start": 6}})
    assert lab.ready() == ["db-6", "db-7"]


def test_a_pod_that_is_not_ready_keeps_the_next_ones_from_being_made(lab: Lab) -> None:
    unready(lab)

    assert list(lab.pods()) == ["db-0"]
    assert lab.status(DB)["availableReplicas"] == 0


def test_in_parallel_nobody_waits(lab: Lab) -> None:
    unready(lab, podManagementPolicy="Parallel")

    assert list(lab.pods()) == ["db-0", "db-1", "db-2"]


def test_a_pod_counts_only_once_it_has_been_ready_for_long_enough(lab: Lab) -> None:
    lab.create(stateful_set(minReadySeconds=60), settle=False)
    lab.cluster.engine.advance(lab.cluster.clock.now + 30)
    assert lab.ready() == ["db-0"]
    assert lab.status(DB)["availableReplicas"] == 0

    lab.settle()
    assert lab.status(DB)["availableReplicas"] == 3


def test_scaling_down_takes_the_highest_first(db: Lab) -> None:
    db.patch(DB, {"replicas": 1})

    assert db.ready() == ["db-0"]
    gone = db.events("SuccessfulDelete")
    assert sorted(gone) == [f"Delete Pod db-{number} in StatefulSet db successful" for number in (1, 2)]


def test_an_unready_pod_keeps_others_from_being_scaled_away(db: Lab) -> None:
    annotate(db, "db-0", {"sim.kubesteward.dev/mode": "unready"})
    db.patch(DB, {"replicas": 1})

    assert list(db.pods()) == ["db-0", "db-1", "db-2"]


def annotate(lab: Lab, pod: str, notes: dict[str, str]) -> None:
    """The pod turns unready, as one whose probe fails."""
    from kubesteward_tools.world.store import Key

    api, key = lab.cluster.api, Key("pods", "default", pod)
    found = api.get(*key)
    conditions = [
        {**one, "status": "False"} if one["type"] == "Ready" else one for one in found["status"]["conditions"]
    ]
    metadata = {**found["metadata"], "annotations": notes}
    api.replace(key, {**found, "metadata": metadata, "status": {**found["status"], "conditions": conditions}})
    lab.settle()


def test_a_new_template_replaces_pods_from_the_top_one_at_a_time(db: Lab) -> None:
    fewest, seen = 3, list[str]()

    def look(event: Any) -> None:
        nonlocal fewest
        fewest = min(fewest, len(db.ready()))
        if event.type == "DELETED" and event.key.resource == "pods":
            seen.append(event.key.name)

    db.cluster.store.subscribe(look)
    db.image(DB, "app:2")

    assert db.images() == {"db-0": "2", "db-1": "2", "db-2": "2"}
    assert (fewest, seen) == (2, ["db-2", "db-1", "db-0"])
    assert db.status(DB)["currentRevision"] == db.status(DB)["updateRevision"]


def test_pods_below_the_partition_stay_and_come_back_as_they_were(lab: Lab) -> None:
    lab.create(stateful_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}))
    lab.image(DB, "app:2")
    lab.delete_pod("db-0")

    assert lab.images() == {"db-0": "1", "db-1": "2", "db-2": "2"}
    assert (lab.status(DB)["currentReplicas"], lab.status(DB)["updatedReplicas"]) == (1, 2)


def test_on_delete_only_deleted_pods_get_the_new_template(lab: Lab) -> None:
    lab.create(stateful_set(updateStrategy={"type": "OnDelete"}))
    lab.image(DB, "app:2")
    assert {"1"} == set(lab.images().values())

    lab.delete_pod("db-1")
    assert lab.images() == {"db-0": "1", "db-1": "2", "db-2": "1"}


def test_a_broken_update_stops_and_a_corrected_template_does_not_help(db: Lab) -> None:
    db.image(DB, "app:broken")
    assert db.images() == {"db-0": "1", "db-1": "1", "db-2": "broken"}

    db.image(DB, "app:3")
    assert db.images() == {"db-0": "1", "db-1": "1", "db-2": "broken"}

    db.delete_pod("db-2")
    assert {"3"} == set(db.images().values())


def test_in_parallel_a_corrected_template_helps(lab: Lab) -> None:
    lab.create(stateful_set(podManagementPolicy="Parallel"))
    lab.image(DB, "app:broken")
    lab.image(DB, "app:3")

    assert {"3"} == set(lab.images().values())


def test_the_field_of_a_feature_that_is_off_is_dropped_but_one_that_is_there_counts(db: Lab) -> None:
    from kubesteward_tools.world.store import Key

    rolling = {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}}
    db.patch(DB, rolling)
    assert db.get(DB)["spec"]["updateStrategy"]["rollingUpdate"] == {"partition": 0}

    obj, strategy = db.get(DB), {"type": "RollingUpdate", "rollingUpdate": {"partition": 0, "maxUnavailable": 2}}
    db.cluster.api.replace(
        Key("statefulsets.apps", "default", "db"), {**obj, "spec": {**obj["spec"], "updateStrategy": strategy}}
    )
    db.image(DB, "app:2", settle=False)
    db.cluster.engine.advance(db.cluster.clock.now)
    stopping = [name for name, pod in db.pods().items() if "deletionTimestamp" in pod["metadata"]]
    assert stopping == ["db-1", "db-2"]


def test_history_is_kept_reused_and_limited(lab: Lab) -> None:
    lab.create(stateful_set(revisionHistoryLimit=1))
    for image in ("app:2", "app:1", "app:3", "app:4"):
        lab.image(DB, image)

    assert lab.revisions() == [4, 5]


def test_a_name_that_another_template_has_is_a_collision(db: Lab) -> None:
    from kubesteward_tools.twin.controllers.rollout import template_hash

    wanted = {**db.get(DB)["spec"]["template"]}
    wanted["spec"] = {**wanted["spec"], "containers": [{**wanted["spec"]["containers"][0], "image": "app:2"}]}
    taken = {"metadata": {"name": f"db-{template_hash(wanted)}", "namespace": "default"}, "data": {}, "revision": 1}
    db.cluster.api.create("controllerrevisions.apps", "default", taken)
    db.image(DB, "app:2")

    assert {"2"} == set(db.images().values())
    assert db.status(DB)["collisionCount"] == 1


def test_a_deleted_pod_comes_back_under_its_name_once_it_is_really_gone(db: Lab) -> None:
    before = db.pods()["db-1"]["metadata"]["uid"]
    db.delete_pod("db-1", settle=False)
    db.cluster.engine.advance(db.cluster.clock.now)
    assert before == db.pods()["db-1"]["metadata"]["uid"]

    db.settle()
    assert before != db.pods()["db-1"]["metadata"]["uid"]
    assert db.ready() == ["db-0", "db-1", "db-2"]


def test_a_pod_on_a_lost_node_is_not_made_again(db: Lab) -> None:
    node = db.pods()["db-1"]["spec"]["nodeName"]
    api = db.cluster.api
    status = api.get("nodes", "", node)["status"]
    lost = [{**one, "status": "Unknown"} if one["type"] == "Ready" else one for one in status["conditions"]]
    api.update_status("nodes", "", node, {**status, "conditions": lost})
    uid = db.pods()["db-1"]["metadata"]["uid"]
    db.cluster.engine.advance(db.cluster.clock.now + 3600)
    assert "deletionTimestamp" in db.pods()["db-1"]["metadata"]
    assert uid == db.pods()["db-1"]["metadata"]["uid"]

    api.remove("pods", "default", "db-1")
    db.settle()
    assert db.ready() == ["db-0", "db-1", "db-2"]
    assert db.pods()["db-1"]["spec"]["nodeName"] != node


def test_a_pod_that_is_refused_is_tried_again(lab: Lab) -> None:
    hard = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    lab.call("create", "/api/v1/namespaces/default/resourcequotas", hard)
    lab.create(stateful_set())
    assert lab.ready() == ["db-0", "db-1"]
    [said] = lab.events("FailedCreate")
    assert said.startswith(
        'Create Pod db-2 in StatefulSet db failed error: pods "db-2" is forbidden: exceeded quota: q'
    )

    lab.call("patch", "/api/v1/namespaces/default/resourcequotas/q", {"spec": {"hard": {"pods": "9"}}})
    assert lab.ready() == ["db-0", "db-1", "db-2"]


def test_an_orphan_of_the_right_name_is_adopted(db: Lab) -> None:
    before = {name: pod["metadata"]["uid"] for name, pod in db.pods().items()}
    path = "/apis/apps/v1/namespaces/default/statefulsets/db"
    db.call("delete", path, {"propagationPolicy": "Orphan"})
    assert not any(pod["metadata"].get("ownerReferences") for pod in db.pods().values())

    db.create(stateful_set())
    assert before == {name: pod["metadata"]["uid"] for name, pod in db.pods().items()}
    assert all(pod["metadata"]["ownerReferences"] for pod in db.pods().values())


def test_a_history_that_nobody_could_read_is_taken_to_be_what_the_status_says(db: Lab) -> None:
    """Some bundles hold no ControllerRevisions; that alone must not roll anything."""
    before = {name: pod["metadata"]["uid"] for name, pod in db.pods().items()}
    store = db.cluster.store.fork()
    for key in list(store.keys("controllerrevisions.apps")):
        store.delete(key)
    again = Lab.__new__(Lab)
    again.cluster = type(db.cluster).over(store, now=db.cluster.clock.now)
    again.patch(DB, {"replicas": 4})
    assert before.items() <= {name: pod["metadata"]["uid"] for name, pod in again.pods().items()}.items()

    again.image(DB, "app:2")
    assert {"2"} == set(again.images().values())
    assert again.revisions() == [1, 2]


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({"podManagementPolicy": "Later"}, "spec.podManagementPolicy", "must be 'OrderedReady' or 'Parallel'"),
        ({"updateStrategy": {"type": "Recreate"}}, "spec.updateStrategy", "must be 'RollingUpdate' or 'OnDelete'"),
        ({"minReadySeconds": -1}, "spec.minReadySeconds", "must be greater than or equal to 0"),
        ({"ordinals": {"start": -1}}, "spec.ordinals.start", "must be greater than or equal to 0"),
        (
            {"updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}},
            "spec.updateStrategy.rollingUpdate",
            "only allowed for updateStrategy 'RollingUpdate'",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(lab: Lab, spec: dict[str, Any], field: str, words: str) -> None:
    answer = lab.create(stateful_set(**spec))

    assert answer["code"] == 422
    [cause] = answer["details"]["causes"]
    assert (cause["field"], words in cause["message"]) == (field, True)


def test_its_service_name_cannot_be_changed(db: Lab) -> None:
    assert db.patch(DB, {"serviceName": "other"})["code"] == 422
