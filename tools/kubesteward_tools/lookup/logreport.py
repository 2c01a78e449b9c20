"""An answer about logs: what was read and could not be, what is shown of it, and what else is worth asking.

Called by the tool `get_logs`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kubesteward_tools.analytics.records import Level
from kubesteward_tools.analytics.templates import templates
from kubesteward_tools.errors import ObjectNotFound
from kubesteward_tools.lookup.arguments import Format
from kubesteward_tools.lookup.family import CHILDREN, pods
from kubesteward_tools.lookup.loglines import Excerpt, Merged, fetch
from kubesteward_tools.lookup.logsearch import Found, compiled, look_through
from kubesteward_tools.lookup.logstreams import MOST, restarted, streams
from kubesteward_tools.lookup.logview import STYLES
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.scope import Scope, each, scoped, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.targets import find, parse
from kubesteward_tools.text.ages import seconds
from kubesteward_tools.tool import Answer, Desk
from kubesteward_tools.twin.clock import timestamp

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_TAIL = 1_000
_SEARCHED = 10_000
"""Lines of each container that are read when nothing narrows the log, and when something does."""

_ALL = 60_000
"""Lines read of all containers of a cluster: about two seconds of computing."""

_NAMED, _NOTED = 3, 5
"""Restarts, spikes and other errors, and failures that are told."""


@dataclass(frozen=True, slots=True)
class Question:
    """The arguments of `get_logs` that are about logs."""

    target: str
    container: str
    previous: bool
    since: str
    tail: int
    hint: str
    pattern: str
    style: Format

    def excerpt(self) -> Excerpt:
        """Raises InvalidArguments when `since` is no span of time."""
        narrowed = self.hint or self.pattern or self.since
        span = max(1, int(seconds(self.since))) if self.since else 0
        return Excerpt(self.tail or (_SEARCHED if narrowed else _TAIL), span, self.previous)


async def report(
    desk: Desk, question: Question, cluster: str, clusters: Sequence[str] | None, namespace: str
) -> Answer:
    """Raises SteadyErrors: no such target, no pods, no such container, a malformed argument, not one log to be had."""
    matcher, excerpt = compiled(question.pattern) if question.pattern else None, question.excerpt()
    scope = await scoped(desk, cluster, clusters, namespace)
    material = await _material(scope, question, excerpt, desk.now())
    # Minutes of logs take a second of computing: other calls are answered meanwhile.
    found = await asyncio.to_thread(look_through, material.merged, matcher, question.hint, STYLES[question.style])
    return _answer(scope, material, found, source=f"logs of {question.target}")


@dataclass(slots=True)
class Material:
    """What was read, and of which containers an earlier run may tell more."""

    merged: Merged = field(default_factory=Merged)
    restarts: list[str] = field(default_factory=list)


async def _material(scope: Scope, question: Question, excerpt: Excerpt, now: float) -> Material:
    """The logs from every cluster of the scope. Raises ObjectNotFound when the target has no pods."""
    await seen(scope, CHILDREN, required="pods")
    namespace = scope.namespace

    async def read(world: World) -> Material:
        found = await find(world, *parse(question.target), namespace)
        scope.namespace = found.key.namespace
        running = pods(world.store, found.key)
        if not running:
            todo = "get_events says why, if it is meant to have some."
            raise ObjectNotFound(f"{found.label} has no pods, so it has no logs.", todo=todo)
        wanted = streams(world.cluster, running, question.container, previous=excerpt.previous)
        most = max(_ALL // len(wanted[:MOST]), 1) if wanted else 1
        part = replace(excerpt, tail=min(excerpt.tail, most))
        merged = await fetch(world, sorted(wanted[:MOST]), part, moment(world, now))
        if len(wanted) > MOST:
            merged.unread.append(f"{len(wanted) - MOST} more containers: name a pod to see its log.")
        return Material(merged, [] if excerpt.previous else restarted(running, question.container))

    whole = Material()
    for _, part in await each(scope, read):
        whole.merged.lines += part.merged.lines
        whole.merged.streams += part.merged.streams
        whole.merged.notes += part.merged.notes
        whole.merged.unread += part.merged.unread
        whole.restarts += part.restarts
    whole.merged.lines.sort(key=lambda line: line.at)
    return whole


def _answer(scope: Scope, material: Material, found: Found, source: str) -> Answer:
    merged, shown = material.merged, found.view
    told, others = _counts(material, found), _others(found)
    lines = [*scope.lines(), *_summary(material, found, told)]
    data: dict[str, Any] = {
        "scope": scope.data(),
        "containers": [stream.path if scope.many else stream.name for stream in merged.streams],
        "lines": told,
        "log": shown.data(),
        "notes": [sentence(note) for note in merged.notes],
        "not_read": [sentence(note) for note in merged.unread],
        "restarted": material.restarts[:_NAMED],
        "spikes": [
            {"from": timestamp(item.start), "to": timestamp(item.end), "errors": item.errors, "usual": item.usual}
            for item in found.spikes
        ],
        "other_errors": others,
    }
    full = {key: value for key, value in data.items() if value or key in {"lines", "log"}}
    log = "\n".join(filter(None, (shown.text(), *(f"OTHER ERRORS {text}" for text in others))))
    return Answer("\n".join(lines), full, untrusted=log, source=source)


def _counts(material: Material, found: Found) -> dict[str, int]:
    """Every line that was read is in exactly one of the others."""
    shown = found.view
    return {
        "read": len(material.merged.lines),
        "shown": shown.shown,
        "folded": shown.folded,
        "left_out": shown.left_out,
        "not_asked_for": sum(record.lines for record in found.others),
    }


def _summary(material: Material, found: Found, told: dict[str, int]) -> Iterator[str]:
    merged = material.merged
    parts = [f"{told['read']} line{'s' * (told['read'] != 1)} of {_containers(merged)}"]
    parts += [f"{count} {word.replace('_', ' ')}" for word, count in told.items() if count and word != "read"]
    yield ", ".join(parts)
    if not told["read"]:
        yield "Nothing was printed in that time: a larger since, or previous=true, may show more."
    if not found.wanted:
        yield "Nothing fits the question; " + ("here is the log." if told["shown"] else "try other words or a hint.")
    yield from (f"NOTE {sentence(note)}" for note in merged.notes[:_NAMED])
    yield from (f"NOT READ {sentence(note)}" for note in merged.unread[:_NOTED])
    if len(merged.unread) > _NOTED:
        yield f"NOT READ and {len(merged.unread) - _NOTED} more"
    yield from (f"RESTARTED {text}: previous=true shows the run before" for text in material.restarts[:_NAMED])
    for item in found.spikes[:_NAMED]:
        span = f"{timestamp(item.start)} to {timestamp(item.end)[11:]}"
        yield f"SPIKE {span}: {item.errors} errors, {item.rate:g} a minute; else {item.usual:g}"
    if told["left_out"]:
        yield "To see what is left out: a hint, a pattern, a shorter since, one container or response_format=detailed."


def _containers(merged: Merged) -> str:
    if len(merged.streams) == 1:
        return merged.streams[0].name
    return f"{len(merged.streams)} containers of {len({stream.pod for stream in merged.streams})} pods"


def _others(found: Found) -> list[str]:
    """The errors that the question did not pick, by shape."""
    errors = [record for record in found.others if record.level >= Level.ERROR]
    shapes = sorted(templates(errors), key=lambda item: (-item.level, -item.count, item.places))
    told = [f"{item.count}x {sentence(item.shape, 120)}" for item in shapes[:_NAMED]]
    return [*told, f"and {len(shapes) - _NAMED} other kinds of errors"] if len(shapes) > _NAMED else told
