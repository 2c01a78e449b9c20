"""What pods and nodes use, by a name that says what is asked and not how a monitoring system spells it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters, Namespace, Since
from kubesteward_tools.lookup.family import CHILDREN, pods, top_owner
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.text.ages import seconds
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

Query = Literal[
    "cpu_usage", "memory_usage", "cpu_saturation", "memory_saturation", "restarts",
    "disk_usage", "gpu_usage", "error_rate", "latency_p99",
]  # fmt: skip
_SERVED = ("cpu_usage", "memory_usage", "cpu_saturation", "memory_saturation", "restarts")
_NODES = frozenset({"node", "nodes", "no"})
_MEMORY_UNIT = 2**20
_POD = "pod"
_METRICS_SERVER = "metrics-server (its latest sample)"
_NO_HISTORY = "No history is kept here yet: these are present values, whatever time_window says."
Usage = dict[tuple[str, str], Fraction]
Most = tuple[Fraction, str]


@tool(Tier.OBSERVE, title="Metrics")
async def get_metrics(
    desk: Desk,
    *,
    query: Query,
    target: Annotated[str, Field(max_length=500, description="kind/name, nodes, or empty: the pods")] = "",
    namespace: Namespace = "",
    time_window: Since = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 20,
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """Current use of pods or nodes, highest first; names its source."""
    if query not in _SERVED:
        raise AskDifferently(
            f"nothing here measures {query}: it needs a monitoring system.", todo=f"There are: {', '.join(_SERVED)}."
        )
    scope = await scoped(desk, cluster, clusters, namespace)
    kinds = ("nodes",) if _is_node(target) else CHILDREN
    await seen(scope, kinds, required="nodes" if _is_node(target) else "pods")
    found = await each(scope, lambda world: _measured(scope, world, query, target, namespace))
    every = sorted((item for _, part in found for item in part), key=lambda item: (-item["value"], item["object"]))
    items = [_with_owner(item) for item in every[:limit]]
    lines = [] if not time_window else [_NO_HISTORY] if seconds(time_window) else []
    return _answer(scope, query, len(every), items, lines, wide=response_format == "detailed")


def _is_node(target: str) -> bool:
    return target.partition("/")[0].lower() in _NODES


async def _measured(scope: Scope, world: World, query: Query, target: str, namespace: str) -> list[dict[str, Any]]:
    if _is_node(target):
        return await _of_nodes(world, query, target.partition("/")[2])
    if target:
        found = await find(world, *parse(target), namespace)
        scope.namespace = namespace = found.key.namespace
        chosen: Iterable[Key] = [Key("pods", *_name(pod)) for pod in pods(world.store, found.key)]
    else:
        await check_namespace(world, namespace)
        chosen = world.store.keys("pods", namespace or None)
    if query == "restarts":
        noted = ((key, of(world.store, key)) for key in chosen)
        return [_of_pod(scope, world, key, _entry(Fraction(note.restarts))) for key, note in noted if note]
    usage = await _usage(world, "pods", _resource(query), namespace)
    measured = ((key, usage[key.namespace, key.name]) for key in chosen if (key.namespace, key.name) in usage)
    if not _is_part(query):
        return [_of_pod(scope, world, key, _entry(used)) for key, used in measured]
    read = ((key, used, _limit(world.store.get(key) or {}, _resource(query))) for key, used in measured)
    return [_of_pod(scope, world, key, _entry(used, most, part=True)) for key, used, most in read]


async def _of_nodes(world: World, query: Query, name: str) -> list[dict[str, Any]]:
    if query == "restarts":
        raise AskDifferently("nodes have no restarts.", todo="Ask for the pods, or for cpu_usage.")
    if name:
        await find(world, "Node", name)
    resource = _resource(query)
    usage = await _usage(world, "nodes", resource, "")
    found = []
    for node in world.store.objects("nodes"):
        if _name(node) in usage and name in {"", node["metadata"]["name"]}:
            room = quantity((states.status(node).get("allocatable") or {}).get(resource, "0"))
            entry = _entry(usage[_name(node)], (room, "allocatable"), part=_is_part(query))
            found.append({"cluster": world.cluster, "object": node["metadata"]["name"], **entry})
    return found


def _is_part(query: Query) -> bool:
    return query.endswith("saturation")


def _resource(query: Query) -> str:
    return query.partition("_")[0]


def _name(obj: Object) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


async def _usage(world: World, plural: str, resource: str, namespace: str) -> Usage:
    found: Usage = {}
    for item in await world.metrics(plural, namespace):
        parts: Iterable[dict[str, Any]] = item.get("containers") or [item]
        found[_name(item)] = sum(
            (quantity((part.get("usage") or {}).get(resource, "0")) for part in parts), start=Fraction(0)
        )
    return found


def _limit(pod: Object, resource: str) -> Most:
    """The sum of the containers' limits, of their requests where one has no limit; 0 when it has neither."""
    asked = [item.get("resources") or {} for item in states.spec(pod).get("containers") or ()]
    for word in ("limits", "requests"):
        given = [(item.get(word) or {}).get(resource) for item in asked]
        if given and all(given):
            return sum(map(quantity, given), start=Fraction(0)), word
    return Fraction(0), ""


