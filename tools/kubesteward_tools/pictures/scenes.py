"""What the pictures show, before anyone draws it: how long each object was busy, and how far the change reaches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Literal

from kubesteward_tools.twin.rehearsal import Rehearsal

Tone = Literal["start", "stop", "change"]
Level = Literal["block", "warn", "info", ""]
_SEVERITIES: tuple[Level, ...] = ("block", "warn", "info")
_STOPS = {"stopping", "gone"}


@dataclass(frozen=True, slots=True)
class Span:
    """What happens to one object, from its first step to its last, in seconds from the change."""

    object: str
    begin: float
    end: float
    words: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Spot:
    """One thing that the change reaches; `level` is that of the worst finding about it."""

    name: str
    words: str
    level: Level = ""


@dataclass(frozen=True, slots=True)
class Radius:
    """From left to right: what the change touches, which pods come and go, whose ready pods it changes."""

    touched: tuple[Spot, ...]
    pods: tuple[Spot, ...]
    reached: tuple[Spot, ...]
    left_out: int


def spans(rehearsal: Rehearsal, most: int = 40) -> tuple[list[Span], int]:
    """In the order of their beginnings, and how many more there are."""
    steps: dict[str, list[tuple[float, str]]] = {}
    for step in rehearsal.timeline:
        steps.setdefault(step.object, []).append((step.t, step.what))
    found = [_span(name, said) for name, said in steps.items()]
    return found[:most], max(len(found) - most, 0)


def _span(name: str, said: list[tuple[float, str]]) -> Span:
    words = {what for _, what in said}
    tone: Tone = "stop" if words & _STOPS else "start" if "created" in words else "change"
    told = ", ".join(f"{what} {at:g} s" for at, what in said)
    return Span(name, said[0][0], said[-1][0], told, tone)


def radius(rehearsal: Rehearsal, most: int = 12) -> Radius:
    levels = _levels(rehearsal)
    touched = [Spot(name, word, levels.get(name, "")) for name, word in _touched(rehearsal)]
    pods = list(_pods(rehearsal))
    reached = list(_reached(rehearsal, levels))
    left_out = sum(max(len(spots) - most, 0) for spots in (touched, pods, reached))
    return Radius(tuple(touched[:most]), tuple(pods[:most]), tuple(reached[:most]), left_out)


def _levels(rehearsal: Rehearsal) -> dict[str, Level]:
    found: dict[str, Level] = {}
    for level in reversed(_SEVERITIES):
        found |= {item.object: level for item in rehearsal.findings if item.severity == level}
    return found


def _touched(rehearsal: Rehearsal) -> Iterator[tuple[str, str]]:
    effects = rehearsal.effects
    for word, names in (("deleted", effects.deleted), ("changed", effects.changed), ("created", effects.created)):
        yield from ((name, word) for name in names)


def _pods(rehearsal: Rehearsal) -> Iterator[Spot]:
    effects = rehearsal.effects
    if effects.pods_stopped:
        yield Spot(pods(effects.pods_stopped), "stop", "warn")
    if effects.pods_started:
        yield Spot(pods(effects.pods_started), "start")
    yield from (Spot(f"pod {item.pod}", "stays Pending", "block") for item in effects.pending)
    for item in islice((item for item in rehearsal.admission if not item.allowed), 1):
        yield Spot(item.call, f"refused with {item.code}", "block")


def pods(count: int) -> str:
    return f"{count} pod{'' if count == 1 else 's'}"


def _reached(rehearsal: Rehearsal, levels: dict[str, Level]) -> Iterator[Spot]:
    counted = {item.object for item in rehearsal.availability}
    for item in rehearsal.availability:
        worse = f", {item.worst_min} if new ones fail" if item.worst_min < item.best_min else ""
        words = f"ready {item.before}, {item.best_min} at least{worse}"
        yield Spot(item.object, words, levels.get(item.object, ""))
    others = chain(rehearsal.blast_radius.dependents, (item.object for item in rehearsal.findings))
    told = counted | {name for name, _ in _touched(rehearsal)} | {item.call for item in rehearsal.admission}
    for name in dict.fromkeys(others):
        if name not in told:
            yield Spot(name, "", levels.get(name, ""))
