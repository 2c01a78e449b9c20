"""How many replicas a resource metric asks for: the arithmetic of autoscaling, apart from the controller.

Source: Kubernetes docs, "Horizontal Pod Autoscaling: algorithm details".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.quantity import format_decimal, parse
from kubesteward_tools.world.store import Object

Measure = Callable[[Object, str, str | None], Fraction | None]
"""(pod, resource, container or None for all of them) to its use, None where nobody has measured it."""

TOLERANCE = Fraction(1, 10)
PARTS = {"Resource": "resource", "ContainerResource": "containerResource"}
"""The types of metrics that come from metrics.k8s.io, and where their description stands."""
_START_UP, _FIRST_READINESS, _WINDOW = 300.0, 30.0, 15.0


class NoMetric(Exception):
    """A metric cannot be had; the text is the controller's."""


class Proposal(NamedTuple):
    """Replicas, what they were derived from, and the metric as the status shows it."""

    replicas: int
    name: str
    current: dict[str, Any]


class Groups(NamedTuple):
    """Names of the pods that count, by what is known of them; `used` is of those that are ready and measured."""

    used: dict[str, Fraction]
    unready: list[str]
    missing: list[str]


class Tolerances(NamedTuple):
    down: Fraction = TOLERANCE
    up: Fraction = TOLERANCE

    def swallow(self, ratio: Fraction) -> bool:
        return 1 - self.down <= ratio <= 1 + self.up


def group(pods: list[Object], measure: Callable[[Object], Fraction | None], resource: str, now: float) -> Groups:
    """Pods that are going or have failed do not count; those that only just start have no cpu figure to trust."""
    groups = Groups({}, [], [])
    for pod in pods:
        status, name = pod.get("status") or {}, pod["metadata"]["name"]
        if "deletionTimestamp" in pod["metadata"] or status.get("phase") == "Failed":
            continue
        used = measure(pod)
        if status.get("phase") == "Pending":
            groups.unready.append(name)
        elif used is None:
            groups.missing.append(name)
        elif resource == "cpu" and _is_starting(status, now):
            groups.unready.append(name)
        else:
            groups.used[name] = used
    return groups


def _is_starting(status: dict[str, Any], now: float) -> bool:
    ready = next((item for item in status.get("conditions") or () if item["type"] == "Ready"), None)
    if ready is None or not status.get("startTime"):
        return True
    started, changed = parse_timestamp(status["startTime"]), parse_timestamp(ready["lastTransitionTime"])
    if started + _START_UP > now:
        return bool(ready["status"] == "False" or now < changed + _WINDOW)
    return bool(ready["status"] == "False" and started + _FIRST_READINESS > changed)


def proposed(  # noqa: PLR0917 - what the controller knows, in the order in which it learns it
    metric: Mapping[str, Any], pods: list[Object], current: int, now: float, measure: Measure, tolerances: Tolerances
) -> Proposal:
    """What one Resource or ContainerResource metric of an autoscaler's spec asks for.

    Raises:
        NoMetric: nobody is measured, or a request is missing that the target is a share of.
    """
    part = PARTS.get(metric["type"])
    if part is None:
        raise NoMetric(f"unable to get metric of type {metric['type']}: no metrics API serves it")
    source = metric[part]
    resource, container, target = source["name"], source.get("container"), source["target"]
    groups = group(pods, lambda pod: measure(pod, resource, container), resource, now)
    if not pods:
        raise NoMetric(
            f"failed to get {resource} utilization: no pods returned by selector while calculating replica count"
        )
    if not groups.used:
        why = "did not receive metrics for targeted pods (pods might be unready)"
        raise NoMetric(f"failed to get {resource} utilization: {why}")
    shown = {"averageValue": format_decimal(sum(groups.used.values(), Fraction()) / len(groups.used))}
    kind = "container resource" if container else "resource"
    if "averageUtilization" in target:
        shares = _requests(pods, resource, container)
        target_share = Fraction(target["averageUtilization"], 100)
        replicas = _Rule(shares, target_share, is_utilization=True).replicas(groups, current, tolerances)
        name = f"{resource} {kind} utilization (percentage of request)"
        return Proposal(replicas, name, {**shown, "averageUtilization": _utilization(groups.used, shares)})
    one_each = {pod["metadata"]["name"]: Fraction(1) for pod in pods}
    replicas = _Rule(one_each, parse(target["averageValue"])).replicas(groups, current, tolerances)
    return Proposal(replicas, f"{resource} {kind}", shown)


def _requests(pods: list[Object], resource: str, container: str | None) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for pod in pods:
        total = Fraction()
        for item in pod["spec"]["containers"]:
            if container not in {None, item["name"]}:
                continue
            asked = ((item.get("resources") or {}).get("requests") or {}).get(resource)
            if asked is None:
                where = f"container {item['name']} of Pod {pod['metadata']['name']}"
                raise NoMetric(f"failed to get {resource} utilization: missing request for {resource} in {where}")
            total += parse(asked)
        found[pod["metadata"]["name"]] = total
    return found


def _utilization(used: dict[str, Fraction], requests: dict[str, Fraction]) -> int:
    """In percent of the requests of the pods that are measured, rounded down."""
    total = sum((requests[name] for name in used), Fraction())
    return int(100 * sum(used.values(), Fraction()) / total) if total else 0


class _Rule(NamedTuple):
    """A pod shall use `target` times its share: its request, or 1 where the target is an amount."""

    shares: dict[str, Fraction]
    target: Fraction
    is_utilization: bool = False

    def ratio(self, used: dict[str, Fraction]) -> Fraction:
        total = sum((self.shares[name] for name in used), Fraction())
        average = sum(used.values(), Fraction()) / total if total else Fraction()
        if self.is_utilization:
            average = Fraction(int(average * 100), 100)
        return average / self.target

    def replicas(self, groups: Groups, current: int, tolerances: Tolerances) -> int:
        """Who is not measured is assumed to do what keeps the change small."""
        ratio = self.ratio(groups.used)
        growing = bool(groups.unready) and ratio > 1
        if not growing and not groups.missing:
            return current if tolerances.swallow(ratio) else math.ceil(ratio * len(groups.used))
        used = dict(groups.used)
        fill = max(Fraction(1), self.target) if self.is_utilization else self.target
        for name in groups.missing:
            used[name] = fill * self.shares[name] if ratio < 1 else Fraction()
        for name in groups.unready if growing else ():
            used[name] = Fraction()
        again = self.ratio(used)
        if tolerances.swallow(again) or (again > 1) != (ratio > 1):
            return current
        wanted = math.ceil(again * len(used))
        return current if (wanted > current) != (again > 1) else wanted
