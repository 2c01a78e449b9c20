"""What pods and templates mount."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.world.relations.objects import links, pod, targets, workload

from kubesteward_tools.world.relations import Edge
from kubesteward_tools.world.store import Object


def with_volume(name: str = "data", **source: Any) -> Object:
    return pod(volumes=[{"name": name, **source}])


def test_volumes_point_to_their_config_maps_secrets_and_claims() -> None:
    obj = pod(
        volumes=[
            {"name": "config", "configMap": {"name": "settings"}},
            {"name": "tls", "secret": {"secretName": "certificate"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "disk"}},
            {"name": "tmp", "emptyDir": {}},
        ]
    )

    assert targets("mounts", "pods", obj) == [
        ("configmaps", "shop", "settings", "volume config"),
        ("secrets", "shop", "certificate", "volume tls"),
        ("persistentvolumeclaims", "shop", "disk", "volume data"),
    ]


def test_a_projected_volume_points_to_each_of_its_sources() -> None:
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt"}},
        {"secret": {"name": "extra"}},
        {"clusterTrustBundle": {"name": "roots", "path": "ca"}},
        {"downwardAPI": {"items": []}},
    ]

    assert targets("mounts", "pods", with_volume("all", projected={"sources": sources})) == [
        ("configmaps", "shop", "kube-root-ca.crt", "volume all"),
        ("secrets", "shop", "extra", "volume all"),
        ("clustertrustbundles.certificates.k8s.io", "", "roots", "volume all"),
    ]


def test_the_random_end_of_a_token_volume_is_not_told() -> None:
    sources = {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}

    found = targets("mounts", "pods", with_volume("kube-api-access-x7k2p", projected=sources))

    assert found == [("configmaps", "shop", "kube-root-ca.crt", "volume kube-api-access")]


@pytest.mark.parametrize(
    "source",
    [
        {"configMap": {"name": "a", "optional": True}},
        {"secret": {"secretName": "a", "optional": True}},
        {"projected": {"sources": [{"secret": {"name": "a", "optional": True}}]}},
        {"projected": {"sources": [{"clusterTrustBundle": {"name": "a", "optional": True}}]}},
    ],
)
def test_an_optional_source_is_told_as_optional(source: dict[str, Any]) -> None:
    found = links("mounts", "pods", with_volume(**source))

    assert [isinstance(edge, Edge) and edge.optional for edge in found] == [True]


def test_a_generic_ephemeral_volume_has_a_claim_called_after_pod_and_volume() -> None:
    source: dict[str, Any] = {"ephemeral": {"volumeClaimTemplate": {"spec": {}}}}

    assert targets("mounts", "pods", with_volume("scratch", **source)) == [
        ("persistentvolumeclaims", "shop", "web-scratch", "volume scratch")
    ]
    assert targets("mounts", "deployments.apps", workload(volumes=[{"name": "scratch", **source}])) == []


@pytest.mark.parametrize(
    "source",
    [
        {"csi": {"driver": "x", "nodePublishSecretRef": {"name": "login"}}},
        {"cephfs": {"secretRef": {"name": "login"}}},
        {"flexVolume": {"secretRef": {"name": "login"}}},
        {"azureFile": {"secretName": "login"}},
    ],
)
def test_a_driver_takes_its_credentials_from_a_secret(source: dict[str, Any]) -> None:
    assert targets("mounts", "pods", with_volume(**source)) == [("secrets", "shop", "login", "volume data")]


def test_image_pull_secrets_count_for_pods_and_service_accounts() -> None:
    expected = [("secrets", "shop", "registry", "image pull secret")]
    account = {"metadata": {"name": "web"}, "imagePullSecrets": [{"name": "registry"}]}

    assert targets("mounts", "pods", pod(imagePullSecrets=[{"name": "registry"}])) == expected
    assert targets("mounts", "serviceaccounts", account) == expected


@pytest.mark.parametrize(
    "resource", ["deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch"]
)
def test_a_template_mounts_what_its_pods_would(resource: str) -> None:
    obj = workload(volumes=[{"name": "config", "configMap": {"name": "missing"}}])

    assert targets("mounts", resource, obj) == [("configmaps", "shop", "missing", "volume config")]


def test_a_cron_job_is_read_down_to_the_template_of_its_jobs() -> None:
    obj = {"spec": {"jobTemplate": workload(volumes=[{"name": "config", "configMap": {"name": "missing"}}])}}

    assert targets("mounts", "cronjobs.batch", obj) == [("configmaps", "shop", "missing", "volume config")]


def test_null_gaps_and_wrong_types_are_passed_over() -> None:
    volumes: list[Any] = [None, 1, {}, {"name": None, "configMap": None}, {"configMap": {"name": {}}}, {"secret": "x"}]
    projected: dict[str, Any] = {
        "projected": {"sources": [None, {"configMap": None}, {"secret": []}, {"clusterTrustBundle": None}]}
    }

    assert links("mounts", "pods", pod(volumes=[*volumes, projected], imagePullSecrets=[None, {}, 1])) == []
    assert links("mounts", "pods", pod(volumes=None, imagePullSecrets=None)) == []
    assert links("mounts", "pods", {"spec": None}) == []
