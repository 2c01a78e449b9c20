"""Resource arithmetic: what a pod asks for, and what an object costs a ResourceQuota.

Sources: KEP-753 (restartable init containers), API docs of ResourceQuota and `core/v1` resource names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.amounts import Amounts, amounts
from kubesteward_tools.twin.podsize import of_pod
from kubesteward_tools.twin.quantity import Quantity

_COMPUTE = {"cpu", "memory", "ephemeral-storage"}
_OBJECT_COUNTS = {
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
}


def effective_requests(pod_spec: Mapping[str, Any]) -> dict[str, Quantity]:
    """What the scheduler and quotas count for a pod: max(containers and sidecars, steps of init) plus overhead.

    Sources: "Resource sharing within containers" (init containers), KEP-753 (restartable ones), KEP-2837 (pod-level
    resources, which stand in for the containers' where they are set), KEP-688 (overhead).

    Args:
        pod_spec: a pod's spec; a Pod or a pod template too.

    Returns:
        By resource name ("cpu", "memory", "nvidia.com/gpu") an exact number in its base unit (cores, bytes), which
        prints as a quantity: {name: str(value)} is plain JSON, {"cpu": "250m"}.

    Raises:
        ValueError: one of the quantities cannot be read.
    """
    pod = pod_spec if "containers" not in pod_spec and "spec" in pod_spec else {"spec": pod_spec}
    return {name: Quantity(value) for name, value in of_pod(pod, "requests").items()}


def is_terminal(pod: Mapping[str, Any]) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def usage(resource: str, obj: Mapping[str, Any]) -> Amounts:
    """What one object costs, by quota resource name."""
    cost: Amounts = {f"count/{resource}": Fraction(1)}
    if resource in _OBJECT_COUNTS:
        cost[resource] = Fraction(1)
    if resource == "pods":
        return cost | _pod_usage(obj)
    if resource == "services":
        cost |= _service_usage(obj["spec"])
    if resource == "persistentvolumeclaims":
        cost |= _claim_usage(obj["spec"])
    return cost


def _pod_usage(pod: Mapping[str, Any]) -> Amounts:
    if is_terminal(pod):
        return {}
    requests, limits = of_pod(pod, "requests"), of_pod(pod, "limits")
    cost: Amounts = {"pods": Fraction(1)}
    for name, value in requests.items():
        cost[f"requests.{name}"] = value
        if name in _COMPUTE:
            cost[name] = value
    cost |= {f"limits.{name}": value for name, value in limits.items()}
    return cost


def _service_usage(spec: Mapping[str, Any]) -> Amounts:
    kind, ports = spec.get("type"), len(spec.get("ports") or ())
    allocates = spec.get("allocateLoadBalancerNodePorts", True)
    node_ports = ports if kind == "NodePort" or (kind == "LoadBalancer" and allocates) else 0
    return {"services.nodeports": Fraction(node_ports), "services.loadbalancers": Fraction(kind == "LoadBalancer")}


def _claim_usage(spec: Mapping[str, Any]) -> Amounts:
    size = amounts((spec.get("resources") or {}).get("requests")).get("storage", Fraction(0))
    cost: Amounts = {"requests.storage": size}
    if name := spec.get("storageClassName"):
        prefix = f"{name}.storageclass.storage.k8s.io"
        cost |= {f"{prefix}/requests.storage": size, f"{prefix}/persistentvolumeclaims": Fraction(1)}
    return cost


def in_scope(quota: Mapping[str, Any], resource: str, obj: Mapping[str, Any]) -> bool:
    """Whether a quota's scopes cover the object. Scopes speak of pods; a quota with scopes counts nothing else."""
    spec = quota.get("spec") or {}
    scopes = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    scopes += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    if not scopes:
        return True
    return resource == "pods" and all(_in_one_scope(scope, obj["spec"]) for scope in scopes)


def _in_one_scope(scope: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    name = scope["scopeName"]
    if name in {"Terminating", "NotTerminating"}:
        return bool((spec.get("activeDeadlineSeconds") is not None) == (name == "Terminating"))
    if name in {"BestEffort", "NotBestEffort"}:
        return bool((qos_class(spec) == "BestEffort") == (name == "BestEffort"))
    if name == "CrossNamespacePodAffinity":
        return _crosses_namespaces(spec.get("affinity") or {})
    value, operator, values = spec.get("priorityClassName"), scope["operator"], scope.get("values") or ()
    return {
        "Exists": bool(value),
        "DoesNotExist": not value,
        "In": value in values,
        "NotIn": value not in values,
    }[operator]


def _crosses_namespaces(affinity: Mapping[str, Any]) -> bool:
    terms: list[Mapping[str, Any]] = []
    for name in ("podAffinity", "podAntiAffinity"):
        rules = affinity.get(name) or {}
        terms += rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = rules.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        terms += [item["podAffinityTerm"] for item in preferred]
    return any(term.get("namespaces") or term.get("namespaceSelector") is not None for term in terms)


def qos_class(spec: Mapping[str, Any]) -> str:
    """Guaranteed, Burstable or BestEffort, by cpu and memory of all containers."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    asked, guaranteed = False, True
    for container in containers:
        resources = container.get("resources") or {}
        requests, limits = amounts(resources.get("requests")), amounts(resources.get("limits"))
        for name in ("cpu", "memory"):
            request, limit = requests.get(name, Fraction(0)), limits.get(name, Fraction(0))
            asked = asked or bool(request or limit)
            guaranteed = guaranteed and bool(limit) and request == limit
    if not asked:
        return "BestEffort"
    return "Guaranteed" if guaranteed else "Burstable"


def total_usage(quota: Mapping[str, Any], counted: Iterable[tuple[str, Mapping[str, Any]]]) -> Amounts:
    """What a quota's status should say is used, for the names that it limits."""
    total = Counter[str]()
    hard = (quota.get("spec") or {}).get("hard") or {}
    for resource, obj in counted:
        if in_scope(quota, resource, obj):
            for name, value in usage(resource, obj).items():
                if name in hard:
                    total[name] += value  # type: ignore[assignment]
    return {name: Fraction(total[name]) for name in hard}


def resources_of(hard: Iterable[str]) -> set[str]:
    """The store resources that the names of a quota speak of."""
    found = set[str]()
    for name in hard:
        if name.startswith("count/"):
            found.add(name.removeprefix("count/"))
        elif name.startswith("services"):
            found.add("services")
        elif name in _OBJECT_COUNTS:
            found.add(name)
        elif "storage" in name and "ephemeral" not in name:
            found.add("persistentvolumeclaims")
        else:
            found.add("pods")
    return found
