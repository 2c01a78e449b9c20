"""The official Python client, with its strict models, against `kubesteward cluster`."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.embedded import budget, deployment, running


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package, configured for the cluster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package is not ours to mend
        import kubernetes
    with running(tmp_path_factory.mktemp("cluster")) as path:
        kubernetes.config.load_kube_config(str(path))
        yield kubernetes
        Path(path).touch()


def ready(kube: Any, name: str, count: int) -> None:
    """Wait, by a watch, until the Deployment has so many ready pods."""
    apps = kube.client.AppsV1Api()
    watch = kube.watch.Watch()
    for event in watch.stream(apps.list_namespaced_deployment, "default", timeout_seconds=30):
        status = event["object"].status
        if event["object"].metadata.name == name and (status.ready_replicas or 0) == count:
            watch.stop()
            return
    raise AssertionError(f"{name} did not become ready")


@pytest.mark.requirement("twin.python-client")
def test_the_typed_client_lists_watches_changes_evicts_and_reads_logs(kube: Any) -> None:
    core, apps, policy = kube.client.CoreV1Api(), kube.client.AppsV1Api(), kube.client.PolicyV1Api()
    apps.create_namespaced_deployment("default", deployment("web", replicas=2))
    ready(kube, "web", 2)

    pods = core.list_namespaced_pod("default", label_selector="app=web").items
    assert [pod.status.phase for pod in pods] == ["Running", "Running"]
    assert [node.status.node_info.kubelet_version for node in core.list_node().items] == ["v1.36.2"] * 3
    assert core.read_namespaced_pod_log(pods[0].metadata.name, "default", tail_lines=1) == "app: ready to serve\n"

    apps.patch_namespaced_deployment("web", "default", {"metadata": {"labels": {"tier": "front"}}})
    apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 3}})
    ready(kube, "web", 3)
    assert apps.read_namespaced_deployment_scale("web", "default").status.replicas == 3
    assert apps.read_namespaced_deployment("web", "default").metadata.labels["tier"] == "front"

    policy.create_namespaced_pod_disruption_budget("default", budget("web", 3))
    eviction = {"metadata": {"name": pods[0].metadata.name, "namespace": "default"}}
    with pytest.raises(kube.client.ApiException, match="disruption budget") as refused:
        core.create_namespaced_pod_eviction(pods[0].metadata.name, "default", eviction)
    assert refused.value.status == 429
    events = core.list_namespaced_event("default", field_selector=f"involvedObject.name={pods[0].metadata.name}")
    assert {"Scheduled", "Started"} <= {event.reason for event in events.items}


def test_the_typed_client_pages_dry_runs_and_meets_conflicts(kube: Any) -> None:
    core = kube.client.CoreV1Api()
    for number in range(5):
        core.create_namespaced_config_map("kube-public", {"metadata": {"name": f"m{number}"}, "data": {"n": "1"}})

    first = core.list_namespaced_config_map("kube-public", limit=2)
    names, token = [item.metadata.name for item in first.items], first.metadata._continue
    while token:
        page = core.list_namespaced_config_map("kube-public", limit=2, _continue=token)
        names, token = names + [item.metadata.name for item in page.items], page.metadata._continue
    assert names == ["kube-root-ca.crt", "m0", "m1", "m2", "m3", "m4"]

    old = core.read_namespaced_config_map("m0", "kube-public")
    core.patch_namespaced_config_map("m0", "kube-public", {"data": {"n": "2"}}, dry_run="All")
    assert core.read_namespaced_config_map("m0", "kube-public").data == {"n": "1"}
    core.patch_namespaced_config_map("m0", "kube-public", {"data": {"n": "3"}})
    with pytest.raises(kube.client.ApiException) as conflict:
        core.replace_namespaced_config_map("m0", "kube-public", old)
    assert conflict.value.status == 409


def test_the_typed_client_asks_for_rights_and_usage(kube: Any) -> None:
    review = {"spec": {"resourceAttributes": {"namespace": "default", "verb": "delete", "resource": "pods"}}}

    answer = kube.client.AuthorizationV1Api().create_self_subject_access_review(review)
    usage = kube.client.CustomObjectsApi().list_cluster_custom_object("metrics.k8s.io", "v1beta1", "nodes")
    assert answer.status.allowed is True
    assert len(usage["items"]) == 3
