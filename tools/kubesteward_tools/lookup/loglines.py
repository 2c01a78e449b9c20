"""Fetches the logs of one or many containers and merges them by time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubesteward_tools.analytics.records import Line
from kubesteward_tools.errors import AskDifferently, InvalidArguments, SteadyError
from kubesteward_tools.lookup import states
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

MOST_STREAMS = 30
_AT_ONCE = 8
_LARGEST = 4 * 2**20
_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))(?: (.*))?$", re.S)
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")


@dataclass(frozen=True, slots=True)
class Stream:
    """One container's log."""

    namespace: str
    pod: str
    container: str

    @property
    def name(self) -> str:
        return f"{self.pod}/{self.container}"


@dataclass(slots=True)
class Merged:
    """`notes` say which logs could not be had, and why."""

    lines: list[Line] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def streams(pods: Sequence[Object], container: str) -> list[Stream]:
    """Every container of the pods, or the named one; init containers only by name or while they hold the pod up.

    Raises:
        InvalidArguments: no pod has such a container.
    """
    found, names = list[Stream](), dict[str, None]()
    for pod in pods:
        spec = states.spec(pod)
        regular = [item["name"] for item in spec.get("containers") or ()]
        first = [item["name"] for item in spec.get("initContainers") or ()]
        names |= dict.fromkeys([*regular, *first])
        held = states.pod_word(pod).startswith("Init:")
        wanted = [container] if container else first if held else regular
        metadata = pod["metadata"]
        found += [Stream(metadata.get("namespace", ""), metadata["name"], name) for name in wanted if name in names]
    if container and not found:
        there = ", ".join(names) or "none"
        raise InvalidArguments(f"there is no container {container[:80]!r}.", todo=f"There are: {there}.")
    return found


async def fetch(world: World, wanted: Sequence[Stream], query: dict[str, str]) -> Merged:
    """`query` holds the parameters of pods/log but `container` and `timestamps` (core/v1 PodLogOptions).

    Raises:
        SteadyError: not one of the logs can be had.
    """
    merged, gate = Merged(), asyncio.Semaphore(_AT_ONCE)

    async def read(stream: Stream) -> list[Line]:
        async with gate:
            parameters = {**query, "container": stream.container, "timestamps": "true", "limitBytes": str(_LARGEST)}
            return list(_lines(await world.log(stream.namespace, stream.pod, parameters), stream.name))

    chosen = wanted[:MOST_STREAMS]
    results = await asyncio.gather(*(read(stream) for stream in chosen), return_exceptions=True)
    failure: SteadyError | None = None
    for stream, result in zip(chosen, results, strict=True):
        if isinstance(result, SteadyError):
            failure = failure or result
            merged.notes.append(f"{stream.name}: {result.message}")
        elif isinstance(result, BaseException):
            raise result
        else:
            merged.streams.append(stream.name)
            merged.lines += result
    if len(wanted) > len(chosen):
        merged.notes.append(f"{len(wanted) - len(chosen)} more containers were not read: name a pod to see its log.")
    if failure is not None and not merged.streams:
        raise _explained(failure, query)
    merged.lines.sort(key=lambda line: line.at)
    return merged


def _explained(failure: SteadyError, query: dict[str, str]) -> SteadyError:
    if query.get("previous") and not failure.retry:
        return AskDifferently(
            failure.message, todo="No earlier run of this container is kept: ask with previous=false."
        )
    if "waiting to start" in failure.message:
        return AskDifferently(failure.message, todo="It has printed nothing yet; get_events says what it waits for.")
    return failure


def _lines(text: str, source: str) -> list[Line]:
    """A line without a time of its own stands where the one before it stands."""
    found, at = list[Line](), 0.0
    for raw in text.splitlines():
        match = _STAMPED.match(raw)
        shown = raw
        if match is not None:
            at = parse_timestamp(_NANOSECONDS.sub(r"\1", match[1]))
            shown = match[2] or ""
        found.append(Line(at, source, shown))
    return found
