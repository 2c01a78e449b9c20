"""How the built-in brain tells what a tool answered: a sentence a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kubesteward.reasoning.brains.base import Json, ToolCall
from kubesteward.reasoning.brains.talk import Talk

MOST = 12
"""Lines of an answer."""
_ALIKE = 60
"""Letters by which two changes are told apart: pods that fail for one reason fail in the same words but for names."""
_QUOTED = re.compile(r'"[^"]*"')


def lines(made: ToolCall, data: Json) -> list[str]:
    """Nothing for tools that are not asked for what there is."""
    tell = _TELLERS.get(made.name)
    return list(tell(made, data)) if tell else []


def _listed(made: ToolCall, data: Json) -> Iterator[str]:
    """How many there are, then each, those that are not well first."""
    items, kind = data.get("items") or [], str(data.get("kind", "object"))
    if "field_selector" not in made.arguments:
        yield f"{_many(data.get('total', len(items)), kind.lower())}{_in(made)}."
    elif "nodeName" in made.arguments["field_selector"]:
        yield f"Node {made.arguments['field_selector'].partition('=')[2]} runs {len(items)} {kind.lower()}s."
    for item in items[:MOST] if made.arguments.get("sort") else sorted(items, key=_well)[:MOST]:
        space = item.get("namespace") or made.arguments.get("namespace", "")
        yield f"{kind} {f'{space}/' if space and kind not in _WITHOUT else ''}{item['name']}: {_row(item)}."


def _many(count: int, kind: str) -> str:
    plural = f"{kind}es" if kind.endswith("s") else f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
    return f"There is 1 {kind}" if count == 1 else f"There are {count or 'no'} {plural}"


def _in(made: ToolCall) -> str:
    return f" in namespace {made.arguments['namespace']}" if made.arguments.get("namespace") else ""


def _well(item: Json) -> bool:
    ready, _, all_ = str(item.get("ready", "")).partition("/")
    return ready == all_ if all_ else item.get("status") in {None, "Ready", "Active", "Bound", "Running"}


def _row(item: Json) -> str:
    ready = f"{item['ready']} ready" if "/" in str(item.get("ready", "")) else ""
    status = str(item.get("status", ""))
    rest = (f"{name} {value}" for name, value in item.items() if name not in _SHOWN and value not in ("", None, [], {}))
    return ", ".join(part for part in (ready, status, *rest) if part) or "is there"


_WITHOUT = frozenset({"Node", "Namespace", "PersistentVolume", "ClusterRole", "StorageClass"})
"""Kinds that are in no namespace."""
_SHOWN = frozenset({"namespace", "name", "ready", "status", "age", "cluster", "up_to_date"})


def _containers(made: ToolCall, data: Json) -> Iterator[str]:
    """Images and what they may use."""
    for item in data.get("objects") or []:
        spec = item.get("spec") or {}
        template = (spec.get("template") or {}).get("spec") or spec
        for one in template.get("containers") or []:
            limits = ", ".join(f"{name} {value}" for name, value in _limits(one).items())
            yield f"Container {one.get('name')} runs {one.get('image')}{f', limits: {limits}' if limits else ''}."


def _limits(container: Json) -> dict[str, Any]:
    return (container.get("resources") or {}).get("limits") or {}


def _changed(made: ToolCall, data: Json) -> Iterator[str]:
    found = data.get("changes") or []
    about = f" of {made.arguments['resource']}" if made.arguments.get("resource") else _in(made)
    if not found:
        yield f"Nothing changed{about} in the last {made.arguments['since']}."
    newest = list({_likeness(item): item for item in reversed(found)}.values())[::-1]
    for item in sorted(newest, key=lambda item: item["object"] != made.arguments.get("resource")):
        by = f", by {item['by']}" if item.get("by") else ""
        yield f"{item['ago']} ago, {item['object']}: {item['what']}{by}"


def _likeness(change: Json) -> tuple[str, str]:
    if change.get("kind") in {"warning", "container"}:
        return "", _QUOTED.sub("", str(change["what"]))[:_ALIKE]
    return str(change["object"]), str(change["what"])


def _logged(made: ToolCall, data: Json) -> Iterator[str]:
    for item in (data.get("log") or [])[-MOST:]:
        times = f" ({item['count']} times)" if item.get("count", 1) > 1 else ""
        yield f"{item.get('at', '')} {item.get('source', '')}: {item['text']}{times}"


def _happened(made: ToolCall, data: Json) -> Iterator[str]:
    if not data.get("events"):
        yield f"There are no events{_in(made)} of the last {made.arguments['since']}."
    for item in data.get("events") or []:
        yield f"{item['last']} ago, {item['object']}: {item['reason']} ({item['count']} times): {item['message']}"


def _measured(made: ToolCall, data: Json) -> Iterator[str]:
    unit = str(data.get("unit", ""))
    for item in data.get("items") or []:
        limit = f" of {_quantity(item['limit'], unit)}" if item.get("limit") else ""
        yield f"{item['object']}: {data['query'].replace('_', ' ')} {_quantity(item.get('value', 0), unit)}{limit}."


def _quantity(value: float, unit: str) -> str:
    if unit == "bytes":
        return f"{value / 2**30:.1f}Gi" if value >= 2**30 else f"{value / 2**20:.0f}Mi"
    return f"{value:.3g} {unit}".strip()


def _connected(made: ToolCall, data: Json) -> Iterator[str]:
    for edge in data.get("edges") or []:
        yield f"{edge['source']} {edge['relation'].replace('_', ' ')} {edge['target']}"


def _allowed(made: ToolCall, data: Json) -> Iterator[str]:
    if data.get("subject"):
        yield f"{data['subject']} may {'' if data.get('allowed') else 'not '}{data['question']}."
    else:
        found = data.get("subjects") or []
        yield (
            f"{len(found)} may {data['question']}: {', '.join(found)}." if found else f"Nobody may {data['question']}."
        )
    yield from (f"By {chain}" for chain in (data.get("chains") or [])[:5])
    yield from (str(note) for note in data.get("notes") or [])


def _overviewed(made: ToolCall, data: Json) -> Iterator[str]:
    for one in data.get("overviews") or []:
        nodes, loads = (_of(one.get(name) or {}, name) for name in ("nodes", "workloads"))
        version, problems = one.get("version", ""), one.get("problem_count", 0)
        yield f"{one['cluster']}, Kubernetes {version}: {nodes} and {loads} are ready, {problems} problems."
        yield from (f"{item['object']}: {item['problem']}" for item in one.get("problems") or [])


def _of(counts: Json, name: str) -> str:
    return f"{counts.get('ready', 0)} of {counts.get('total', 0)} {name}"


def _foreseen(made: ToolCall, data: Json) -> Iterator[str]:
    for item in data.get("forecasts") or []:
        yield _course(item)
    if not data.get("forecasts"):
        yield "No certificate that can be read ends within 30 days."
    yield from (f"Not known: {item}" for item in data.get("not_known") or [])


def _course(item: Json) -> str:
    """One forecast as a sentence."""
    one, left = item["object"], item.get("seconds_left") or 0
    name = "/".join(part for part in (one["namespace"], one["name"]) if part)
    when = f"{left / 86400:.0f} days" if left > 2 * 86400 else f"{left / 3600:.0f} hours"
    of = f"{one['kind']} {name} {item.get('part', '')}".strip()
    if item["metric"] == "certificates":
        return f"{of}: its certificate {f'ends in {when}' if left else 'has ended'}."
    return f"{of}: its {item['metric']} meets its {item.get('of') or 'limit'} {f'in {when}' if left else 'now'}."


def ahead(talk: Talk) -> list[str]:
    """What is not as it was and what runs out, by those of the calls that looked for it."""
    found = [(made.name, data) for made, _, data in talk.results]
    unlike = [item for name, data in found if name == "find_anomalies" for item in data.get("anomalies") or []]
    courses = [item for name, data in found if name == "forecast" for item in data.get("forecasts") or []]
    grave = [item for item in (*courses, *unlike) if item.get("severity") != "info"]
    return [_course(item) if "metric" in item else str(item["sentence"]) for item in grave[:4]]


_TELLERS: dict[str, Callable[[ToolCall, Json], Iterator[str]]] = {
    "list_resources": _listed,
    "get_resource_yaml": _containers,
    "what_changed": _changed,
    "get_logs": _logged,
    "get_events": _happened,
    "get_metrics": _measured,
    "get_topology": _connected,
    "explain_permissions": _allowed,
    "cluster_overview": _overviewed,
    "forecast": _foreseen,
}
