"""Forecasts in words: amounts in the unit of what is forecast, times as people say them, what is known and how."""

from __future__ import annotations

from collections.abc import Callable

from kubesteward_tools.forecasting.forecast import Outlook
from kubesteward_tools.forecasting.subjects import Forecast, Subject
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.sparkline import sparkline
from kubesteward_tools.text.table import table

HEADS = ("level", "object", "metric", "now", "of", "per hour", "used up in", "95 % between", "known by", "course")
_MI, _GI = 2**20, 2**30
_DAY = 86400.0
_NOTES = 160
_WIDE = 16
"""Characters of a course in a table: its shape is seen, and twenty of them cost little."""


def lines(outlook: Outlook, most: int) -> list[str]:
    """What is found, then what was looked at, then what was not."""
    found = outlook.found[:most]
    head = _head(outlook)
    rows = [[*row(item), _course(item)] for item in found]
    more = len(outlook.found) - len(found)
    return [
        head,
        *([table(HEADS, rows)] if rows else []),
        *([f"... {more} more: narrow it by target, namespace or metric"] if more else []),
        *(f"looked at: {sentence(item)}" for item in outlook.looked),
        *(f"NOT KNOWN {sentence(item)}" for item in outlook.missing),
    ]


def paragraphs(outlook: Outlook, most: int, *, plain: bool) -> list[str]:
    """For a terminal: two lines each, the second one with its course drawn."""
    found = [_head(outlook)]
    for item in outlook.found[:most]:
        level, label, metric, now, of, slope, left, between, basis = row(item)
        rate = f", {slope} an hour" if slope else ""
        until = f" ({between}, 95 %)" if between else ""
        found.append(f"{level:7}  {metric} of {label}: {left}{until}; {now}{f' of {of}' if of else ''}{rate}")
        drawn = sparkline(item.subject.points, plain=plain)
        found.append(f"         {f'{drawn}  ' if drawn else ''}{basis}")
    more = len(outlook.found) - most
    found += [f"{more} more: --limit shows them."] if more > 0 else []
    found += [f"looked at: {sentence(item)}" for item in outlook.looked]
    return found + [f"NOT KNOWN {sentence(item)}" for item in outlook.missing]


def _course(item: Forecast) -> str:
    points = item.subject.points
    return sparkline(points, _WIDE) if len(points) > 1 else ""


def _head(outlook: Outlook) -> str:
    warnings = sum(item.severity == "warning" for item in outlook.found)
    notices = sum(item.severity == "notice" for item in outlook.found)
    span = duration(outlook.horizon)
    if warnings or notices:
        return f"{warnings} used up within 24 h (warnings), {notices} more within {span}"
    if not outlook.judged:
        return f"Not enough is known to say what will be used up within {span}."
    more = "; not everything is known" if outlook.missing else ""
    return f"Nothing of {outlook.judged} courses that could be judged will be used up within {span}{more}."


def row(item: Forecast) -> list[str]:
    subject, trend = item.subject, item.trend
    owner = f" ({sentence(subject.owner, 80)})" if subject.owner and not subject.owner.startswith("Pod/") else ""
    also = f" and {item.siblings} like it" if item.siblings else ""
    limit = f"{amount(subject, subject.limit)} {subject.word}" if subject.limit is not None else "no limit"
    dated = subject.metric == "certificates"
    slope = trend.slope
    return [
        item.severity,
        sentence(subject.label, 160) + owner + also,
        subject.metric,
        amount(subject, trend.value),
        "" if dated else limit,
        "" if slope is None else ("+" if slope >= 0 else "-") + amount(subject, abs(slope)),
        used_up(item),
        "" if dated else _between(item),
        known(item),
    ]


def used_up(item: Forecast) -> str:
    left = item.left
    if left is None:
        return {"unknown": "not known", "growing": "not within reach"}.get(item.trend.verdict, "no trend")
    return "now" if not left else duration(left)


def _between(item: Forecast) -> str:
    between = item.between()
    return f"{duration(between[0])} - {duration(between[1])}" if between else ""


def known(item: Forecast) -> str:
    """How many samples over which span, by which method, and what is to be said about them."""
    trend, notes = item.trend, "; ".join(item.trend.notes)
    if item.subject.metric == "certificates":
        return sentence(notes, _NOTES)
    basis = f"{trend.points} {'sample' if trend.points == 1 else 'samples'} over {duration(trend.span)}"
    method = f", {trend.line.method}" if trend.line and trend.verdict not in {"unknown", "steady"} else ""
    said = f"{trend.verdict}: " if trend.verdict in {"recurring", "falling", "steady"} else ""
    return sentence(f"{said}{basis}{method}{f'; {notes}' if notes else ''}", _NOTES)


def duration(seconds: float) -> str:
    for unit, word in ((_DAY, "d"), (3600.0, "h"), (60.0, "m")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.3g}{word}" if seconds < 1000 * unit else f"{seconds / unit:.0f}{word}"
    return f"{seconds:.0f}s"


def amount(subject: Subject, value: float) -> str:
    if subject.metric == "quota":
        return _of_quota(subject.part, value)
    return _SHOWN[subject.metric](value)


def _of_quota(resource: str, value: float) -> str:
    name = resource.rpartition(".")[2]
    if name in {"memory", "storage", "ephemeral-storage"}:
        return _bytes(value)
    return f"{value * 1000:.0f}m" if name == "cpu" else f"{value:.4g}"


def _bytes(value: float) -> str:
    return (
        f"{value / _GI:.1f}Gi"
        if abs(value) >= 100 * _GI
        else f"{value / _MI:.3g}Mi"
        if value < 100 * _MI
        else (f"{value / _MI:.0f}Mi")
    )


_SHOWN: dict[str, Callable[[float], str]] = {
    "cpu": lambda value: f"{value * 1000:.0f}m",
    "memory": _bytes,
    "disk": _bytes,
    "pods": lambda value: f"{value:.3g}",
    "certificates": lambda value: f"{value:.1f}d",
}
