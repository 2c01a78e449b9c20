"""What a new cluster comes with: namespaces, nodes, classes, and the default RBAC roles and bindings."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.api import Api
from kubesteward_tools.world.store import Key

RBAC = "rbac.authorization.k8s.io"
VERSION = "v1.36.2"
_READ = ["get", "list", "watch"]
_WRITE = ["create", "delete", "deletecollection", "patch", "update"]
_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")

_WORKLOADS: dict[str, list[str]] = {
    "": [
        "configmaps",
        "endpoints",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "replicationcontrollers/scale",
        "serviceaccounts",
        "services",
    ],
    "apps": [
        "daemonsets",
        "deployments",
        "deployments/scale",
        "replicasets",
        "replicasets/scale",
        "statefulsets",
        "statefulsets/scale",
    ],
    "autoscaling": ["horizontalpodautoscalers"],
    "batch": ["cronjobs", "jobs"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "policy": ["poddisruptionbudgets"],
}
_VISIBLE: dict[str, list[str]] = {
    "": ["bindings", "events", "limitranges", "namespaces", "pods/log", "pods/status", "resourcequotas"],
    "apps": ["controllerrevisions", "deployments/status", "replicasets/status", "statefulsets/status"],
    "discovery.k8s.io": ["endpointslices"],
    "metrics.k8s.io": ["pods", "nodes"],
}


def populate(api: Api, nodes: int) -> None:
    """Fill an empty store."""
    for name in _NAMESPACES:
        api.create("namespaces", "", {"metadata": {"name": name}})
    for number in range(1, nodes + 1):
        add_node(api, f"node-{number}", zone="abc"[(number - 1) % 3])
    for name, value in (("system-cluster-critical", 2_000_000_000), ("system-node-critical", 2_000_001_000)):
        api.create("priorityclasses.scheduling.k8s.io", "", {"metadata": {"name": name}, "value": value})
    _storage(api)
    _roles(api)


def add_node(api: Api, name: str, *, zone: str = "a", cpu: str = "4", memory: str = "16Gi") -> None:
    """A Ready node, as its kubelet would register it."""
    number = api.store.count("nodes") + 1
    room = {"cpu": cpu, "memory": memory, "ephemeral-storage": "100Gi", "pods": "110"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "uid": api.names.uid(),
            "creationTimestamp": api.clock.timestamp,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "topology.kubernetes.io/region": "sim-1",
                "topology.kubernetes.io/zone": f"sim-1{zone}",
            },
        },
        "spec": {"podCIDR": f"10.128.{number % 256}.0/24", "podCIDRs": [f"10.128.{number % 256}.0/24"]},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": list(_conditions(api.clock.timestamp)),
            "addresses": [
                {"type": "InternalIP", "address": f"10.200.{number // 250}.{number % 250 + 1}"},
                {"type": "Hostname", "address": name},
            ],
            "nodeInfo": {
                "kubeletVersion": VERSION,
                "kubeProxyVersion": "",
                "osImage": "Simulated Linux",
                "kernelVersion": "6.12.0",
                "containerRuntimeVersion": "containerd://2.1.4",
                "operatingSystem": "linux",
                "architecture": "amd64",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }
    api.replace(Key("nodes", "", name), node)


def _conditions(now: str) -> list[dict[str, Any]]:
    pressure = (
        ("MemoryPressure", "SufficientMemory"),
        ("DiskPressure", "NoDiskPressure"),
        ("PIDPressure", "SufficientPID"),
    )
    times = {"lastHeartbeatTime": now, "lastTransitionTime": now}
    found = [
        {"type": kind, "status": "False", **times, "reason": f"KubeletHas{why}", "message": f"kubelet has {why}"}
        for kind, why in pressure
    ]
    ready = {"reason": "KubeletReady", "message": "kubelet is posting ready status"}
    return [*found, {"type": "Ready", "status": "True", **times, **ready}]


def _storage(api: Api) -> None:
    default = {"storageclass.kubernetes.io/is-default-class": "true"}
    metadata = {"name": "standard", "annotations": default}
    api.create("storageclasses.storage.k8s.io", "", {"metadata": metadata, "provisioner": "sim.kubesteward.dev/disk"})


def _rules(verbs: list[str], table: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"apiGroups": [group], "resources": names, "verbs": verbs} for group, names in table.items()]


def _roles(api: Api) -> None:
    secrets = [{"apiGroups": [""], "resources": ["secrets"], "verbs": [*_READ, *_WRITE]}]
    pods = [{"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]}]
    rbac = [{"apiGroups": [RBAC], "resources": ["rolebindings", "roles"], "verbs": [*_READ, *_WRITE]}]
    view = _rules(_READ, _WORKLOADS) + _rules(_READ, _VISIBLE)
    edit = view + _rules(_WRITE, _WORKLOADS) + secrets + pods
    everything = [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    reviews = [
        {
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            "verbs": ["create"],
        },
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ]
    paths = [
        "/api",
        "/api/*",
        "/apis",
        "/apis/*",
        "/healthz",
        "/livez",
        "/openapi",
        "/openapi/*",
        "/readyz",
        "/version",
        "/version/",
    ]
    discovery = [{"nonResourceURLs": paths, "verbs": ["get"]}]
    roles = {
        "cluster-admin": everything,
        "admin": edit + rbac,
        "edit": edit,
        "view": view,
        "system:basic-user": reviews,
        "system:discovery": discovery,
    }
    for name, rules in roles.items():
        api.create(f"clusterroles.{RBAC}", "", {"metadata": {"name": name}, "rules": rules})
    bindings = {
        "cluster-admin": "system:masters",
        "system:basic-user": "system:authenticated",
        "system:discovery": "system:authenticated",
    }
    for role, group in bindings.items():
        reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
        subjects = [{"kind": "Group", "apiGroup": RBAC, "name": group}]
        api.create(
            f"clusterrolebindings.{RBAC}", "", {"metadata": {"name": role}, "roleRef": reference, "subjects": subjects}
        )
