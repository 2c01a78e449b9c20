"""What a claim says, as a short text: numbers joined by strokes, ages as `3h`, states as Kubernetes spells them."""

from __future__ import annotations

import re

from kubesteward.reasoning.facts.patterns import NUMBERS, STATES

_CASE = {state.lower(): state for state in STATES}
_SAME = {
    "oom-killed": "OOMKilled",
    "oom killed": "OOMKilled",
    "out of memory": "OOMKilled",
    "crash-looping": "CrashLoopBackOff",
    "crashlooping": "CrashLoopBackOff",
    "crash looping": "CrashLoopBackOff",
    "unready": "not ready",
    "notready": "not ready",
    "oom-kill": "OOMKilled",
    "oom kill": "OOMKilled",
    "pull": "ImagePullBackOff",
    "scheduled": "Pending",
    "schedule": "Pending",
    "place": "Pending",
    "placed": "Pending",
    "oom": "OOMKilled",
    "memory": "OOMKilled",
    "kernel": "OOMKilled",
    "crashloop": "CrashLoopBackOff",
    "crash-loop": "CrashLoopBackOff",
    "crash loop": "CrashLoopBackOff",
    "status": "not ready",
}
_PARTS = {"half": "half", "most": "most"} | dict.fromkeys(("every", "each", "all"), "all")
_ALL_UP = frozenset({"full", "complete", "healthy", "available", "up", "ready", "fine", "well"})

_NUMBERED = frozenset(
    [
        "ready",
        "desired",
        "restarts",
        "unready",
        "endpoints",
        "ready count",
        "unready of",
        "quota used",
        "quota pods",
        "existing",
        "disruptions",
        "selected",
        "pods on",
        "updated",
        "not made",
        "last one",
    ]
)
LATE = frozenset(["moment", "lasting", "ended", "changed", "scaled"])
"""Kinds of ages that free words may be read as where nothing else was."""
AGES = frozenset(["downed", "created", "changed", "scaled", "running", "ended", "lasting", "last changed", "moment"])
_PAST = {"yesterday": "1d", "last night": "1d", "last week": "1w", "last month": "4w"}


def value_of(kind: str, match: re.Match[str]) -> str:
    groups = [group or "" for group in match.groups()]
    if "n" in match.groupdict():  # the other way round
        return "/".join(str(NUMBERS.get(match[name].lower(), match[name])) for name in ("n", "m"))
    if kind == "state":
        negated, state = (groups[0], groups[1]) if groups[1] else ("", groups[0])
        word = _SAME.get(state.lower()) or _CASE.get(state.lower(), state)
        return f"!{word}" if negated.strip() else word
    if kind in _NUMBERED or kind in {"state count", "part"}:
        return _numbers(kind, groups)
    if kind in AGES:
        return _PAST.get(groups[0].lower()) or _age(
            match.string[max(0, match.start(1) - 40) : match.start(1)], groups[0].lower(), groups[1].lower()
        )
    if kind == "share":
        return _share(groups[0].lower(), (groups[1:] or [""])[0].lower())
    if kind in {"nodes", "moved"}:
        return "/".join(str(NUMBERS.get(group.lower(), group.lower())) for group in groups)
    if kind == "label":
        return groups[0].replace(" ", "").rstrip(".")
    return groups[0].rstrip(".")


def _numbers(kind: str, groups: list[str]) -> str:
    if kind == "restarts" and not groups[0]:
        return "0"
    if kind == "part":
        return f"{_part(groups[0].lower())}/{groups[1].lower()}"
    told = [str(NUMBERS.get(group.lower(), group)) for group in groups[:2] if group]
    if kind == "state count":
        told.append(_SAME.get(groups[2].lower()) or _CASE.get(groups[2].lower(), groups[2]))
    return "/".join(told)


_PARTS_OF = {"third": 3, "quarter": 4, "fifth": 5}


def _part(words: str) -> float:
    """Of `two thirds`, the number."""
    many, _, part = words.replace("-", " ").partition(" ")
    return NUMBERS.get(many, 1) / _PARTS_OF[part.removesuffix("s")] if part else 0.5


_HALVES = {"h": "30m", "d": "12h", "m": "30s"}
"""Nobody who says half an hour means an hour rounded."""
_VAGUE = {"half a": "0.5", "half an": "0.5", "couple of": "2", "a couple of": "2", "a few": "~3", "several": "~4"}
_MORE = re.compile(r"\b(?:more than|over|at least|longer than|well over)\s*$", re.I)
_LESS = re.compile(r"\b(?:less than|under|at most|not even|within|no more than)\s*$", re.I)


def _age(before: str, number: str, unit: str) -> str:
    """As `3h`, with a sign before it where it is told as a bound or only vaguely."""
    sign = ">" if _MORE.search(before) else "<" if _LESS.search(before) else ""
    short = {"mo": "o", "fo": "f"}.get(unit[:2], unit[0]) if len(unit) > 1 else unit
    if number.startswith("half") and short in _HALVES:
        return f"{sign}{_HALVES[short]}"
    return f"{sign}{_VAGUE.get(number) or NUMBERS.get(number, number)}{short}"


def _share(part: str, state: str) -> str:
    """Of the pods that are ready: none, half, most or all."""
    if part in _ALL_UP:
        return "all"
    if not part:
        return "none"
    down = state in {"down", "not ready", "unready", "unavailable"}
    if part in _PARTS:
        return {"all": "none", "most": "few"}.get(_PARTS[part], "half") if down else _PARTS[part]
    return "none"
