"""What pods and nodes use, by a name that says what is asked and not how a monitoring system spells it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import AskDifferently, InvalidArguments, SteadyError
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters, Namespace, Since
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.lookup.metering import Metered, level_of, metered, most, needed, node_names
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.prometheus.rules import alternatives
from kubesteward_tools.text.ages import ago, seconds
from kubesteward_tools.text.table import table
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.world.metrics.readings import Name, Question, Reading
from kubesteward_tools.world.metrics.samples import Points
from kubesteward_tools.world.metrics.summary import summary

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

Query = Literal[
    "cpu_usage", "memory_usage", "cpu_saturation", "memory_saturation", "restarts", "disk_usage", "network_receive",
    "network_transmit", "gpu_usage", "error_rate", "latency_p99", "request_rate",
]  # fmt: skip
_UNITS = {
    "cpu": "cores",
    "memory": "bytes",
    "disk": "bytes",
    "network": "bytes per second",
    "restarts": "restarts",
    "gpu": "share",
    "error": "share",
    "latency": "seconds",
    "request": "per second",
}
_LONGEST = 32 * 86400.0
_MEMORY_UNIT = 2**20
_WINDOW = ("min", "mean", "p95", "max", "last")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one cluster answered."""

    world: World
    reading: Reading
    items: list[dict[str, Any]]


