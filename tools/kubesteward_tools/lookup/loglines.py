"""Fetches the logs of one or many containers and merges them by time: cleaned, without secrets, none empty."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubesteward_tools.analytics.formats import own_time
from kubesteward_tools.analytics.records import Line
from kubesteward_tools.errors import AskAgain, AskDifferently, SteadyError
from kubesteward_tools.lookup.logstreams import Stream
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact_lines
from kubesteward_tools.twin.clock import parse_timestamp, timestamp

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_AT_ONCE = 8
_PATIENCE = 20.0
"""Seconds for one container's log: a node that does not answer must not keep the others' logs."""

LARGEST = 4 * 2**20
"""Bytes of one container's log that are asked for; lines may be of any length."""
_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d))(?: (.*))?$", re.S)
_NANOSECONDS = re.compile(r"(\.\d{6})\d+")
_UNCLEAN = re.compile(r"[^\t -~]")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Which part of each log: the last `tail` lines, not older than `seconds` (0: any), of the run before the last."""

    tail: int
    seconds: int = 0
    previous: bool = False

    def query(self, container: str) -> dict[str, str]:
        """Parameters of pods/log. API doc: core/v1 PodLogOptions."""
        found = {"container": container, "timestamps": "true", "tailLines": str(self.tail), "limitBytes": str(LARGEST)}
        found |= {"previous": "true"} if self.previous else {}
        return found | ({"sinceSeconds": str(self.seconds)} if self.seconds else {})


@dataclass(slots=True)
class Merged:
    """`notes` say which logs could not be had or not as a whole, and why."""

    lines: list[Line] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


async def fetch(world: World, wanted: Sequence[Stream], excerpt: Excerpt, moment: float = 0.0) -> Merged:
    """`moment` is the one from which a bundle's `seconds` count back, unless its log is newer.

    Raises:
        SteadyError: not one of the logs can be had.
    """
    gate = asyncio.Semaphore(_AT_ONCE)
    results = await asyncio.gather(*(_read(world, stream, excerpt, gate) for stream in wanted), return_exceptions=True)
    merged, texts, failure = Merged(), dict[Stream, str](), None
    for stream, result in zip(wanted, results, strict=True):
        if isinstance(result, SteadyError):
            failure = failure or result
            merged.unread.append(f"{stream.name}: {result.message}")
        elif isinstance(result, BaseException):
            raise result
        else:
            texts[stream] = result
    if failure is not None and not texts:
        raise _explained(failure, excerpt)
    # A log may be megabytes: other calls are answered while it is taken apart.
    await asyncio.to_thread(_fill, merged, texts, excerpt, None if world.writable else moment)
    return merged


def _fill(merged: Merged, texts: dict[Stream, str], excerpt: Excerpt, moment: float | None) -> None:
    if moment is not None:
        texts = _once(texts, merged.notes)
    logs = [parse(text, stream.path) for stream, text in texts.items()]
    if moment is not None:
        logs = _excerpts(logs, excerpt, moment)
    merged.streams = list(texts)
    merged.notes += _limits(texts, logs, excerpt)
    merged.lines = merge(logs)


def merge(logs: Iterable[Sequence[Line]]) -> list[Line]:
    """By time; of one time, the first log's lines first, and those of a log as they stand in it."""
    return sorted((line for log in logs for line in log), key=lambda line: line.at)


async def _read(world: World, stream: Stream, excerpt: Excerpt, gate: asyncio.Semaphore) -> str:
    async with gate:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await world.log(stream.namespace, stream.pod, excerpt.query(stream.container))
        except TimeoutError:
            todo = "Its node may be down; get_events tells."
            raise AskAgain(f"no log within {_PATIENCE:.0f} s.", todo=todo) from None


def _once(texts: dict[Stream, str], notes: list[str]) -> dict[Stream, str]:
    """Bundles may hold one log for a whole pod: it is not told again for each of its containers."""
    found, pods = dict[Stream, str](), set[tuple[str, str, str]]()
    for stream, text in texts.items():
        own = (stream.namespace, stream.pod, text)
        if text and own in pods:
            notes.append(f"{stream.name}: the same log is saved for another container of the pod; it is shown once.")
            continue
        pods.add(own)
        found[stream] = text
    return found


def _excerpts(logs: list[list[Line]], excerpt: Excerpt, moment: float) -> list[list[Line]]:
    """A bundle's logs are saved whole: the parts that a server would have sent."""
    since = max([moment, *(line.at for log in logs for line in log)]) - excerpt.seconds if excerpt.seconds else 0.0
    return [[line for line in log if not line.at or line.at >= since][-excerpt.tail :] for log in logs]


def _limits(texts: dict[Stream, str], logs: Sequence[Sequence[Line]], excerpt: Excerpt) -> Iterable[str]:
    for (stream, text), log in zip(texts.items(), logs, strict=True):
        if log and len(text.encode("utf-8", "replace")) >= LARGEST:
            end = timestamp(log[-1].at)
            yield f"{stream.name}: only 4 MiB were read, up to {end}: a smaller tail or since reads newer lines."
    full = [stream.name for stream, text in texts.items() if text.count("\n") >= excerpt.tail]
    if full:
        named = full[0] if len(full) == 1 else f"each of {len(full)} containers"
        yield f"only the last {excerpt.tail} lines of {named} were read: a larger tail or one pod's name reads more."


def _explained(failure: SteadyError, excerpt: Excerpt) -> SteadyError:
    if excerpt.previous and not failure.retry:
        return AskDifferently(
            failure.message, todo="No earlier run of this container is kept: ask with previous=false."
        )
    if "waiting to start" in failure.message:
        return AskDifferently(failure.message, todo="It has printed nothing yet; get_events says what it waits for.")
    return failure


def parse(text: str, source: str) -> list[Line]:
    """Lines with something in them. One without a time of its own stands where the one before it stands."""
    times, bodies, at = list[float](), list[str](), 0.0
    for raw in text.split("\n"):
        match = _STAMPED.match(raw)
        body = (match[2] or "") if match else raw
        at = _time(match, body) or at
        for part in _parts(body):
            times.append(at)
            bodies.append(part)
    return [Line(at, source, body) for at, body in zip(times, redact_lines(bodies), strict=True)]


def _time(stamp: re.Match[str] | None, body: str) -> float:
    if stamp is None:
        return own_time(body)
    try:
        return parse_timestamp(_NANOSECONDS.sub(r"\1", stamp[1]))
    except ValueError:
        return 0.0


def _parts(body: str) -> list[str]:
    """The line without what cannot be seen; a line that returns or separates within itself is several."""
    if _UNCLEAN.search(body):
        return [part for part in clean(body, len(body) + 1).split("\n") if part.strip()]
    return [body] if body.strip() else []


def short_names(streams: Sequence[Stream]) -> dict[str, str]:
    """By path, what is different about each: `x2k9p/app` of `web-7c9d8b6f5d-x2k9p/app`; nothing where there is one."""
    pods = [stream.pod.split("-") for stream in streams]
    shared = next((at for at, words in enumerate(zip(*pods, strict=False)) if len(set(words)) > 1), 0)
    parts = [
        (stream.cluster, stream.namespace, "-".join(words[shared:]), stream.container)
        for stream, words in zip(streams, pods, strict=True)
    ]
    telling = [len(set(column)) > 1 for column in zip(*parts, strict=True)]
    return {
        stream.path: "/".join(word for word, tells in zip(row, telling, strict=True) if tells)
        for stream, row in zip(streams, parts, strict=True)
    }
