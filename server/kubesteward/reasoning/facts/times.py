"""Whether what is said of times and ages is so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kubesteward.reasoning.facts import read
from kubesteward.reasoning.facts.lookup import Facts, seconds
from kubesteward.reasoning.facts.verdicts import UNKNOWN, Verdict, pods_of, settled, subject_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_UNIT = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "f": 1209600.0, "o": 2592000.0, "y": 31536000.0}
_VAGUE = 12
"""How many units `a few` may be at most."""
_ROUNDED = 150.0
"""Seconds by which an age in minutes may be off."""
_TOGETHER = 180.0
"""Seconds after something is made, within which it is still being set up."""
_FIRST = re.compile(r"\b(?:first|initial\w*|original\w*|previous\w*|earlier|before|older?|creat\w+|made)\b", re.I)
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


def _fits(value: str, real: float) -> bool:
    """Whether an age is what is told. A day and more is rounded, and no whole unit may be added to it."""
    said, unit = _spoken(value)
    if value[0] == ">":
        return said <= real * 1.1 and real <= 3 * said + unit
    if value[0] == "<":
        return real <= said * 1.1 + _NEAR
    if value[0] == "~":
        return unit <= real <= _VAGUE * unit
    room = {"s": max(unit, _NEAR), "m": _ROUNDED, "h": 0.5 * unit}.get(value[-1], 0.6 * unit)
    return abs(said - real) <= max(0.2 * real, room) or (value[-1] == "h" and said == unit * (real // unit))


def _spoken(value: str) -> tuple[float, float]:
    """Seconds, and the unit in which they are told."""
    unit = _UNIT[value[-1]]
    return float(value.lstrip("<>~")[:-1]) * unit, unit


async def created(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or not read.created(obj):
        return UNKNOWN
    real = facts.now - read.created(obj)
    return settled(_fits(claim.value, real), f"{one} was made {real / 60:.0f} minutes ago")


_TROUBLE = re.compile(
    r"\b(?:trouble|began|problem|incident|outage|issue|broke|fail\w*|crash\w*|OOM\w*|went down|degrad\w+|bad)\b", re.I
)
_MOST = 3
"""Objects that a time is looked for at, beside the one it is said of."""
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
    """That it was made counts where that is said, or where nothing is known to have happened to it since."""
    one = subject_of(claim)
    ages = await _changes(one, facts)
    obj = await facts.object(one)
    made = facts.now - read.created(obj) if obj and read.created(obj) else 0.0
    since = [age for age in ages if age < made - _TOGETHER]
    if not since or _FIRST.search(claim.sentence):
        since = [*ages, *([made] if made else [])]
    if not since:
        return UNKNOWN
    told = ", ".join(f"{age / 60:.0f} m" for age in sorted(since)[:4])
    return settled(any(_fits(claim.value, age) for age in since), f"{one} changed {told} ago")


async def moment(claim: Claim, facts: Facts) -> Verdict:
    """Whether anything at all is known to have happened then to what the sentence speaks of."""
    known = set[float]()
    made = 0.0
    for one in list(dict.fromkeys([str(subject_of(claim)), *map(str, claim.others[:_MOST])])):
        each = next(item for item in (subject_of(claim), *claim.others) if str(item) == one)
        obj = await facts.object(each)
        pods = await facts.pods(each)
        made = max(made, facts.now - read.created(obj) if obj and read.created(obj) else 0.0)
        for item in [*([obj] if obj else []), *pods]:
            known |= {facts.now - at for at in read.moments(item)}
        known |= {facts.now - at for event in await facts.events(each) if (at := seconds(str(event.get("first", ""))))}
        known |= set(await _changes(each, facts))
    late = {age for age in known if 1 < age < made - _TOGETHER}
    if late and _TROUBLE.search(claim.sentence):
        known = late  # that it was made is no trouble
    said, unit = _spoken(claim.value)
    if not made or unit == 1.0 or any(_fits(claim.value, age) for age in known):
        return UNKNOWN
    if not late and said <= made * 1.2 + min(unit, _UNIT["h"]):
        return UNKNOWN
    return (
        "false",
        f"nothing is known to have happened to {subject_of(claim)} then, which is there for {made / 60:.0f} m",
    )


async def last_changed(claim: Claim, facts: Facts) -> Verdict:
    one = subject_of(claim)
    ages = await _changes(one, facts)
    if not ages:
        return UNKNOWN
    return settled(_fits(claim.value, min(ages)), f"{one} changed last {min(ages) / 60:.0f} m ago")


async def lasting(claim: Claim, facts: Facts) -> Verdict:
    """Nothing has been in any state for longer than it is there."""
    one = subject_of(claim)
    obj = await facts.object(one)
    if obj is None or not read.created(obj) or one.kind == "Namespace":
        return UNKNOWN
    real, (said, unit) = facts.now - read.created(obj), _spoken(claim.value)
    if said > real * 1.2 + min(unit, _UNIT["h"]) / 2:
        return "false", f"{one} was made {real / 60:.0f} minutes ago"
    return UNKNOWN


async def downed(claim: Claim, facts: Facts) -> Verdict:
    """When a node was last heard of as ready, as far as it tells."""
    one = subject_of(claim)
    conditions = ((await facts.object(one) or {}).get("status") or {}).get("conditions") or []
    ready: Mapping[str, Any] = next((item for item in conditions if item.get("type") == "Ready"), {})
    at = seconds(str(ready.get("lastTransitionTime", "")))
    if one.kind != "Node" or not at or ready.get("status") == "True":
        return await lasting(claim, facts)
    real = facts.now - at
    return settled(_fits(claim.value, real), f"{one} went down {real / 60:.0f} minutes ago")


async def running(claim: Claim, facts: Facts) -> Verdict:
    """Since it was made, or since one of its pods was made or began."""
    one = subject_of(claim)
    obj = await facts.object(one)
    found = [obj] if obj else []
    pods = await facts.pods(one)
    times = {read.created(item) for item in [*found, *pods]} | {at for pod in pods for at in read.moments(pod)}
    ages = sorted(facts.now - at for at in times if at)
    return settled(any(_fits(claim.value, age) for age in ages), f"{one} is there for {_minutes(ages)}")


async def ended(claim: Claim, facts: Facts) -> Verdict:
    """What crashes again and again has ended at any time since it was made."""
    pods = [pod for pod in await pods_of(claim, facts) if read.exits([pod])]
    if not pods:
        told = await moment(claim, facts)  # who says that it was restarted may mean a roll-out
        return told if told[0] == "false" or "restart" in claim.sentence else ("false", "no container of it has ended")
    oldest = max(facts.now - read.created(pod) for pod in pods)
    said, unit = _spoken(claim.value)
    return settled(said <= oldest * 1.2 + unit, f"{subject_of(claim)} is there for {oldest / 60:.0f} minutes only")


def _minutes(ages: list[float]) -> str:
    return ", ".join(f"{age / 60:.0f} m" for age in ages[-4:])
