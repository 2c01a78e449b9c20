"""Sizes of the workloads of a cluster: whose containers they are, what they used, and who else sets their requests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kubesteward_tools.analytics.sizing import RESOURCES, Container, Sizing, Workload, sizes
from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.forecasting.measured import amount, measured, wanted
from kubesteward_tools.forecasting.patience import Patience
from kubesteward_tools.forecasting.subjects import Gathered, Metric
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import CHILDREN, pods
from kubesteward_tools.lookup.metering import Metered, name_of
from kubesteward_tools.lookup.paced import each, turns
from kubesteward_tools.lookup.problems import WORKLOADS
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

MOST = 100
"""Workloads that are sized in one go, those that request most."""
MOST_PODS = 8
"""Pods of one workload whose courses are read."""
_SCALERS = "horizontalpodautoscalers.autoscaling"
_VERTICAL = "verticalpodautoscalers.autoscaling.k8s.io"
_METRICS: tuple[Metric, ...] = ("memory", "cpu")


@dataclass(slots=True)
class Sized:
    """`found` are the workloads, those with the most to save first; `missing` says what is not known."""

    found: list[Sizing] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


async def rightsize(world: World, now: float, *, target: str = "", namespace: str = "") -> Sized:
    """Of one workload, of a namespace's or of the cluster's.

    Raises:
        SteadyError: the target is not there or has no pod template of its own.
    """
    keys, total = await _chosen(world, target, namespace)
    members = {key: pods(world.store, key)[:MOST_PODS] async for key in turns(keys)}
    every = {name_of(pod): pod for found in members.values() for pod in found}
    gathered, patience = Gathered(), Patience()
    for metric in _METRICS if every else ():
        space = namespace or (keys[0].namespace if target and keys else "")
        chosen = Metered("pods", space, None, every)
        gathered.add(await measured(world, wanted(metric, chosen, patience, whole=False), now))
    courses: dict[tuple[str, str, str, str], Points] = {
        (item.namespace, item.name, item.part, item.metric): list(item.points) for item in gathered.subjects
    }
    made = [_workload(world, key, members[key], courses) async for key in turns(keys)]
    found = await asyncio.to_thread(lambda: [sizes(item) for item in made])
    looked = [
        *gathered.looked,
        f"{len(made)} workloads" + (f" of {total}, those that request most" * (total > len(made))),
    ]
    return Sized(sorted(found, key=_rank), looked, list(dict.fromkeys(gathered.missing)))


async def _chosen(world: World, target: str, namespace: str) -> tuple[list[Key], int]:
    """The workloads, and how many there are."""
    await world.ensure(*WORKLOADS, *CHILDREN, _SCALERS, _VERTICAL, namespace=namespace)
    if target:
        found = await find(world, *parse(target, "Deployment"), namespace)
        if found.key.resource in WORKLOADS:
            return [found.key], 1
        if found.key.resource != "namespaces":
            todo = "Name a Deployment, StatefulSet, DaemonSet or Namespace."
            raise AskDifferently(f"{found.label} has no template that can be sized.", todo=todo)
        namespace = found.key.name
    await check_namespace(world, namespace)
    asked = [
        (-_requested(obj), key) for kind in WORKLOADS async for key, obj in each(world.store, kind, namespace or None)
    ]
    return [key for _, key in sorted(asked)[:MOST]], len(asked)


def _requested(obj: Object) -> float:
    """Cores, and a core for each 4 GiB, over all replicas."""
    return _replicas(obj) * sum(
        (amount(_template(obj), item["name"], "requests", "cpu") or 0.0)
        + (amount(_template(obj), item["name"], "requests", "memory") or 0.0) / 2**32
        for item in states.spec(_template(obj)).get("containers") or ()
    )


def _template(obj: Object) -> Object:
    found: Object = states.spec(obj).get("template") or {}
    return found


def _replicas(obj: Object) -> int:
    if obj.get("kind") == "DaemonSet":
        return int(states.status(obj).get("desiredNumberScheduled") or 0)
    replicas = states.spec(obj).get("replicas")
    return 1 if replicas is None else int(replicas)


def _workload(
    world: World, key: Key, members: list[Object], courses: dict[tuple[str, str, str, str], Points]
) -> Workload:
    obj = world.store.get(key) or {}
    template, names = _template(obj), [pod["metadata"]["name"] for pod in members]
    containers = []
    for item in states.spec(template).get("containers") or ():
        own: dict[str, list[Points]] = {
            resource: [courses.get((key.namespace, name, item["name"], resource), []) for name in names]
            for resource in RESOURCES
        }
        asked, most = (_amounts(template, item["name"], word) for word in ("requests", "limits"))
        containers.append(Container(item["name"], asked, most, own))
    kind = str(obj.get("kind", ""))
    scaled = _utilization(world, kind, key)
    return Workload(kind, key.namespace, key.name, _replicas(obj), containers, scaled, _vertical(world, kind, key))


def _amounts(template: Object, container: str, word: str) -> dict[str, float]:
    found = {resource: amount(template, container, word, resource) for resource in RESOURCES}
    return {resource: value for resource, value in found.items() if value is not None}


def _pointing(world: World, resource: str, kind: str, key: Key, word: str) -> Iterator[Object]:
    for _, obj in world.store.items(resource, key.namespace):
        aimed = states.spec(obj).get(word) or {}
        if (aimed.get("kind"), aimed.get("name")) == (kind, key.name):
            yield obj


def _utilization(world: World, kind: str, key: Key) -> dict[str, int]:
    """Percent of the request that a HorizontalPodAutoscaler keeps, by resource."""
    found = {}
    for scaler in _pointing(world, _SCALERS, kind, key, "scaleTargetRef"):
        for metric in states.spec(scaler).get("metrics") or ():
            part: dict[str, Any] = metric.get("resource") or metric.get("containerResource") or {}
            kept = (part.get("target") or {}).get("averageUtilization")
            if kept:
                found[str(part.get("name"))] = int(kept)
    return found


def _vertical(world: World, kind: str, key: Key) -> str:
    for scaler in _pointing(world, _VERTICAL, kind, key, "targetRef"):
        policy = states.spec(scaler).get("updatePolicy") or {}
        return str(policy.get("updateMode") or "Recreate")
    return ""


def proposal(sizing: Sizing) -> Proposal | None:
    """The patch as something that can be rehearsed; None where nothing is to be changed."""
    if not sizing.patch:
        return None
    workload = sizing.workload
    return Proposal("patch", workload.kind, workload.name, workload.namespace, {"patch": sizing.patch})


def _rank(item: Sizing) -> tuple[Any, ...]:
    under = any(size.verdict == "under" for size in item.sizes)
    worth = item.saving.get("cpu", 0.0) + item.saving.get("memory", 0.0) / 2**32
    return not under, -worth, item.workload.namespace, item.workload.name, item.workload.kind
