"""What a person's hands expect of a cluster, by the real kubectl against `kubesteward cluster`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.embedded import Kubectl, budget, deployment, running, service

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with running(tmp_path_factory.mktemp("cluster")) as path:
        yield path


@pytest.fixture
def anywhere(kubeconfig: Path) -> Kubectl:
    """kubectl without a namespace."""
    return Kubectl(kubeconfig)


@pytest.fixture
def namespace(anywhere: Kubectl) -> str:
    name = f"hands-{next(_NUMBERS)}"
    anywhere("create", "namespace", name)
    return name


@pytest.fixture
def kubectl(kubeconfig: Path, namespace: str) -> Kubectl:
    """kubectl in a namespace of its own."""
    return Kubectl(kubeconfig, namespace)


@pytest.fixture
def web(kubectl: Kubectl) -> Kubectl:
    """... in which a Deployment with its Service and budget runs."""
    kubectl.apply(deployment("web"), service("web"), budget("web", 2))
    kubectl.rolled_out("deployment/web")
    return kubectl


@pytest.fixture
def moved(kubectl: Kubectl) -> Iterator[Kubectl]:
    """... in which something runs whose label no other test uses at the time: a drain looks into every namespace."""
    kubectl.apply(deployment("moved"), budget("moved", 2))
    kubectl.rolled_out("deployment/moved")
    yield kubectl
    kubectl("delete", "pdb/moved", "deployment/moved")


def pod_of(kubectl: Kubectl, app: str = "web") -> str:
    return str(kubectl("get", "pods", "-l", f"app={app}", "-o", "jsonpath={.items[0].metadata.name}"))


def test_the_server_tells_its_version_and_its_kinds(anywhere: Kubectl) -> None:
    assert "Server Version: v1.36." in anywhere("version")
    assert "deployments" in anywhere("api-resources")
    assert "apps/v1" in anywhere("api-versions").splitlines()


@pytest.mark.requirement("twin.kubectl")
def test_get_prints_tables_and_everything_else_that_was_asked_for(web: Kubectl, anywhere: Kubectl) -> None:
    pods = web("get", "pods")
    assert pods.split()[:5] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert pods.count("1/1     Running   0") == 3
    assert "NODE" in web("get", "pods", "-o", "wide")
    assert web("get", "deploy", "web", "-o", "jsonpath={.status.readyReplicas}") == "3"
    assert web("get", "deploy", "-o", "custom-columns=N:.metadata.name").split() == ["N", "web"]
    assert web("get", "svc", "-o", "name") == "service/web\n"
    assert "app=web" in web("get", "pods", "--show-labels")
    assert "replicaset.apps/web-" in web("get", "all")
    assert "NAMESPACE" in anywhere("get", "pods", "-A")


def test_selectors_choose_by_labels_and_by_fields(web: Kubectl) -> None:
    assert len(web.json("get", "pods", "-l", "app in (web,x)")["items"]) == 3
    assert web.json("get", "pods", "-l", "app!=web")["items"] == []
    node = web("get", "pods", "-o", "jsonpath={.items[0].spec.nodeName}")
    there = web.json("get", "pods", "--field-selector", f"spec.nodeName={node}")["items"]
    assert {pod["spec"]["nodeName"] for pod in there} == {node}


def test_describe_explains_workloads_pods_and_nodes(web: Kubectl) -> None:
    assert "StrategyType:           RollingUpdate" in web("describe", "deployment", "web")
    pod = web("describe", "pod", pod_of(web))
    assert "Successfully assigned" in pod
    assert "Started container app" in pod
    assert "Allocatable" in web("describe", "node", "node-1")


def test_endpoints_follow_readiness(web: Kubectl) -> None:
    slices = web.json("get", "endpointslices", "-l", "kubernetes.io/service-name=web")["items"]

    assert [item["conditions"]["ready"] for one in slices for item in one["endpoints"]] == [True, True, True]


def test_applying_again_changes_nothing_and_a_question_leaves_no_trace(web: Kubectl) -> None:
    more = json.dumps(deployment("web", replicas=4))

    assert "unchanged" in web.apply(deployment("web"))
    assert web.run("diff", "-f", "-", stdin=more).returncode == 1
    assert "configured (server dry run)" in web("apply", "--dry-run=server", "-f", "-", stdin=more)
    assert web.json("get", "deploy", "web")["spec"]["replicas"] == 3
    assert "configured" in web("apply", "-f", "-", stdin=more)


def test_patches_of_all_types(web: Kubectl) -> None:
    add = '[{"op":"add","path":"/metadata/labels","value":{"x":"1"}}]'
    side = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}'
    web("patch", "deploy", "web", "--type=json", "-p", add)
    web("patch", "deploy", "web", "--type=merge", "-p", '{"metadata":{"labels":{"x":null,"y":"2"}}}')
    web("patch", "deploy", "web", "-p", side)

    found = web.json("get", "deploy", "web")
    assert found["metadata"]["labels"] == {"y": "2"}
    names = [item["name"] for item in found["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == ["app", "side"]


def test_a_json_patch_whose_test_fails_changes_nothing(web: Kubectl) -> None:
    steps = [{"op": "test", "path": "/spec/replicas", "value": 9}, {"op": "remove", "path": "/spec/replicas"}]

    web.refused("patch", "deploy", "web", "--type=json", "-p", json.dumps(steps))

    assert web.json("get", "deploy", "web")["spec"]["replicas"] == 3


def test_rollouts_go_on_and_back(web: Kubectl) -> None:
    web("set", "image", "deploy/web", "app=nginx:1.28")
    web.rolled_out("deploy/web")
    web("rollout", "restart", "deploy/web")
    web.rolled_out("deploy/web")
    assert [line.split()[0] for line in web("rollout", "history", "deploy/web").splitlines()[2:5]] == ["1", "2", "3"]
    web("rollout", "undo", "deploy/web", "--to-revision=1")
    web.rolled_out("deploy/web")

    template = web.json("get", "deploy", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "nginx:1.27"


def test_scale_and_wait(web: Kubectl) -> None:
    web("scale", "deploy/web", "--replicas=5")
    web("wait", "--for=jsonpath={.status.readyReplicas}=5", "deploy/web", "--timeout=40s")
    web("scale", "deploy/web", "--replicas=1")
    web("wait", "--for=condition=Available", "deploy/web", "--timeout=20s")


def test_an_image_that_cannot_be_pulled_says_so_and_old_pods_stay(web: Kubectl) -> None:
    web("set", "image", "deploy/web", "app=registry.invalid/nothing:v1")
    web.until("ImagePull", "get", "pods")
    web.until("Failed to pull image", "get", "events")

    assert web.json("get", "deploy", "web")["status"]["availableReplicas"] == 3
    web("rollout", "undo", "deploy/web")
    web.rolled_out("deploy/web")


def test_a_missing_configmap_holds_the_container_until_it_is_there(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("app", replicas=1, envFrom=[{"configMapRef": {"name": "nowhere"}}]))
    kubectl.until("CreateContainerConfigError", "get", "pods")
    kubectl.until('configmap "nowhere" not found', "get", "events")

    kubectl("create", "configmap", "nowhere", "--from-literal=a=b")
    kubectl.rolled_out("deploy/app")


def test_what_is_too_big_stays_pending_in_the_schedulers_words(kubectl: Kubectl) -> None:
    kubectl.apply(deployment("big", replicas=1, cpu="900"))

    kubectl.until("0/3 nodes are available: 3 Insufficient cpu", "get", "events")
    assert "Pending" in kubectl("get", "pods")


def test_a_quota_refuses_pods_and_not_the_deployment(kubectl: Kubectl) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": {"hard": {"pods": "2"}}}
    kubectl.apply(quota, deployment("app"))

    kubectl.until("exceeded quota: q", "get", "events")
    kubectl("wait", "--for=jsonpath={.status.used.pods}=2", "quota/q", "--timeout=20s")
    kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "deploy/app", "--timeout=20s")


def test_pod_security_refuses_pods_and_warns_of_workloads(kubectl: Kubectl, anywhere: Kubectl, namespace: str) -> None:
    levels = [f"pod-security.kubernetes.io/{mode}=restricted" for mode in ("enforce", "warn")]
    anywhere("label", "namespace", namespace, *levels)

    assert 'violates PodSecurity "restricted:latest"' in kubectl.refused("run", "root", "--image=nginx")
    workload = kubectl.run("create", "deployment", "root", "--image=nginx")
    assert workload.returncode == 0
    assert 'Warning: would violate PodSecurity "restricted:latest"' in workload.stderr


@pytest.mark.slow  # kubectl itself waits five seconds before it tries an eviction again
def test_a_drain_stops_at_a_budget(moved: Kubectl, anywhere: Kubectl) -> None:
    moved("patch", "pdb", "moved", "--type=merge", "-p", '{"spec":{"minAvailable":3}}')
    node = moved("get", "pods", "-o", "jsonpath={.items[0].spec.nodeName}")

    said = moved.refused("drain", node, "--ignore-daemonsets", "--pod-selector=app=moved", "--timeout=6s")
    assert "would violate the pod's disruption budget" in said
    assert "SchedulingDisabled" in anywhere("get", "node", node)
    anywhere("uncordon", node)


def test_a_drain_moves_what_the_budget_allows(moved: Kubectl, anywhere: Kubectl) -> None:
    node = moved("get", "pods", "-o", "jsonpath={.items[0].spec.nodeName}")

    moved("drain", node, "--ignore-daemonsets", "--pod-selector=app=moved", "--timeout=30s")
    moved.rolled_out("deploy/moved")
    left = moved.json("get", "pods", "--field-selector", f"spec.nodeName={node}")["items"]
    assert left == []
    anywhere("uncordon", node)


def test_create_sends_protobuf(kubectl: Kubectl) -> None:
    kubectl("create", "deployment", "app", "--image=nginx:1.27", "--port=80", "--replicas=2")
    kubectl.rolled_out("deploy/app")
    kubectl("create", "service", "clusterip", "app", "--tcp=80:http")
    kubectl("create", "quota", "all", "--hard=pods=9,requests.cpu=2")
    kubectl("create", "poddisruptionbudget", "app", "--selector=app=app", "--min-available=50%")
    kubectl("create", "job", "once", "--image=busybox", "--", "true")

    assert kubectl("get", "deploy", "app", "-o", "jsonpath={..containers[0].ports[0].containerPort}") == "80"
    assert kubectl("get", "service", "app", "-o", "jsonpath={.spec.ports[0].targetPort}") == "http"
    assert kubectl("get", "quota", "all", "-o", "jsonpath={.spec.hard['requests\\.cpu']}") == "2"
    assert kubectl("get", "pdb", "app", "-o", "jsonpath={.spec.minAvailable}") == "50%"
    assert kubectl("get", "job", "once", "-o", "jsonpath={..containers[0].command[0]}") == "true"


def test_logs_and_usage(web: Kubectl) -> None:
    pod = pod_of(web)

    assert web("logs", pod, "-c", "app", "--tail=1") == "app: ready to serve\n"
    assert "container nope is not valid" in web.refused("logs", pod, "-c", "nope")
    assert web("top", "pods").count("web-") == 3
    assert "%" in web("top", "nodes")


def test_rights_come_from_roles(web: Kubectl) -> None:
    carol = "--as=carol"
    assert "kubesteward-admin" in web("auth", "whoami")
    assert web.run("auth", "can-i", "list", "pods", carol).stdout == "no\n"
    web("create", "role", "r", "--verb=list", "--resource=pods")
    web("create", "rolebinding", "rb", "--role=r", "--user=carol")

    assert web("auth", "can-i", "list", "pods", carol) == "yes\n"
    assert "web-" in web("get", "pods", carol)
    assert 'User "carol" cannot' in web.refused("delete", "deploy", "web", carol)
    assert "pods" in web("auth", "can-i", "--list", carol)


def test_a_watch_shows_what_is_new(kubectl: Kubectl) -> None:
    kubectl("create", "configmap", "seen", "--from-literal=a=1")

    assert kubectl.until("configmap/seen", "get", "configmaps", "-o", "name") == "configmap/seen\n"


def test_refusals_are_worded_as_people_know_them(web: Kubectl) -> None:
    selector = '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
    web("create", "configmap", "twice")

    assert 'pods "nope" not found' in web.refused("get", "pod", "nope")
    assert 'configmaps "twice" already exists' in web.refused("create", "configmap", "twice")
    assert "field is immutable" in web.refused("patch", "deploy", "web", "--type=merge", "-p", selector)
    assert "doesn't have a resource type" in web.refused("get", "gizmos")


def test_deleting_takes_what_is_owned_along(web: Kubectl, anywhere: Kubectl, namespace: str) -> None:
    web("delete", "deploy", "web", "--cascade=foreground", "--timeout=30s")
    assert web.json("get", "rs,pods")["items"] == []

    anywhere("delete", "namespace", namespace, "--timeout=60s")
    assert "NotFound" in anywhere.refused("get", "namespace", namespace)


def test_a_job_runs_to_its_end(kubectl: Kubectl) -> None:
    kubectl("create", "job", "hello", "--image=registry.example.com/hello:1", "--", "greet")
    kubectl("wait", "--for=condition=complete", "job/hello", "--timeout=30s")

    assert "1/1" in kubectl("get", "job", "hello")
    assert "Completed" in kubectl("get", "pods", "-l", "job-name=hello")
    assert "Job completed" in kubectl("describe", "job", "hello")


@pytest.mark.slow
def test_a_cronjob_is_made_and_run_by_hand(kubectl: Kubectl) -> None:
    kubectl("create", "cronjob", "tick", "--image=registry.example.com/tick:1", "--schedule=0 0 1 1 *")
    kubectl("create", "job", "--from=cronjob/tick", "now")
    kubectl("wait", "--for=condition=complete", "job/now", "--timeout=30s")

    assert "0 0 1 1 *" in kubectl("get", "cronjob", "tick")
    assert kubectl("get", "job", "now", "-o", "jsonpath={.metadata.ownerReferences[0].kind}") == "CronJob"
    assert "unknown time zone" in kubectl.refused(
        "patch", "cronjob", "tick", "--type=merge", "-p", '{"spec":{"timeZone":"Mars/Olympus"}}'
    )


@pytest.mark.slow
def test_an_autoscaler_raises_its_target_to_the_least_it_may_have(web: Kubectl) -> None:
    web("autoscale", "deployment/web", "--min=4", "--max=5", "--cpu-percent=50")
    web("wait", "--for=jsonpath={.spec.replicas}=4", "deployment/web", "--timeout=30s")

    assert "Deployment/web" in web("get", "hpa", "web")
    assert "SuccessfulRescale" in web("describe", "hpa", "web")
