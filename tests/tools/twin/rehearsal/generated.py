"""Worlds and changes that nobody thought up: several workloads of every kind, with what guards and limits them."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    QUOTAS,
    SERVICES,
    budget,
    call,
    cluster_with,
    deployment,
    quota,
    rolling,
    service,
)

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.world.store import Key, Object, Store

STATEFUL_SETS = "/apis/apps/v1/namespaces/default/statefulsets"
DAEMON_SETS = "/apis/apps/v1/namespaces/default/daemonsets"
NODES = "/api/v1/nodes"

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_CPUS = st.sampled_from(["50m", "900m", "1500m"])
_NUMBERS = st.integers(0, 4)


def stateful_set(replicas: int, cpu: str, policy: str) -> dict[str, Any]:
    made = deployment("db", replicas, cpu)
    return {**made, "spec": {**made["spec"], "serviceName": "db", "podManagementPolicy": policy}}


def daemon_set(cpu: str) -> dict[str, Any]:
    made = deployment("agent", 1, cpu)
    spec = {key: value for key, value in made["spec"].items() if key != "replicas"}
    return {**made, "spec": spec}


@st.composite
def worlds(draw: st.DrawFn) -> SimulatedCluster:
    surge, away = draw(st.sampled_from([(1, 0), (0, 1), ("25%", "25%"), (2, 1)]))
    web = deployment(replicas=draw(_NUMBERS), cpu=draw(_CPUS), strategy=rolling(surge, away))
    objects = [(SERVICES, service()), (DEPLOYMENTS, web)]
    if draw(st.booleans()):
        policy = draw(st.sampled_from(["OrderedReady", "Parallel"]))
        objects.append((STATEFUL_SETS, stateful_set(draw(_NUMBERS), draw(_CPUS), policy)))
        objects.append((SERVICES, service("db")))
    if draw(st.booleans()):
        objects.append((DAEMON_SETS, daemon_set("50m")))
    if draw(st.booleans()):
        objects.append((BUDGETS, budget(draw(st.integers(0, 4) | st.just("50%")))))
    if draw(st.booleans()):
        objects.append((QUOTAS, quota(draw(st.integers(4, 12)))))
    return cluster_with(*objects, nodes=draw(st.integers(1, 3)))


_WORKLOADS = st.sampled_from([f"{DEPLOYMENTS}/web", f"{STATEFUL_SETS}/db", f"{DAEMON_SETS}/agent"])
_SCALED = st.sampled_from([f"{DEPLOYMENTS}/web", f"{STATEFUL_SETS}/db"])
_NODE = st.sampled_from([f"{NODES}/node-1", f"{NODES}/node-2"])


def _scale(path: str, replicas: int) -> ApiCall:
    return call("patch", f"{path}/scale", {"spec": {"replicas": replicas}}, MERGE_PATCH)


def _container(path: str, **fields: Any) -> ApiCall:
    containers = [{"name": "app", **fields}]
    return call("patch", path, {"spec": {"template": {"spec": {"containers": containers}}}}, STRATEGIC_PATCH)


def _taint(path: str, effect: str) -> ApiCall:
    return call("patch", path, {"spec": {"taints": [{"key": "k", "value": "v", "effect": effect}]}}, STRATEGIC_PATCH)


def _relabelled(path: str, value: str) -> ApiCall:
    return call("patch", path, {"metadata": {"labels": {"tier": value}}}, MERGE_PATCH)


def _annotated(path: str) -> ApiCall:
    body = [{"op": "add", "path": "/spec/template/metadata/annotations", "value": {"note": "1"}}]
    return call("patch", path, body, JSON_PATCH)


def _applied(replicas: int) -> ApiCall:
    body = {**deployment(replicas=replicas, cpu="60m"), "apiVersion": "apps/v1", "kind": "Deployment"}
    return call("patch", f"{DEPLOYMENTS}/web", body, APPLY_PATCH)


changes = (
    st.builds(_scale, _SCALED, st.integers(0, 6))
    | st.builds(_container, _WORKLOADS, image=st.sampled_from(["registry.example.com/app:2", "app:3"]))
    | st.builds(_container, _WORKLOADS, resources=st.builds(lambda cpu: {"requests": {"cpu": cpu}}, _CPUS))
    | st.builds(lambda path: call("delete", path), _WORKLOADS | st.just(f"{SERVICES}/web") | st.just(f"{BUDGETS}/web"))
    | st.builds(lambda path: call("patch", path, {"spec": {"unschedulable": True}}), _NODE)
    | st.builds(_taint, _NODE, st.sampled_from(["NoSchedule", "NoExecute"]))
    | st.builds(_relabelled, _WORKLOADS | _NODE, st.sampled_from(["a", "b"]))
    | st.builds(_annotated, _WORKLOADS)
    | st.builds(_applied, st.integers(0, 5))
    | st.builds(
        lambda pods: call("patch", f"{QUOTAS}/pods", {"spec": {"hard": {"pods": str(pods)}}}, MERGE_PATCH),
        st.integers(0, 12),
    )
)


def drained(cluster: SimulatedCluster, node: str) -> list[ApiCall]:
    """Cordon a node and evict what is on it, as the tools do."""
    calls = [call("patch", f"{NODES}/{node}", {"spec": {"unschedulable": True}}, STRATEGIC_PATCH)]
    names = [key.name for key in cluster.store.pods_on(node)]
    return calls + [call("create", f"{PODS}/{name}/eviction", {"metadata": {"name": name}}) for name in names]


_DRAWN_WORDS = re.compile(r'(?<=kube-api-access-)\w{5}|(?<=pods ")[^"]+|(?<=Pod ")[^"]+')
_TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_VOLATILE = {"uid", "resourceVersion", "managedFields", "podIP", "podIPs", "containerID", "imageID", "generation"}
_VOLATILE |= {"observedGeneration", "addresses", "hostIP", "hostIPs", "deployment.kubernetes.io/revision"}
_VOLATILE |= {"nodeName", "zone", "nodeAffinity", "topology.kubernetes.io/zone"}
"""Where pods end up follows from which of several equal ones go first, and that from their drawn names."""
_UNSAID = {"events", "leases.coordination.k8s.io", "controllerrevisions.apps"}


def state(store: Store) -> Counter[str]:
    """What there is, without names that are drawn, UIDs, addresses and times."""
    return Counter(
        f"{key.resource} {_alias(key, obj)} {json.dumps(_plain(obj, _drawn(store)), sort_keys=True)}"
        for resource in store.resources()
        if resource not in _UNSAID
        for key, obj in store.items(resource)
    )


def _drawn(store: Store) -> dict[str, str]:
    """Names that are drawn, and what to call them instead."""
    found = {}
    for resource in ("pods", "endpointslices.discovery.k8s.io"):
        for key, obj in store.items(resource):
            found[key.name] = _alias(key, obj)
    return found


def _alias(key: Key, obj: Object) -> str:
    owner = next(iter(obj["metadata"].get("ownerReferences") or ()), None)
    return f"{owner['kind']} {owner['name']}" if owner and obj["metadata"].get("generateName") else key.name


def _plain(part: Any, drawn: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value, drawn) for key, value in part.items() if key not in _VOLATILE}
    if isinstance(part, list):
        return sorted((_plain(item, drawn) for item in part), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(part, str):
        return _TIMES.sub("TIME", _DRAWN_WORDS.sub("NAME", drawn.get(part, part)))
    return part
