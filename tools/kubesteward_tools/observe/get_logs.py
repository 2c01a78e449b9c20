"""Logs of a pod or of all pods of a workload, merged by time, whole or only what a hint or pattern asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.analytics.hints import select
from kubesteward_tools.analytics.records import Level, Record, records
from kubesteward_tools.analytics.templates import Spike, Template, spikes, templates
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.lookup.arguments import Cluster, Format, ManyClusters, Namespace, Since
from kubesteward_tools.lookup.family import CHILDREN, pods
from kubesteward_tools.lookup.loglines import Merged, fetch, streams
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import find, parse
from kubesteward_tools.text.ages import seconds
from kubesteward_tools.text.budget import cap
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact
from kubesteward_tools.tool import Answer, Desk, tool
from kubesteward_tools.twin.clock import timestamp

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_SEARCHED = 10_000
"""Lines of each container that are looked through for a hint or pattern."""

_LONGEST = {"concise": 6_000, "detailed": 30_000}
_TEMPLATES = {"concise": 8, "detailed": 25}
_LINE = 1000


@tool(Tier.OBSERVE, title="Logs", open_world=True)
async def get_logs(
    desk: Desk,
    *,
    target: Annotated[str, Field(min_length=1, max_length=500, description="Pod, or kind/name: all its pods")],
    namespace: Namespace = "",
    container: Annotated[str, Field(max_length=63)] = "",
    previous: Annotated[bool, Field(description="The run before the last restart")] = False,
    since: Since = "",
    tail: Annotated[int, Field(ge=1, le=5000)] = 100,
    hint: Annotated[str, Field(max_length=300, description="What to look for, in words")] = "",
    pattern: Annotated[str, Field(max_length=500, description="RE2 expression")] = "",
    response_format: Format = "concise",
    cluster: Cluster = "",
    clusters: ManyClusters = None,
) -> Answer:
    """Logs, merged by time; hint or pattern pick lines. Errors are counted by shape."""
    matcher = _compiled(pattern) if pattern else None
    query = {"tailLines": str(_SEARCHED if hint or pattern else tail)}
    query |= {"previous": "true"} if previous else {}
    query |= {"sinceSeconds": str(max(1, int(seconds(since))))} if since else {}
    scope = await scoped(desk, cluster, clusters, namespace)
    merged = await _merged(scope, target, namespace, container, query)
    found = records(merged.lines)
    picked = [item for item in found if matcher.search(item.text)] if matcher else found
    picked = select(picked, hint) if hint else picked
    chosen = Chosen(found, len(picked), picked[-tail:])
    return _answer(scope, merged, chosen, response_format, source=f"logs of {target}")


def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        todo = "Write an RE2 expression: no look-around, no backreferences."
        raise InvalidArguments(f"pattern: {sentence(_words(error), 120)}.", todo=todo) from None


def _words(error: Exception) -> str:
    first = error.args[0] if error.args else error
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


async def _merged(scope: Scope, target: str, namespace: str, container: str, query: dict[str, str]) -> Merged:
    """The logs from every cluster of the scope. Raises ObjectNotFound when the target has no pods."""
    await seen(scope, CHILDREN, required="pods")

    async def read(world: World) -> Merged:
        found = await find(world, *parse(target), namespace)
        scope.namespace = found.key.namespace
        running = pods(world.store, found.key)
        if not running:
            todo = "get_events says why, if it is meant to have some."
            raise ObjectNotFound(f"{found.label} has no pods, so it has no logs.", todo=todo)
        return await fetch(world, streams(running, container), query)

    whole = Merged()
    for world, part in await each(scope, read):
        whole.lines += part.lines
        whole.streams += [f"{world.cluster}:{name}" if scope.many else name for name in part.streams]
        whole.notes += part.notes
    whole.lines.sort(key=lambda line: line.at)
    return whole


@dataclass(frozen=True, slots=True)
class Chosen:
    """`found` is all there is, `fitting` how many records the question picks, `shown` the last of those."""

    found: list[Record]
    fitting: int
    shown: list[Record]


def _answer(scope: Scope, merged: Merged, chosen: Chosen, style: Format, source: str) -> Answer:
    lines = scope.lines()
    lines.append(
        f"{len(merged.lines)} lines of {len(merged.streams)} containers read; "
        f"{chosen.fitting} records fit, {len(chosen.shown)} shown"
    )
    lines += [f"NOT READ {sentence(note)}" for note in merged.notes[:10]]
    marked = spikes(chosen.found)
    lines += [
        f"SPIKE {timestamp(item.minute)}: {item.errors} errors in a minute, usually {item.usual:g}" for item in marked
    ]
    shapes = [item for item in templates(chosen.found) if item.level >= Level.WARNING][: _TEMPLATES[style]]
    text = cap(redact(clean(_log(chosen.shown, many=len(merged.streams) > 1), 400_000)), _LONGEST[style])
    counted = [f"{item.count}x {item.level.name}: {sentence(item.shape, 160)}" for item in shapes]
    untrusted = "\n".join([*(["Warnings and errors by shape:", *counted, ""] if counted else []), text])
    data = {
        "scope": scope.data(),
        "containers": merged.streams,
        "not_read": [sentence(note) for note in merged.notes],
        "lines_read": len(merged.lines),
        "records_fitting": chosen.fitting,
        "templates": _template_data(shapes),
        "spikes": _spike_data(marked),
        "log": text,
    }
    return Answer("\n".join(lines), data, untrusted=untrusted, source=source)


def _template_data(shapes: Sequence[Template]) -> list[dict[str, Any]]:
    return [{"shape": sentence(item.shape, 160), "count": item.count, "level": item.level.name} for item in shapes]


def _spike_data(marked: Sequence[Spike]) -> list[dict[str, Any]]:
    return [{"minute": timestamp(item.minute), "errors": item.errors, "usual": item.usual} for item in marked]


def _log(shown: Sequence[Record], *, many: bool) -> str:
    """Time, source where there are several, and text; a record that repeats the one before is counted, not told."""
    lines, last, times = list[str](), "", 1
    for record in shown:
        own = f"{record.first.source} {record.text}"
        if own == last:
            times += 1
            continue
        if times > 1:
            lines.append(f"  [the same {times - 1} more times]")
        last, times = own, 1
        stamp = f"{timestamp(record.first.at)[11:]} " if record.first.at else ""
        source = f"{record.first.source} " if many else ""
        lines.append("\n".join(part[:_LINE] for part in f"{stamp}{source}{record.text}".split("\n")))
    if times > 1:
        lines.append(f"  [the same {times - 1} more times]")
    return "\n".join(lines)
