"""Looks through a merged log: what the pattern and the hint pick, what stands around it, when errors were many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.analytics.hints import finder, select
from kubesteward_tools.analytics.records import Record, records
from kubesteward_tools.analytics.spikes import Spike, spikes
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.loglines import Merged, short_names
from kubesteward_tools.lookup.logview import Style, View, view
from kubesteward_tools.lookup.shown import sentence

_CONTEXT = 2
"""Records of the same container before and after one that the pattern matches."""


def compiled(pattern: str) -> Any:
    """Time linear in the log, whatever the pattern. Raises InvalidArguments."""
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


@dataclass(frozen=True, slots=True)
class Found:
    """`wanted` says whether anything fits the question; if not, everything is shown. `others` are those not chosen."""

    view: View
    spikes: list[Spike]
    others: list[Record]
    wanted: bool


def look_through(merged: Merged, matcher: Any, hint: str, style: Style) -> Found:
    """`matcher` is a compiled pattern or None."""
    every = records(merged.lines)
    fitting = list(range(len(every)))
    if matcher is not None:
        fitting = [place for place in fitting if _matches(matcher, every[place])]
    if hint:
        fitting = [fitting[at] for at in select([every[place] for place in fitting], hint)]
    chosen = _with_context(every, fitting) if matcher is not None else dict.fromkeys(fitting, True)
    if not fitting and matcher is None:
        chosen = dict.fromkeys(range(len(every)), True)
    names = short_names(merged.streams) if merged.streams else {}
    others = [record for place, record in enumerate(every) if place not in chosen]
    shown = view(every, chosen, names, style, _focus(matcher, hint))
    return Found(shown, spikes(every), others, wanted=bool(fitting or not every))


def _focus(matcher: Any, hint: str) -> Callable[[str], int]:
    if matcher is None:
        return finder(hint)

    def find(line: str) -> int:
        match = matcher.search(line)
        return match.start() if match else -1

    return find


def _matches(matcher: Any, record: Record) -> bool:
    return bool(matcher.search(record.text) or (record.shown != record.first.text and matcher.search(record.shown)))


def _with_context(every: Sequence[Record], fitting: Sequence[int]) -> dict[int, bool]:
    """The fitting records and, marked False, their neighbours in the same container's log."""
    by_source, position = dict[str, list[int]](), list[int]()
    for place, record in enumerate(every):
        own = by_source.setdefault(record.first.source, [])
        position.append(len(own))
        own.append(place)
    chosen = dict.fromkeys(fitting, True)
    for place in fitting:
        own, at = by_source[every[place].first.source], position[place]
        for near in own[max(0, at - _CONTEXT) : at + _CONTEXT + 1]:
            chosen.setdefault(near, False)
    return dict(sorted(chosen.items()))
