"""What a workload's log says for the first time, and moments with far more errors than the rest of the time has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubesteward_tools.analytics.records import Level, Line, Record, records
from kubesteward_tools.analytics.spikes import Spike, spikes
from kubesteward_tools.analytics.templates import Template, templates
from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.view import Logs, View
from kubesteward_tools.diagnosis.reading import count, listed, named
from kubesteward_tools.overlay.score import Severity
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key

_BEFORE = 20
"""Records before the window, without which nothing can be called new."""
_OFTEN = {Level.WARNING: 3, Level.ERROR: 1, Level.FATAL: 1}
"""How often a new template has to be seen. What is only told, not warned of, is new all the time."""
_STARTING = 60.0
"""Seconds after a container's first known line: what is new there comes of its start."""
_SHOWN = 3
"""Templates of one workload."""
_LONGEST = 160
_SPIKE = 3.0
"""Times the usual rate; see `spikes`."""


def find(view: View) -> Iterator[Anomaly]:
    young = list[Key]()
    for log in view.logs:
        found = records(log.lines)
        before = sum(0 < record.first.at < view.since for record in found)
        new = _novel(view, log, found) if before >= _BEFORE else []
        if new:
            yield _told(view, log, new, before)
        elif found and before < _BEFORE:
            young.append(log.workload)
        known = {id(record) for item in new for record in item.records}
        yield from _spikes(view, log, [record for record in found if id(record) not in known])
    if young:
        view.cannot(
            f"new messages: fewer than {_BEFORE} log lines from before the last {ago(view.window)} are kept of "
            f"{listed(map(named, young))}: a shorter window has more to compare with"
        )


@dataclass(frozen=True, slots=True)
class _New:
    """A template that was not there before the window, and its records."""

    template: Template
    records: list[Record]

    @property
    def rank(self) -> tuple[int, int, float]:
        return -self.template.level, -len(self.records), self.records[0].first.at


def _novel(view: View, log: Logs, found: list[Record]) -> list[_New]:
    begun = _beginnings(log.lines)
    return sorted((item for item in _new(view, found) if _counts(item, begun)), key=lambda item: item.rank)


def _told(view: View, log: Logs, new: list[_New], before: int) -> Anomaly:
    said = "; ".join(f"{_shape(item.template)!r} x{len(item.records)}" for item in new[:_SHOWN])
    more = f" and {len(new) - _SHOWN} more" if len(new) > _SHOWN else ""
    first = min(item.records[0].first.at for item in new)
    kinds = count(len(new), "kind")
    sentence = (
        f"its log has {kinds} of errors and warnings that were not there before, from {ago(view.now - first)} ago: "
        f"{said}{more}"
    )
    times = sum(len(item.records) for item in new)
    numbers = {"new": len(new), "records": times, "records_before": before, "containers": len(log.containers)}
    worst = new[0].template.level
    severity: Severity = "warning" if worst >= Level.ERROR else "info"
    score = scored(1.0 + times / 10, 85.0 if worst >= Level.ERROR else 70.0)
    return Anomaly("logs.new", severity, log.workload, sentence, score, numbers, first)


def _new(view: View, found: list[Record]) -> Iterator[_New]:
    for template in templates(found):
        if template.level in _OFTEN:
            times = [found[place] for place in template.places]
            if len(times) >= _OFTEN[template.level] and all(item.first.at >= view.since for item in times):
                yield _New(template, times)


def _beginnings(lines: Sequence[Line]) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in lines:
        if line.at:
            found[line.source] = min(line.at, found.get(line.source, line.at))
    return found


def _counts(item: _New, begun: dict[str, float]) -> bool:
    """Errors always; a warning that every container gives at its start does not."""
    if item.template.level >= Level.ERROR:
        return True
    return any(one.first.at > begun.get(one.first.source, 0.0) + _STARTING for one in item.records)


def _shape(template: Template) -> str:
    shape = template.shape
    return shape if len(shape) <= _LONGEST else shape[: _LONGEST - 1] + "…"


def _spikes(view: View, log: Logs, found: list[Record]) -> Iterator[Anomaly]:
    late = [spike for spike in spikes(found) if spike.end > view.since]
    if not late:
        return
    worst = max(late, key=lambda spike: (spike.errors, spike.start))
    sentence = (
        f"its log has {worst.errors} errors in {ago(worst.end - worst.start)}, {ago(view.now - worst.start)} ago "
        f"({worst.rate:g} a minute; {worst.usual:g} in the rest of the log)"
    )
    numbers = {
        "errors": worst.errors,
        "seconds": worst.end - worst.start,
        "rate": worst.rate,
        "usual": worst.usual,
        "spikes": len(late),
    }
    yield Anomaly(
        "logs.spike", "warning", log.workload, sentence, scored(_times(worst) / _SPIKE, 85.0), numbers, worst.start
    )


def _times(spike: Spike) -> float:
    return spike.rate / spike.usual if spike.usual else 10 * _SPIKE
