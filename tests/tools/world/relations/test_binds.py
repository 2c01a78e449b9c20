"""Claims, volumes and classes."""

from __future__ import annotations

from tests.tools.world.relations.objects import links, targets


def test_a_claim_points_to_its_volume_its_class_and_its_data_source() -> None:
    source = {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "before"}
    claim = {"spec": {"volumeName": "pv-1", "storageClassName": "fast", "dataSource": source}}

    assert targets("binds", "persistentvolumeclaims", claim) == [
        ("storageclasses.storage.k8s.io", "", "fast", "storage class"),
        ("persistentvolumes", "", "pv-1", "volume"),
        ("volumesnapshots.snapshot.storage.k8s.io", "shop", "before", "data source"),
    ]


def test_a_volume_points_to_the_claim_it_is_kept_for_in_that_claims_namespace() -> None:
    volume = {"spec": {"storageClassName": "fast", "claimRef": {"namespace": "prod", "name": "disk"}}}

    assert targets("binds", "persistentvolumes", volume, namespace="") == [
        ("storageclasses.storage.k8s.io", "", "fast", "storage class"),
        ("persistentvolumeclaims", "prod", "disk", "claim"),
    ]


def test_the_classes_of_a_stateful_sets_claims_show_before_there_are_claims() -> None:
    templates = [{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}, {"spec": None}, None]

    assert targets("binds", "statefulsets.apps", {"spec": {"volumeClaimTemplates": templates}}) == [
        ("storageclasses.storage.k8s.io", "", "fast", "volume claim template data")
    ]


def test_an_attachment_points_to_its_volume() -> None:
    attachment = {"spec": {"source": {"persistentVolumeName": "pv-1"}, "nodeName": "n1"}}

    assert targets("binds", "volumeattachments.storage.k8s.io", attachment, namespace="") == [
        ("persistentvolumes", "", "pv-1", "volume")
    ]


def test_no_class_and_the_default_class_are_no_edges() -> None:
    assert links("binds", "persistentvolumeclaims", {"spec": {"storageClassName": ""}}) == []
    assert links("binds", "persistentvolumeclaims", {"spec": {"storageClassName": None, "volumeName": None}}) == []
    assert links("binds", "persistentvolumes", {"spec": {"claimRef": {"name": "disk"}}}) == []
    assert links("binds", "persistentvolumes", {}) == []
