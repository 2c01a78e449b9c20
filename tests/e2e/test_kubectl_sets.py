"""StatefulSets and DaemonSets by the real kubectl: rolled out, looked back at, undone and restarted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.embedded import Kubectl, running

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running(tmp_path_factory.mktemp("cluster")) as path:
        yield path


@pytest.fixture
def kubectl(kubeconfig: Path) -> Kubectl:
    """kubectl in a namespace of its own."""
    name = f"sets-{next(_NUMBERS)}"
    Kubectl(kubeconfig)("create", "namespace", name)
    return Kubectl(kubeconfig, name)


def workload(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "nginx:1.27"}]}}
    own = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": own}


def stateful_set(**spec: Any) -> dict[str, Any]:
    return workload("StatefulSet", "db", replicas=2, serviceName="db", **spec)


WORKLOADS = [("statefulset/db", stateful_set()), ("daemonset/agent", workload("DaemonSet", "agent"))]


@pytest.mark.requirement("twin.kubectl")
@pytest.mark.slow
@pytest.mark.parametrize(("name", "obj"), WORKLOADS)
def test_rollouts_go_on_and_back(kubectl: Kubectl, name: str, obj: dict[str, Any]) -> None:
    kubectl.apply(obj)
    kubectl.rolled_out(name)
    kubectl("set", "image", name, "app=nginx:1.28")
    kubectl.rolled_out(name)
    kubectl("rollout", "restart", name)
    kubectl.rolled_out(name)
    history = kubectl("rollout", "history", name).splitlines()
    assert [line.split()[0] for line in history[2:5]] == ["1", "2", "3"]
    assert "nginx:1.28" in kubectl("rollout", "history", name, "--revision=2")

    kubectl("rollout", "undo", name, "--to-revision=1")
    kubectl.rolled_out(name)
    pods = kubectl.json("get", "pods")["items"]
    assert {pod["spec"]["containers"][0]["image"] for pod in pods} == {"nginx:1.27"}
    history = kubectl("rollout", "history", name).splitlines()
    assert [line.split()[0] for line in history[2:5]] == ["2", "3", "4"]


def test_applying_a_set_again_changes_nothing(kubectl: Kubectl) -> None:
    for _, obj in WORKLOADS:
        kubectl.apply(obj)
    for name, obj in WORKLOADS:
        kubectl.rolled_out(name)
        assert "unchanged" in kubectl.apply(obj)
        assert "Pods Status:" in kubectl("describe", name)


def test_a_stateful_set_is_scaled_and_keeps_its_claims(kubectl: Kubectl) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    kubectl.apply(stateful_set(volumeClaimTemplates=[{"metadata": {"name": "data"}, "spec": claim}]))
    kubectl.rolled_out("statefulset/db")
    kubectl("scale", "statefulset/db", "--replicas=3")
    kubectl.rolled_out("statefulset/db")
    kubectl("scale", "statefulset/db", "--replicas=1")
    kubectl("wait", "--for=delete", "pod/db-1", "pod/db-2", "--timeout=40s")

    claims = kubectl("get", "pvc", "-o", "jsonpath={range .items[*]}{.metadata.name} {.status.phase}{'\\n'}{end}")
    assert claims.splitlines() == ["data-db-0 Bound", "data-db-1 Bound", "data-db-2 Bound"]
    assert "1/1" in kubectl("get", "statefulset", "db")


def test_a_partition_holds_a_roll_out_back(kubectl: Kubectl) -> None:
    kubectl.apply(stateful_set())
    kubectl.rolled_out("statefulset/db")
    kubectl("patch", "statefulset", "db", "-p", '{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}')
    kubectl("set", "image", "statefulset/db", "app=nginx:1.28")

    assert "partitioned roll out complete" in kubectl("rollout", "status", "statefulset/db", "--timeout=40s")
    images = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}")
    assert images.split() == ["nginx:1.27", "nginx:1.28"]


def test_daemons_are_left_alone_when_a_node_is_drained(kubectl: Kubectl) -> None:
    kubectl.apply(workload("DaemonSet", "agent"))
    kubectl.rolled_out("daemonset/agent")
    said = kubectl.refused("drain", "node-1", "--pod-selector=app=agent", "--timeout=6s")
    assert "cannot delete DaemonSet-managed Pods" in said

    kubectl("drain", "node-1", "--ignore-daemonsets", "--pod-selector=app=agent", "--timeout=30s")
    nodes = kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}")
    assert "node-1" in nodes.split()
    kubectl("uncordon", "node-1")
