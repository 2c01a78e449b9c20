"""Outcomes for people: by object, the worst object and the gravest of it first, and each fix once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from kubesteward_tools.checks.reports.data import message, summary
from kubesteward_tools.checks.run import Outcome, Report
from kubesteward_tools.lookup.shown import sentence


def render(report: Report, *, most: int | None = None) -> str:
    """At most `most` findings, the gravest; a cut is told."""
    shown = sorted(report.open, key=lambda item: -item.severity.rank)[:most]
    order = {item.object: place for place, item in reversed(list(enumerate(shown)))}
    shown.sort(key=lambda item: order[item.object])
    lines = [line for _, group in groupby(shown, key=lambda item: item.object) for line in _of_object(list(group))]
    if len(shown) < len(report.open):
        lines.append(f"... {len(report.open) - len(shown)} more")
    return "\n".join([*lines, summary(report)])


def _of_object(outcomes: list[Outcome]) -> Iterator[str]:
    yield sentence(str(outcomes[0].object), 400)
    for _, group in groupby(outcomes, key=lambda item: item.check.id):
        same = list(group)
        for item in same:
            where = str(item.place or item.where)
            yield f"  {item.severity.value:<8} {item.check.id}: {message(item)}" + (
                f" ({sentence(where)})" if where else ""
            )
        yield f"           fix: {same[0].check.fix}"
    yield ""
