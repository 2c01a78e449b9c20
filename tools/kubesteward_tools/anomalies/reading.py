"""Which logs are read for anomalies, and how far back: a bounded number, those most likely to be strange first."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from kubesteward_tools.analytics.records import Line
from kubesteward_tools.anomalies.view import Logs, Member, View
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.loglines import LARGEST, merge, parse
from kubesteward_tools.lookup.logstreams import Stream
from kubesteward_tools.lookup.states import containers, spec
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

MOST = 24
"""Containers."""
_OF_ONE = 3
"""Pods of one workload."""
_TAIL = 2000
_EARLIER = 200_000
"""Bytes of what was said before the window, where the end of the log does not reach so far back."""
_AT_ONCE = 8
_PATIENCE = 6.0


def chosen(view: View, changed: Collection[Key] = ()) -> tuple[list[tuple[Key, Stream]], int]:
    """Containers with their workloads, and how many there are in all.

    Those of workloads in trouble come first, then of those that `changed` lately, then of the others.
    """
    found, total = list[tuple[tuple[int, Key, int], Key, Stream]](), 0
    for workload, families in view.families.items():
        pods = sorted((pod for family in families for pod in family), key=_rank)
        started = [pod for pod in pods if pod.note.phase != "Pending"]
        total += len(started)
        order = min((_rank(pod)[0] for pod in started), default=2)
        rank = order if order < 2 else 2 if workload in changed else 3
        found += [
            ((rank, workload, place), workload, Stream("", pod.key.namespace, pod.key.name, ""))
            for place, pod in enumerate(started[: MOST if view.subject.start else _OF_ONE])
        ]
    streams = list[tuple[Key, Stream]]()
    for _, workload, pod in sorted(found, key=lambda item: (item[0][0], item[0][2], item[0][1])):
        if len(streams) >= MOST:
            break
        streams += [(workload, stream) for stream in _of_pod(view, pod)]
    return streams[:MOST], total


def _rank(pod: Member) -> tuple[int, str]:
    return (0 if pod.note.ready is False else 1 if pod.note.restarts else 2), pod.key.name


def _of_pod(view: View, pod: Stream) -> Iterator[Stream]:
    obj = view.get(Key("pods", pod.namespace, pod.pod))
    begun = {item.get("name") for item in containers(obj) if "waiting" not in (item.get("state") or {})}
    for item in spec(obj).get("containers") or ():
        again = any(one.get("restartCount") for one in containers(obj) if one.get("name") == item.get("name"))
        if item.get("name") in begun or again:
            yield Stream("", pod.namespace, pod.pod, str(item["name"]))


async def read(world: World, view: View, changed: Collection[Key] = ()) -> tuple[Logs, ...]:
    """The logs of the chosen containers by workload; what is not read is told to `view`."""
    streams, total = await asyncio.to_thread(chosen, view, changed)
    gate = asyncio.Semaphore(_AT_ONCE)
    texts = await asyncio.gather(*(_log(world, view, stream, gate) for _, stream in streams))
    by_workload: dict[Key, list[tuple[Stream, list[Line]]]] = {}
    unread = 0
    for (workload, stream), lines in zip(streams, texts, strict=True):
        known = by_workload.setdefault(workload, [])
        if lines is None:
            unread += 1
        elif not any(stream.pod == other.pod and _same(lines, said) for other, said in known):
            known.append((stream, lines))
    pods = len({(stream.namespace, stream.pod) for _, stream in streams})
    if pods < total:
        view.cannot(
            f"logs: those of {pods} of {total} pods were read ({len(streams)} containers, at most {MOST}; pods in "
            "trouble and what changed lately first): a target or a namespace reads its own"
        )
    if unread:
        view.cannot(f"logs of {unread} containers could not be read")
    view.looked_at["logs"] = len(streams) - unread
    return tuple(
        Logs(workload, tuple(merge(lines for _, lines in items)), tuple(stream.name for stream, _ in items))
        for workload, items in sorted(by_workload.items())
    )


def _same(lines: list[Line], others: list[Line]) -> bool:
    """Bundles may hold one log for a whole pod, and give it for each of its containers."""
    return [line.text for line in lines] == [line.text for line in others]


async def _log(world: World, view: View, stream: Stream, gate: asyncio.Semaphore) -> list[Line] | None:
    """The end of a log, and where that does not reach back beyond the window, a part of what came before."""
    async with gate:
        end = await _text(world, stream, {"tailLines": str(_TAIL), "limitBytes": str(LARGEST)})
        if end is None:
            return None
        lines = await asyncio.to_thread(parse, end, stream.path)
        first = next((line.at for line in lines if line.at), 0.0)
        if not world.writable or first < view.since or end.count("\n") < _TAIL:
            return lines
        reach = {"sinceSeconds": str(int(2 * view.window)), "limitBytes": str(_EARLIER)}
        text = await _text(world, stream, reach) or ""
        earlier = await asyncio.to_thread(parse, text, stream.path)
        return [line for line in earlier if line.at < first] + lines


async def _text(world: World, stream: Stream, excerpt: dict[str, str]) -> str | None:
    query = {"container": stream.container, "timestamps": "true", **excerpt}
    try:
        async with asyncio.timeout(_PATIENCE):
            return await world.log(stream.namespace, stream.pod, query)
    except (SteadyError, TimeoutError):
        return None
