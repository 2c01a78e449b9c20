"""A rehearsal as lines of text, each with what it is, so that a terminal may colour it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from kubesteward_tools.pictures.escapes import line
from kubesteward_tools.pictures.markdown import meaning
from kubesteward_tools.pictures.scenes import pods
from kubesteward_tools.twin.rehearsal import Concern, Rehearsal

Style = Literal["safe", "warn", "blocked", "unknown", "head", "plain", "dim"]
_STYLES: dict[str, Style] = {"block": "blocked", "warn": "warn", "info": "dim"}
_ROWS = 60


class Line(NamedTuple):
    style: Style
    text: str


def page(rehearsal: Rehearsal, summary: str, cluster: str = "") -> list[Line]:
    """What matters first: the verdict, then why."""
    where = f" ({line(cluster)})" if cluster else ""
    found = [Line("head", f"{line(summary, 500)}{where}")]
    found.append(Line(rehearsal.verdict, f"{rehearsal.verdict}: {meaning(rehearsal)}"))
    for item in rehearsal.findings[:_ROWS]:
        found += _finding(item)
    found += _more(len(rehearsal.findings))
    found.append(Line("plain", _counts(rehearsal)))
    found += _pending(rehearsal)
    found += _availability(rehearsal)
    if rehearsal.timeline:
        found.append(Line("head", "Timeline, if new pods become ready"))
        found += [
            Line("dim", f"  {step.t:>7g} s  {line(step.object)}: {line(step.what)}") for step in rehearsal.timeline
        ]
    if rehearsal.assumptions:
        style: Style = "unknown" if rehearsal.verdict == "unknown" else "dim"
        found.append(Line("head", "Assumed and not simulated"))
        found += [Line(style, f"  {line(text)}") for text in rehearsal.assumptions[:_ROWS]]
        found += _more(len(rehearsal.assumptions))
    return found


def _more(count: int) -> Iterator[Line]:
    if count > _ROWS:
        yield Line("dim", f"  and {count - _ROWS} more")


def _finding(item: Concern) -> Iterator[Line]:
    yield Line(_STYLES[item.severity], f"  {item.severity} {item.rule}: {line(item.message)}")
    if item.remedy:
        yield Line("dim", f"    {line(item.remedy)}")


def _counts(rehearsal: Rehearsal) -> str:
    effects, reach = rehearsal.effects, rehearsal.blast_radius
    share = f"{reach.share_of_namespace:.0%} of the namespace's"
    stopped = f"{effects.pods_stopped} stopped" + (f" ({share})" if effects.pods_stopped else "")
    touched = "1 object" if reach.objects == 1 else f"{reach.objects} objects"
    return f"{pods(effects.pods_started)} started, {stopped}; {touched} touched"


def _pending(rehearsal: Rehearsal) -> Iterator[Line]:
    for item in rehearsal.effects.pending[:_ROWS]:
        yield Line("warn", f"  pending {line(item.pod)}: {line(item.message)}")


def _availability(rehearsal: Rehearsal) -> Iterator[Line]:
    if not rehearsal.availability:
        return
    shown = rehearsal.availability[:_ROWS]
    names = [line(item.object, 80) for item in shown]
    width = max(24, *map(len, names))
    yield Line("head", f"  {'ready pods and endpoints':{width}}  before  least  end   never ready: least  end")
    for name, item in zip(names, shown, strict=True):
        counts = (
            f"{item.before:>6}  {item.best_min:>5}  {item.best_after:>3}  {item.worst_min:>19}  {item.worst_after:>3}"
        )
        yield Line("plain", f"  {name:{width}}  {counts}")
