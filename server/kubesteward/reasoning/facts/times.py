"""Whether what is said of times and ages is so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubesteward.reasoning.facts import read
from kubesteward.reasoning.facts.lookup import Facts, seconds
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, pods_of, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NEAR = 120.0
"""Seconds by which times may differ that are the same to people."""


async def since(claim: Claim, facts: Facts) -> Verdict:
    one, at = subject_of(claim), seconds(claim.value)
    obj = await facts.object(one)
    if obj is None or not at:
        return UNKNOWN
    known = read.moments(obj)
    for pod in await facts.pods(one):
        known |= read.moments(pod)
    known |= {seconds(str(event.get("first", ""))) for event in await facts.events(one)}
    known |= {facts.now - _span(str(change.get("ago", ""))) for change in await facts.changes(one)}
    room = max(_NEAR, 0.02 * (facts.now - at))
    if any(abs(at - other) <= room for other in known if other) or claim.value in await facts.judged(one):
        return "true", ""
    return "false", f"nothing is known to have happened to {one} then"


def _span(text: str) -> float:
    """Seconds of `9m` or `1h5m`."""
    return sum(float(number) * _UNIT[unit] for number, unit in re.findall(r"(\d+(?:\.\d+)?)([smhdw])", text))


def _about(said: float, unit: float, real: float) -> bool:
    """A day and more is rounded, and no whole unit may be added to it."""
    return abs(said - real) <= max(
        0.2 * real, unit if unit <= _UNIT["h"] else 0.6 * unit, _NEAR if unit == 1.0 else 0.0
    )


def _spoken(claim: Claim) -> tuple[float, float]:
    """Seconds, and the unit in which they are told."""
    unit = _UNIT[claim.value[-1]]
    return float(claim.value[:-1]) * unit, unit


async def created(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or not read.created(obj):
        return UNKNOWN
    real = facts.now - read.created(obj)
    return settled(_about(*_spoken(claim), real), f"{one} was made {real / 60:.0f} minutes ago")


_NO_CHANGE = frozenset({"warning", "container", "node"})


async def _changes(one: Culprit, facts: Facts) -> list[float]:
    """How long ago somebody changed something, not how long ago something happened to it."""
    told = await facts.changes(one)
    done = [change for change in told if change.get("kind") not in _NO_CHANGE]
    return [
        facts.now - at if (at := seconds(str(change.get("at", "")))) else _span(str(change.get("ago", "")))
        for change in done
    ]


async def changed(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    ages = await _changes(one, facts)
    obj = await facts.object(one)
    ages += [facts.now - read.created(obj)] if obj else []
    if not ages:
        return UNKNOWN
    told = ", ".join(f"{age / 60:.0f} m" for age in sorted(ages)[:4])
    return settled(any(_about(*_spoken(claim), age) for age in ages), f"{one} changed {told} ago")


async def last_changed(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    ages = await _changes(one, facts)
    if not ages:
        return UNKNOWN
    return settled(_about(*_spoken(claim), min(ages)), f"{one} changed last {min(ages) / 60:.0f} m ago")


async def lasting(claim: Claim, facts: Facts) -> Verdict:
    """Nothing has been in any state for longer than it is there."""
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or not read.created(obj) or one.kind == "Namespace":
        return UNKNOWN
    real, (said, unit) = facts.now - read.created(obj), _spoken(claim)
    if said > real * 1.2 + min(unit, _UNIT["h"]):
        return "false", f"{one} was made {real / 60:.0f} minutes ago"
    return UNKNOWN


async def downed(claim: Claim, facts: Facts) -> Verdict:
    """When a node was last heard of as ready, as far as it tells."""
    one = subject_of(claim)
    conditions = ((await facts.object(one) or {}).get("status") or {}).get("conditions") or []
    ready: Mapping[str, Any] = next((item for item in conditions if item.get("type") == "Ready"), {})
    at = seconds(str(ready.get("lastTransitionTime", "")))
    if one.kind != "Node" or not at or ready.get("status") == "True":
        return UNKNOWN
    real = facts.now - at
    return settled(_about(*_spoken(claim), real), f"{one} went down {real / 60:.0f} minutes ago")


async def running(claim: Claim, facts: Facts) -> Verdict:
    """Since it was made, or since one of its pods was made or began."""
    one = subject_of(claim)
    obj = await facts.object(one)
    found = [obj] if obj else []
    pods = await facts.pods(one)
    times = {read.created(item) for item in [*found, *pods]} | {at for pod in pods for at in read.moments(pod)}
    ages = sorted(facts.now - at for at in times if at)
    return settled(any(_about(*_spoken(claim), age) for age in ages), f"{one} is there for {_minutes(ages)}")


async def ended(claim: Claim, facts: Facts) -> Verdict:
    """What crashes again and again has ended at any time since it was made."""
    pods = [pod for pod in await pods_of(claim, facts) if read.exits([pod])]
    if not pods:
        return "false", f"no container of {subject_of(claim)} has ended"
    oldest = max(facts.now - read.created(pod) for pod in pods)
    said, unit = _spoken(claim)
    return settled(said <= oldest * 1.2 + unit, f"{subject_of(claim)} is there for {oldest / 60:.0f} minutes only")


def _minutes(ages: list[float]) -> str:
    return ", ".join(f"{age / 60:.0f} m" for age in ages[-4:])
