"""Claims of StatefulSets and what they are bound to."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.controllers.workloads import Lab, claim_template, stateful_set, template

DB = "statefulsets/db"
CLASSES = "/apis/storage.k8s.io/v1/storageclasses"


@pytest.fixture
def lab() -> Lab:
    return Lab()


def with_claims(**spec: Any) -> dict[str, Any]:
    pod = template("db")
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    return stateful_set(template=pod, volumeClaimTemplates=[claim_template()], **spec)


def claim(name: str = "c", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {**claim_template()["spec"], **spec}}


def phases(lab: Lab) -> dict[str, str]:
    return {name: one["status"]["phase"] for name, one in lab.claims().items()}


def create_claim(lab: Lab, obj: dict[str, Any]) -> int:
    return int(lab.call("create", "/api/v1/namespaces/default/persistentvolumeclaims", obj)["code"])


def test_every_pod_gets_a_claim_of_its_own_and_a_volume_for_it(lab: Lab) -> None:
    lab.create(with_claims())

    assert phases(lab) == {"data-db-0": "Bound", "data-db-1": "Bound", "data-db-2": "Bound"}
    first = lab.claims()["data-db-0"]
    assert (first["metadata"]["labels"], first["spec"]["storageClassName"]) == ({"app": "db"}, "standard")
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}} in lab.pods()["db-0"]["spec"][
        "volumes"
    ]
    [volume] = [
        one
        for one in lab.cluster.store.objects("persistentvolumes")
        if one["metadata"]["name"] == first["spec"]["volumeName"]
    ]
    assert (volume["status"]["phase"], volume["spec"]["claimRef"]["name"]) == ("Bound", "data-db-0")
    assert "Create Claim data-db-0 Pod db-0 in StatefulSet db success" in lab.events("SuccessfulCreate")


def test_claims_outlive_scaling_and_deletion_and_are_found_again(lab: Lab) -> None:
    lab.create(with_claims())
    before = lab.claims()["data-db-2"]["metadata"]["uid"]
    lab.patch(DB, {"replicas": 1})
    lab.patch(DB, {"replicas": 3})
    assert before == lab.claims()["data-db-2"]["metadata"]["uid"]

    lab.call("delete", "/apis/apps/v1/namespaces/default/statefulsets/db")
    assert (lab.pods(), len(lab.claims())) == ({}, 3)


def test_claims_go_with_pods_that_are_scaled_away_where_the_policy_says_so(lab: Lab) -> None:
    lab.create(with_claims(persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}))
    lab.delete_pod("db-2")
    assert len(lab.claims()) == 3

    lab.patch(DB, {"replicas": 1})
    assert list(lab.claims()) == ["data-db-0"]
    assert lab.cluster.store.count("persistentvolumes") == 1


def test_claims_that_are_going_are_waited_for(lab: Lab) -> None:
    lab.create(with_claims(persistentVolumeClaimRetentionPolicy={"whenScaled": "Delete"}))
    before = lab.claims()["data-db-2"]["metadata"]["uid"]
    lab.patch(DB, {"replicas": 2}, settle=False)
    lab.cluster.engine.advance(lab.cluster.clock.now)
    lab.patch(DB, {"replicas": 3})

    assert lab.ready() == ["db-0", "db-1", "db-2"]
    assert "deletionTimestamp" not in lab.claims()["data-db-2"]["metadata"]
    assert phases(lab) == {"data-db-0": "Bound", "data-db-1": "Bound", "data-db-2": "Bound"}
    assert before != lab.claims()["data-db-2"]["metadata"]["uid"]


def test_claims_go_with_their_set_where_the_policy_says_so(lab: Lab) -> None:
    lab.create(with_claims())
    lab.patch(DB, {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}})
    lab.call("delete", "/apis/apps/v1/namespaces/default/statefulsets/db")

    assert (lab.pods(), lab.claims()) == ({}, {})


def test_a_claim_that_is_deleted_comes_back_empty_with_its_pod(lab: Lab) -> None:
    lab.create(with_claims(replicas=1))
    before = lab.claims()["data-db-0"]["metadata"]["uid"]
    lab.call("delete", "/api/v1/namespaces/default/persistentvolumeclaims/data-db-0")
    assert "deletionTimestamp" in lab.claims()["data-db-0"]["metadata"]

    lab.delete_pod("db-0")
    assert lab.ready() == ["db-0"]
    assert before != lab.claims()["data-db-0"]["metadata"]["uid"]


def test_a_claim_may_wait_for_its_first_consumer(lab: Lab) -> None:
    late = {
        "metadata": {"name": "late"},
        "provisioner": "example.com/disk",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    lab.call("create", CLASSES, late)
    create_claim(lab, claim(storageClassName="late"))
    assert phases(lab) == {"c": "Pending"}
    assert lab.events("WaitForFirstConsumer") == ["waiting for first consumer to be created before binding"]

    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}]
    pod = {"metadata": {"name": "p"}, "spec": {**template("p")["spec"], "volumes": volumes}}
    lab.call("create", "/api/v1/namespaces/default/pods", pod)
    assert (phases(lab), lab.ready()) == ({"c": "Bound"}, ["p"])
    notes = lab.claims()["c"]["metadata"]["annotations"]
    assert lab.pods()["p"]["spec"]["nodeName"] == notes["volume.kubernetes.io/selected-node"]


def test_a_claim_without_a_class_takes_the_smallest_volume_that_fits_or_none(lab: Lab) -> None:
    create_claim(lab, claim(storageClassName=""))
    assert phases(lab) == {"c": "Pending"}
    why = "no persistent volumes available for this claim and no storage class is set"
    assert [why] == lab.events("FailedBinding")

    for name, size in (("big", "5Gi"), ("small", "100Mi"), ("right", "2Gi")):
        spec = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/x"}}
        lab.call("create", "/api/v1/persistentvolumes", {"metadata": {"name": name}, "spec": spec}, settle=False)
    lab.settle()
    assert (phases(lab)["c"], lab.claims()["c"]["spec"]["volumeName"]) == ("Bound", "right")


def test_a_class_that_is_not_there_leaves_the_claim_pending_until_it_is(lab: Lab) -> None:
    create_claim(lab, claim(storageClassName="fast"))
    assert lab.events("ProvisioningFailed") == ['storageclass.storage.k8s.io "fast" not found']

    lab.call("create", CLASSES, {"metadata": {"name": "fast"}, "provisioner": "example.com/disk"})
    assert phases(lab) == {"c": "Bound"}


def test_a_refused_claim_keeps_the_pod_from_being_made(lab: Lab) -> None:
    hard = {"metadata": {"name": "q"}, "spec": {"hard": {"persistentvolumeclaims": "1"}}}
    lab.call("create", "/api/v1/namespaces/default/resourcequotas", hard)
    lab.create(with_claims())

    assert lab.ready() == ["db-0"]
    [said] = lab.events("FailedCreate")
    assert said.startswith("Create Claim data-db-1 Pod db-1 in StatefulSet db failed error: ")
