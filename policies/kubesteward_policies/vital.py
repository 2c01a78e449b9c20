"""What the API server itself stands on. A change that takes it away could not be taken back through the API.

By names, as kubeadm and the common network plug-ins give them; a cluster that names its own parts otherwise is left to
the rule for system namespaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kubesteward_policies.change import ApiCall, Change

SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_KEPT_NAMESPACES = SYSTEM_NAMESPACES | {"default"}
_SERVERS = re.compile(r"(kube-apiserver|etcd)(-.*)?")
_ENDPOINTS = frozenset({"Service", "Endpoints", "EndpointSlice"})
_EXTENSIONS = re.compile(r"(|.*\.)metrics\.k8s\.io")
_DNS = frozenset({"coredns", "kube-dns"})
_NETWORK = re.compile(
    r"kube-proxy|aws-node|azure-(cni|ipam|npm).*|calico-node|canal|cilium|antrea-agent|kindnet|kube-flannel(-ds)?"
    r"|kube-router|ovnkube-node|weave-net|netd|sdn|multus|kube-multus-ds"
)
_WORKLOADS = frozenset({"Deployment", "DaemonSet", "ReplicaSet", "StatefulSet"})


def vital(change: Change, control_plane: Collection[str]) -> str:
    """Why the change would take down what the API server depends on, "" where it does not.

    `control_plane` are the names of the nodes that carry it.
    """
    found = next((reason for call in change.calls for rule in _RULES if (reason := rule(call))), "")
    return found or _last_node(change, control_plane)


def _system_namespace(call: ApiCall) -> str:
    target = call.target
    whole = call.verb == "delete" or call.path.endswith("/finalize")
    if target.kind == "Namespace" and target.name in _KEPT_NAMESPACES and whole:
        return f"the cluster cannot do without the namespace {target.name}"
    return ""


def _server(call: ApiCall) -> str:
    """The static pods of a control plane, and what carries one that is hosted."""
    target = call.target
    if target.namespace == "kube-system" and target.kind in {"Pod", *_WORKLOADS} and _SERVERS.fullmatch(target.name):
        return f"{target} is the API server or its store"
    if (target.kind, target.path) == ("ConfigMap", "kube-system/extension-apiserver-authentication"):
        return f"{target} tells the API server whom to trust"
    return ""


def _endpoint(call: ApiCall) -> str:
    target = call.target
    if target.kind in _ENDPOINTS and target.path == "default/kubernetes":
        return f"{target} is the way to the API server"
    return ""


def _api(call: ApiCall) -> str:
    """APIServices are named VERSION.GROUP; those of the API server itself have no group or one of k8s.io."""
    if call.target.kind != "APIService":
        return ""
    group = call.target.name.partition(".")[2]
    own = "." not in group or group.endswith(".k8s.io")
    return f"{call.target} serves a part of Kubernetes itself" if own and not _EXTENSIONS.fullmatch(group) else ""


def _network(call: ApiCall) -> str:
    target = call.target
    dns = target.namespace in {"kube-system", "openshift-dns"} and target.name in _DNS
    network = target.kind == "DaemonSet" and _NETWORK.fullmatch(target.name)
    if target.kind in _WORKLOADS and (dns or network) and (call.verb == "delete" or _to_zero(call.body)):
        return f"{target} carries the {'names' if dns else 'network'} of the whole cluster"
    return ""


_RULES: tuple[Callable[[ApiCall], str], ...] = (_system_namespace, _server, _endpoint, _api, _network)


def _last_node(change: Change, control_plane: Collection[str]) -> str:
    gone = {call.target.name for call in change.calls if call.target.kind == "Node" and call.verb == "delete"}
    if control_plane and gone.issuperset(control_plane):
        return f"no node of the control plane would be left after {', '.join(sorted(control_plane))}"
    return ""


def _to_zero(body: Any) -> bool:
    """Whether an object or a patch sets spec.replicas to 0."""
    if isinstance(body, Mapping):
        spec = body.get("spec")
        return isinstance(spec, Mapping) and spec.get("replicas") == 0
    operations = [item for item in body if isinstance(item, Mapping)] if isinstance(body, list | tuple) else []
    return any(_is_zero(item) for item in operations if item.get("op") in {"add", "replace"})


def _is_zero(operation: Mapping[str, Any]) -> bool:
    path, value = operation.get("path"), operation.get("value")
    whole = path in {"", "/spec"} and isinstance(value, Mapping) and _to_zero(value if path == "" else {"spec": value})
    return whole or (path == "/spec/replicas" and value == 0)
