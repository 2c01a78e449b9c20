"""What a workload's containers should request and may use, by what they did use. Pure arithmetic on samples.

The worst pod counts and not the mean of all: a template is every pod's. Requests may fall and rise, limits only rise:
what a container never used so far it may need tomorrow, and a limit costs nothing until then. Nothing is lowered before
a whole day is known, for nights are quiet.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kubesteward_tools.analytics.lines import Points
from kubesteward_tools.analytics.trend import DAY, trend
from kubesteward_tools.world.metrics.summary import percentile

Resource = Literal["cpu", "memory"]
RESOURCES: tuple[Resource, ...] = ("cpu", "memory")
Verdict = Literal["over", "under", "unrequested", "fits", "unknown"]

OVER, UNDER = 0.3, 0.9
"""P95 below this share of the request, P99 above that share of the limit."""
HEADROOM = 1.2
"""Over P95 of cpu and P99 of memory."""
ABOVE_PEAK = 1.1
"""Memory is never requested below its peak and a tenth: what is short of it is killed or evicted."""
RAISED = 1.5
"""A limit that is too small becomes so many times P99."""
FEWEST, SHORTEST = 60, 3000.0
"""Samples of one pod, and seconds that they cover, before anything is said."""
_LEAST = {"cpu": 0.01, "memory": 32.0 * 2**20}
_STEP = {"cpu": 0.005, "memory": 2.0**20}
_WORTH = 0.1
"""A change of a request by less is not worth a rollout."""


@dataclass(frozen=True, slots=True)
class Container:
    """Cores and bytes. `courses` are the samples of each pod, by resource."""

    name: str
    requests: Mapping[str, float]
    limits: Mapping[str, float]
    courses: Mapping[str, Sequence[Points]]


@dataclass(frozen=True, slots=True)
class Workload:
    """`utilization` is what an autoscaler keeps each resource at, in percent of the request; `vertical` the mode of a
    VerticalPodAutoscaler, "" without one."""

    kind: str
    namespace: str
    name: str
    replicas: int
    containers: Sequence[Container]
    utilization: Mapping[str, int] = field(default_factory=dict)
    vertical: str = ""


@dataclass(frozen=True, slots=True)
class Size:
    """`request` and `limit` are None where there is none; `wanted` and `allowed` None where they should stay."""

    container: str
    resource: Resource
    verdict: Verdict
    samples: int
    span: float
    p95: float = 0.0
    p99: float = 0.0
    peak: float = 0.0
    request: float | None = None
    limit: float | None = None
    wanted: float | None = None
    allowed: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sizing:
    """`patch` is a strategic merge patch, empty where nothing is to be changed. `saving` is in cores and bytes over all
    replicas; below zero it costs that much more."""

    workload: Workload
    sizes: tuple[Size, ...]
    patch: dict[str, Any]
    saving: dict[str, float]
    notes: tuple[str, ...]


def sizes(workload: Workload) -> Sizing:
    """Every container's two resources, and one patch for all that should change."""
    found = tuple(_size(workload, item, resource) for item in workload.containers for resource in RESOURCES)
    changed = [item for item in found if item.wanted is not None or item.allowed is not None]
    saving: dict[str, float] = {}
    for item in changed:
        if item.wanted is not None:
            less = ((item.request or 0.0) - item.wanted) * workload.replicas
            saving[item.resource] = saving.get(item.resource, 0.0) + less
    return Sizing(workload, found, _patch(changed), saving, tuple(_notes(workload, changed)))


def _size(workload: Workload, container: Container, resource: Resource) -> Size:
    courses = [course for course in container.courses.get(resource, ()) if course]
    longest = max(courses, key=len, default=[])
    span = longest[-1][0] - longest[0][0] if longest else 0.0
    request, limit = container.requests.get(resource), container.limits.get(resource)
    bare = Size(container.name, resource, "unknown", len(longest), span, request=request, limit=limit)
    usable = [course for course in courses if len(course) >= FEWEST and course[-1][0] - course[0][0] >= SHORTEST]
    if not usable:
        known = f"{len(longest)} sample{'s' * (len(longest) != 1)} over {span / 60:.0f} min"
        few = f"{known}; {FEWEST} over {SHORTEST / 60:.0f} min are needed"
        return replace(bare, notes=(few,))
    values = [[value for _, value in course] for course in usable]
    measured = replace(
        bare,
        p95=max(percentile(item, 0.95) for item in values),
        p99=max(percentile(item, 0.99) for item in values),
        peak=max(map(max, values)),
    )
    return _judged(workload, measured, usable)