@tool(Tier.OBSERVE, title="Metrics")
async def get_metrics(
    desk: Desk,
    *,
    query: Query,
    target: Annotated[str, Field(max_length=500, description="kind/name, nodes, namespaces, or empty: the pods")] = "",
    namespace: Namespace = "",
    time_window: Since = "",
    limit: Annotated[int, Field(ge=1, le=200)] = 20,
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """Use by pods, nodes, namespaces or claims, highest first, now or over time_window; names its source."""
    span, level = _span(time_window), level_of(target)
    if not alternatives(query, level):
        raise AskDifferently(f"{level} have no {query}.", todo="Ask for pods, a workload or a namespace.")
    scope = await scoped(desk, cluster, clusters, namespace)
    await seen(scope, needed(level), required=needed(level)[0])
    asked = Question(query, level, end=desk.now(), start=desk.now() - span)
    found = await each(scope, lambda world: _measured(scope, world, asked, target, namespace))
    parts = [part for _, part in found]
    rank = "max" if span else "value"
    items = sorted((item for part in parts for item in part.items), key=lambda item: _rank(item, rank))
    return _answer(scope, asked, parts, items[:limit], len(items), wide=response_format == "detailed")


def _span(time_window: str) -> float:
    span = seconds(time_window) if time_window else 0.0
    if span > _LONGEST:
        raise InvalidArguments(f"time_window {time_window!r} is too long.", todo="Ask for 32d at the most.")
    return span


def _rank(item: dict[str, Any], word: str) -> tuple[float, str]:
    return -item.get("window", {}).get(word, item["value"]), item["object"]


async def _measured(scope: Scope, world: World, asked: Question, target: str, namespace: str) -> _Part:
    chosen = await metered(world, target, namespace)
    if chosen.namespace:
        scope.namespace = chosen.namespace
    question = replace(asked, namespace=chosen.namespace, names=chosen.names)
    if chosen.level == "nodes":
        question = replace(question, nodes=node_names(world))
    reading = await _read(world, question, chosen)
    items = [
        _item(scope, world, question, chosen, name=name, points=points)
        for name, points in reading.series.items()
        if name in chosen.objects
    ]
    return _Part(world, reading, items)


async def _read(world: World, question: Question, chosen: Metered) -> Reading:
    """Restarts are known of the objects themselves; only their course over time needs a monitoring system."""
    if question.query != "restarts":
        return await world.telemetry.read(question)
    notes: tuple[str, ...] = ()
    if not question.latest:
        try:
            return await world.telemetry.read(question)
        except SteadyError as error:
            notes = (f"Only totals since the pods' start: {error}",)
    sums: dict[Name, float] = dict.fromkeys(chosen.objects, 0.0)
    for pod in world.store.objects("pods", chosen.namespace or None):
        own = pod["metadata"].get("namespace", ""), pod["metadata"]["name"]
        name = own if chosen.level == "pods" else ("", own[0])
        if name in sums:
            sums[name] += states.restarts(pod)
    series = {name: [(question.end, value)] for name, value in sums.items()}
    return Reading("pod status", world.as_of() if world.writable else question.end, series, notes)


def _item(
    scope: Scope, world: World, asked: Question, chosen: Metered, *, name: Name, points: Points
) -> dict[str, Any]:
    """`value` is what is compared: the use, or its share of a limit (0 where there is none)."""
    obj, used, part = chosen.objects[name], points[-1][1], _is_part(asked.query)
    bound, word = most(chosen.level, obj, _resource(asked.query))
    share = used / bound if bound else 0.0
    shown = name[1] if scope.namespace or not name[0] else "/".join(name)
    item = {"cluster": world.cluster, "object": shown, "used": used, "value": share if part else used}
    if bound:
        item |= {"limit": bound, "of": word, "share": round(share, 4)}
    if usual := world.telemetry.usual(asked.query, chosen.level, name[1], asked.end):
        item["usual"] = {"mean": usual.mean, "deviation": usual.deviation, "samples": usual.count}
    found = summary(points) if not asked.latest and len(points) > 1 else None
    if found is not None and (bound or not part):
        item["window"] = (found.scaled(1 / bound) if part else found).data()
    return item | ({"owner": top_owner(world.store, obj)} if chosen.level == "pods" else {})


def _is_part(query: str) -> bool:
    return query.endswith("saturation")


def _resource(query: str) -> str:
    return query.partition("_")[0]


def _percent(value: float) -> str:
    return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"


_SHOWN: dict[str, Callable[[float], str]] = {
    "cpu": lambda value: f"{value * 1000:.0f}m",
    "memory": lambda value: f"{value / _MEMORY_UNIT:.0f}Mi",
    "disk": lambda value: f"{value / _MEMORY_UNIT:.0f}Mi",
    "network": lambda value: f"{value / 1024:.1f}Ki/s",
    "restarts": lambda value: f"{value:.4g}",
    "gpu": _percent,
    "error": _percent,
    "latency": lambda value: f"{value * 1000:.0f}ms",
    "request": lambda value: f"{value:.3g}/s",
}


def _answer(
    scope: Scope, asked: Question, parts: list[_Part], items: list[dict[str, Any]], total: int, *, wide: bool
) -> Answer:
    heads = [*(["cluster"] if scope.many else []), "object", "used"]
    heads += [*_WINDOW, "per hour"] if any("window" in item for item in items) else []
    heads += ["limit", "share"] if _is_part(asked.query) or any("limit" in item for item in items) else []
    heads += ["usual now"] if any("usual" in item for item in items) else []
    heads += ["owner"] if wide and any("owner" in item for item in items) else []
    if "last" in heads and not _is_part(asked.query):
        heads.remove("used")
    cut = f", the highest {len(items)} shown" if len(items) < total else ""
    source = ", ".join(dict.fromkeys(part.reading.source for part in parts))
    lines = [*scope.lines(), f"{asked.query} of {total} objects{cut}; source: {source}, {_age(asked, parts)}"]
    lines += [sentence(note) for note in _notes(scope, parts)]
    lines += [table(heads, [_row(asked, item, heads) for item in items])] if items else []
    data = {
        "scope": scope.data(),
        "query": asked.query,
        "unit": _UNITS[_resource(asked.query)],
        "source": source,
        "age_seconds": round(_oldest(asked, parts), 1),
        "notes": _notes(scope, parts),
        "total": total,
        "items": items,
    }
    return Answer("\n".join(lines), data)


def _oldest(asked: Question, parts: list[_Part]) -> float:
    return max((max(0.0, asked.end - part.reading.as_of) for part in parts), default=0.0)


def _age(asked: Question, parts: list[_Part]) -> str:
    return f"newest sample {ago(_oldest(asked, parts))} old"


def _notes(scope: Scope, parts: list[_Part]) -> list[str]:
    return [f"{part.world.cluster}: {note}" if scope.many else note for part in parts for note in part.reading.notes]


def _row(asked: Question, item: dict[str, Any], heads: list[str]) -> list[str]:
    show = _SHOWN[_resource(asked.query)]
    window, shown = item.get("window", {}), _percent if _is_part(asked.query) else show
    texts = {name: shown(window[name]) for name in _WINDOW if name in window}
    texts |= {
        "used": show(item["used"]),
        "limit": f"{show(item['limit'])} ({item['of']})" if "limit" in item else "none",
        "share": f"{item['share']:.0%}" if "limit" in item else "",
    }
    if usual := item.get("usual"):
        texts["usual now"] = f"{show(usual['mean'])} ± {show(usual['deviation'])}"
    if window.get("slope_per_hour") is not None:
        sign = "+" if window["slope_per_hour"] >= 0 else "-"
        texts["per hour"] = sign + shown(abs(window["slope_per_hour"]))
    return [texts.get(head) or sentence(item.get(head, ""), 120) for head in heads]