def _of_pod(scope: Scope, world: World, key: Key, entry: dict[str, Any]) -> dict[str, Any]:
    """With where to look for its owner, which only those need that are shown."""
    shown = key.name if scope.namespace else f"{key.namespace}/{key.name}"
    return {"cluster": world.cluster, "object": shown, **entry, _POD: (world.store, key)}


def _with_owner(item: dict[str, Any]) -> dict[str, Any]:
    if _POD not in item:
        return item
    store, key = item.pop(_POD)
    pod = store.get(key)  # it may have gone while other clusters were asked
    return item | {"owner": top_owner(store, pod) if pod is not None else f"Pod/{key.name}"}


def _entry(used: Fraction, most: Most = (Fraction(0), ""), *, part: bool = False) -> dict[str, Any]:
    """`value` is what is compared: the use, or its share of a limit (0 where there is none)."""
    share = float(used / most[0]) if most[0] else 0.0
    entry: dict[str, Any] = {"used": float(used), "value": share if part else float(used)}
    return entry | ({"limit": float(most[0]), "of": most[1]} if part and most[0] else {})


_SHOWN: dict[str, Callable[[float], str]] = {
    "cpu": lambda value: f"{value * 1000:.0f}m",
    "memory": lambda value: f"{value / _MEMORY_UNIT:.0f}Mi",
    "restarts": lambda value: f"{value:.0f}",
}


def _answer(
    scope: Scope, query: Query, total: int, items: list[dict[str, Any]], notes: list[str], *, wide: bool
) -> Answer:
    show, source = _SHOWN[_resource(query)], "pod status" if query == "restarts" else _METRICS_SERVER
    heads = [*(["cluster"] if scope.many else []), "object", "used", *(["limit", "share"] if _is_part(query) else [])]
    heads += ["owner"] if wide and items and "owner" in items[0] else []
    cut = f", the highest {len(items)} shown" if len(items) < total else ""
    lines = [*scope.lines(), f"{query} of {total} objects{cut}; source: {source}", *notes]
    lines += [table(heads, [_row(item, heads, show) for item in items])] if items else []
    data = {"scope": scope.data(), "query": query, "source": source, "total": total, "items": items}
    return Answer("\n".join(lines), data)


def _row(item: dict[str, Any], heads: list[str], show: Callable[[float], str]) -> list[str]:
    texts = {
        "used": show(item["used"]),
        "limit": f"{show(item['limit'])} ({item['of']})" if "limit" in item else "none",
        "share": f"{item['value']:.0%}" if "limit" in item else "",
    }
    return [texts.get(head) or sentence(item.get(head, ""), 120) for head in heads]