def _judged(workload: Workload, size: Size, courses: Sequence[Points]) -> Size:
    notes = [] if size.limit else [f"no {size.resource} limit"]
    under = bool(size.limit) and size.p99 > UNDER * (size.limit or 0.0)
    over = bool(size.request) and size.p95 < OVER * (size.request or 0.0)
    verdict: Verdict = "under" if under else "unrequested" if not size.request else "over" if over else "fits"
    size = replace(size, verdict=verdict)
    if verdict == "fits":
        return replace(size, notes=tuple(notes))
    if verdict == "unrequested":
        notes.append(f"no {size.resource} request")
    if size.resource == "memory" and any(_grows(course) for course in courses):
        return replace(size, notes=(*notes, "its memory grows: a size mends no leak"))
    wanted, allowed = _request(size), _limit(size) if under else None
    if allowed is not None and wanted is not None and wanted > allowed:
        allowed = wanted
    return _held_back(workload, size, wanted, allowed, notes)


def _held_back(workload: Workload, size: Size, wanted: float | None, allowed: float | None, notes: list[str]) -> Size:
    """Who else has a say: a day that is not known, an autoscaler."""
    if wanted is not None and size.request and wanted < size.request and size.span < DAY * 0.9:
        notes.append(f"only {size.span / 3600:.1f} h are known: nothing is lowered before a whole day is")
        wanted = None
    if workload.vertical and workload.vertical != "Off":
        notes.append(f"a VerticalPodAutoscaler ({workload.vertical}) sets it")
        return replace(size, notes=tuple(notes))
    kept = workload.utilization.get(size.resource)
    if wanted is not None and kept and size.request:
        target = max(1, round(kept * size.request / wanted))
        scaled = f"an autoscaler keeps it at {kept} % of the request: with the new one, {target} % would mean the same"
        notes.append(f"{scaled}; change both or neither")
        wanted = None
    return replace(size, wanted=wanted, allowed=allowed, notes=tuple(notes))


def _request(size: Size) -> float | None:
    """None where the one that there is is near enough."""
    base = size.p95 * HEADROOM if size.resource == "cpu" else max(size.p99 * HEADROOM, size.peak * ABOVE_PEAK)
    wanted = _rounded(size.resource, max(base, _LEAST[size.resource]))
    if size.verdict == "under" and size.request is not None:
        wanted = max(wanted, size.request)
    if size.verdict != "under" and size.limit is not None:
        wanted = min(wanted, size.limit)
    if size.request and abs(wanted - size.request) < _WORTH * size.request:
        return None
    return wanted


def _limit(size: Size) -> float:
    return _rounded(size.resource, max(size.p99 * RAISED, size.peak * HEADROOM, size.limit or 0.0))


def _rounded(resource: str, value: float) -> float:
    """Up, to what people write."""
    step = _STEP[resource]
    return math.ceil(round(value / step, 6)) * step


def _grows(course: Points) -> bool:
    return trend(course, None, DAY).verdict == "growing"


def quantity(resource: str, value: float) -> str:
    """As a manifest has it."""
    return f"{round(value * 1000)}m" if resource == "cpu" else f"{math.ceil(value / 2**20)}Mi"


def _patch(changed: Sequence[Size]) -> dict[str, Any]:
    containers: dict[str, dict[str, dict[str, str]]] = {}
    for item in changed:
        resources = containers.setdefault(item.container, {})
        for word, value in (("requests", item.wanted), ("limits", item.allowed)):
            if value is not None:
                resources.setdefault(word, {})[item.resource] = quantity(item.resource, value)
    if not containers:
        return {}
    named = [{"name": name, "resources": resources} for name, resources in containers.items()]
    return {"spec": {"template": {"spec": {"containers": named}}}}


def _notes(workload: Workload, changed: Sequence[Size]) -> list[str]:
    notes = []
    if changed:
        notes.append("a new template: its pods are replaced")
    if changed and _is_guaranteed(workload):
        notes.append("its pods are Guaranteed now and would be Burstable: they are evicted earlier")
    return notes


def _is_guaranteed(workload: Workload) -> bool:
    return all(
        item.requests.get(resource) is not None and item.requests.get(resource) == item.limits.get(resource)
        for item in workload.containers
        for resource in RESOURCES
    )
