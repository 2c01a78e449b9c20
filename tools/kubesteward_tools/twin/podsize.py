"""How much one pod asks for: of all its containers together, as the scheduler, quotas and LimitRanges count it.

Sources: KEP-753 (restartable init containers), KEP-2837 (pod-level resources), KEP-1287 (in-place resize: until a
container has been resized, what it was given counts as much as what it asks for), `k8s.io/component-helpers/resource`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kubesteward_tools.twin.amounts import Amounts, amounts, greatest, total

Part = Literal["requests", "limits"]
_Spec = Mapping[str, Any]


def of_pod(pod: Mapping[str, Any], part: Part, *, overhead: bool = True) -> Amounts:
    """Of a pod with its status: the greatest of what it asks for, what it has, and what it was granted."""
    found = Amounts()
    for spec in _versions(pod, part):
        found = greatest(found, of_spec(spec, part, overhead=overhead))
    return found


def of_spec(spec: _Spec, part: Part, *, overhead: bool = True) -> Amounts:
    running = total(_asked(container, part) for container in spec.get("containers") or ())
    sidecars, peak = Amounts(), Amounts()
    for container in spec.get("initContainers") or ():
        own = _asked(container, part)
        if container.get("restartPolicy") == "Always":
            sidecars = total((sidecars, own))
            peak = greatest(peak, sidecars)
        else:
            peak = greatest(peak, total((sidecars, own)))
    all_of_it = greatest(total((running, sidecars)), peak)
    all_of_it |= amounts((spec.get("resources") or {}).get(part))
    if not overhead:
        return all_of_it
    more = amounts(spec.get("overhead"))
    if part == "limits":
        more = {name: value for name, value in more.items() if name in all_of_it}
    return total((all_of_it, more))


def is_resized(pod: Mapping[str, Any]) -> bool:
    """Whether what a container has or was granted differs from what it asks for now."""
    statuses = _statuses(pod)
    return bool(statuses) and any(
        (found := statuses.get(item.get("name"))) is not None and _differs(item, found) for item in _containers(pod)
    )


def _differs(container: _Spec, status: _Spec) -> bool:
    asked = container.get("resources") or {}
    has, granted = status.get("resources") or {}, status.get("allocatedResources")
    parts = ((has.get(part), asked.get(part)) for part in ("requests", "limits"))
    return any(one and one != other for one, other in (*parts, (granted, asked.get("requests"))))


def _versions(pod: Mapping[str, Any], part: Part) -> Iterator[_Spec]:
    """The spec as it is asked for, as it runs, and as it was granted. A resize that cannot be is not counted."""
    spec = pod.get("spec") or {}
    if not is_resized(pod):
        yield spec
        return
    if part == "limits" or not _is_infeasible(pod):
        yield spec
    statuses = _statuses(pod)
    yield _replaced(spec, {name: (item.get("resources") or {}).get(part) for name, item in statuses.items()}, part)
    if part == "requests":
        yield _replaced(spec, {name: item.get("allocatedResources") for name, item in statuses.items()}, part)


def _replaced(spec: _Spec, found: Mapping[str, Any], part: Part) -> _Spec:
    def other(container: _Spec) -> _Spec:
        name = container.get("name", "")
        return {**container, "resources": {part: found[name] or {}}} if name in found else container

    parts = {key: [other(item) for item in spec.get(key) or ()] for key in ("containers", "initContainers")}
    return {**spec, **parts}


def _containers(pod: Mapping[str, Any]) -> list[_Spec]:
    spec = pod.get("spec") or {}
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def _statuses(pod: Mapping[str, Any]) -> dict[Any, _Spec]:
    """By container name, those that say what the container has; the kubelet says it only where it can resize."""
    status = pod.get("status") or {}
    found = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    return {item.get("name"): item for item in found if item.get("resources") or item.get("allocatedResources")}


def _is_infeasible(pod: Mapping[str, Any]) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "PodResizePending" and item.get("reason") == "Infeasible" for item in conditions)


def _asked(container: _Spec, part: Part) -> Amounts:
    return amounts((container.get("resources") or {}).get(part))
