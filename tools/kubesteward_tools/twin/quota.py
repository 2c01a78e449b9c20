"""Resource arithmetic: what a pod asks for, and what an object costs a ResourceQuota.

Sources: KEP-753 (restartable init containers), API docs of ResourceQuota and `core/v1` resource names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.quantity import parse

Amounts = dict[str, Fraction]

_COMPUTE = {"cpu", "memory", "ephemeral-storage"}
_OBJECT_COUNTS = {
    "configmaps",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
}


def amounts(quantities: Mapping[str, Any] | None) -> Amounts:
    return {name: parse(value) for name, value in (quantities or {}).items()}


def effective_requests(pod_spec: Mapping[str, Any]) -> Amounts:
    """What the scheduler and quotas count: max(containers and sidecars, init steps) plus overhead; exact, by name."""
    return _effective(pod_spec, "requests")


def effective_limits(pod_spec: Mapping[str, Any]) -> Amounts:
    return _effective(pod_spec, "limits")


def _effective(spec: Mapping[str, Any], part: str) -> Amounts:
    running = _sum(_of(container, part) for container in spec.get("containers") or ())
    sidecars, peak = Amounts(), Amounts()
    for container in spec.get("initContainers") or ():
        own = _of(container, part)
        if container.get("restartPolicy") == "Always":
            sidecars = _sum((sidecars, own))
            peak = _max(peak, sidecars)
        else:
            peak = _max(peak, _sum((sidecars, own)))
    total = _max(_sum((running, sidecars)), peak)
    total = {**total, **amounts((spec.get("resources") or {}).get(part))}
    overhead = amounts(spec.get("overhead"))
    if part == "limits":
        overhead = {name: value for name, value in overhead.items() if name in total}
    return _sum((total, overhead))


def _of(container: Mapping[str, Any], part: str) -> Amounts:
    return amounts((container.get("resources") or {}).get(part))


def _sum(items: Iterable[Amounts]) -> Amounts:
    total: Amounts = {}
    for item in items:
        for name, value in item.items():
            total[name] = total.get(name, Fraction(0)) + value
    return total


def _max(a: Amounts, b: Amounts) -> Amounts:
    return {name: max(a.get(name, Fraction(0)), b.get(name, Fraction(0))) for name in {**a, **b}}


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
    requests, limits = effective_requests(pod["spec"]), effective_limits(pod["spec"])
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
        requests, limits = _of(container, "requests"), _of(container, "limits")
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
