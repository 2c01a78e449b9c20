"""What metrics are asked of: the pods, nodes, namespaces or claims that a target means, and how much each may use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import CHILDREN, pods
from kubesteward_tools.lookup.paced import each
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.metrics.readings import Name
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_LEVELS = {
    **dict.fromkeys(("node", "nodes", "no"), "nodes"),
    **dict.fromkeys(("namespace", "namespaces", "ns"), "namespaces"),
    **dict.fromkeys(("persistentvolumeclaim", "persistentvolumeclaims", "pvc"), "persistentvolumeclaims"),
}
_NEEDED = {
    "nodes": ("nodes",),
    "namespaces": ("namespaces", "pods"),
    "persistentvolumeclaims": ("persistentvolumeclaims",),
}


@dataclass(frozen=True, slots=True)
class Metered:
    """`objects` are all that values are wanted of; `names` says which where they are not simply all."""

    level: str
    namespace: str
    names: frozenset[str] | None
    objects: Mapping[Name, Object]


def level_of(target: str) -> str:
    """Of what one value each is wanted: "nodes" for `nodes` and `node/x`, "pods" for everything that has pods."""
    return _LEVELS.get(target.partition("/")[0].strip().lower(), "pods")


def needed(level: str) -> tuple[str, ...]:
    """The kinds that have to be seen; without the first, nothing can be answered."""
    return _NEEDED.get(level, ("pods", *(item for item in CHILDREN if item != "pods")))


async def metered(world: World, target: str, namespace: str) -> Metered:
    """Raises what `find` does."""
    level, named = level_of(target), target.partition("/")[2].strip()
    if level == "pods":
        return await _pods(world, target, namespace)
    if named:
        found = await find(world, level, named, namespace)
        return _of(level, found.key.namespace, frozenset({named}), [found.obj])
    if level != "persistentvolumeclaims":
        namespace = ""
    await check_namespace(world, namespace)
    return _of(level, namespace, None, [obj async for _, obj in each(world.store, level, namespace or None)])


async def _pods(world: World, target: str, namespace: str) -> Metered:
    if not target:
        await check_namespace(world, namespace)
        return _of("pods", namespace, None, [obj async for _, obj in each(world.store, "pods", namespace or None)])
    found = await find(world, *parse(target), namespace)
    chosen = pods(world.store, found.key)
    if not chosen:
        raise AskDifferently(f"{found.label} has no pods, so that nothing is measured.", todo="Name another target.")
    return _of("pods", found.key.namespace, frozenset(pod["metadata"]["name"] for pod in chosen), chosen)


def _of(level: str, namespace: str, names: frozenset[str] | None, objects: Iterable[Object]) -> Metered:
    return Metered(level, namespace, names, {name_of(obj): obj for obj in objects})


def name_of(obj: Object) -> Name:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def node_names(world: World) -> dict[str, str]:
    """What a monitoring system may call the nodes, by their addresses and host names, to their names."""
    found = {}
    for node in world.store.objects("nodes"):
        name = node["metadata"]["name"]
        for item in states.status(node).get("addresses") or ():
            found[str(item.get("address"))] = name
        found[name] = name
    return found


def most(level: str, obj: Object, resource: str) -> tuple[float, str]:
    """How much of `resource` (cpu, memory, disk) the object may use, and by which word; (0.0, "") without a bound."""
    if level == "nodes":
        word, name = ("capacity", "ephemeral-storage") if resource == "disk" else ("allocatable", resource)
        return _given((states.status(obj).get(word) or {}).get(name), word)
    if level == "persistentvolumeclaims":
        return _given((states.status(obj).get("capacity") or {}).get("storage"), "capacity")
    return _limit(obj, resource) if level == "pods" and resource in {"cpu", "memory"} else (0.0, "")


def _given(text: object, word: str) -> tuple[float, str]:
    return (float(quantity(text)), word) if text else (0.0, "")


def _limit(pod: Object, resource: str) -> tuple[float, str]:
    """The sum of the containers' limits, of their requests where one has no limit."""
    asked = [item.get("resources") or {} for item in states.spec(pod).get("containers") or ()]
    for word in ("limits", "requests"):
        given = [(item.get(word) or {}).get(resource) for item in asked]
        if given and all(given):
            return float(sum(map(quantity, given), start=Fraction(0))), word
    return 0.0, ""
