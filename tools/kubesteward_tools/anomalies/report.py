"""Anomalies as people and models read them: clean lines, and the same as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.diagnosis.reading import count, kind_of, named
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.text.ages import ago, seconds
from kubesteward_tools.twin.clock import timestamp

if TYPE_CHECKING:
    from kubesteward_tools.anomalies.asking import Answered

_LONGEST = 480
_WEAK_SHOWN = 5
"""Weak spots that are listed however much is wrong."""
_PARTS = 5
_SHORTEST, _WIDEST = 60.0, 7 * 86400.0
_COUNTED = ("pods", "nodes", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "logs")


def span(text: str) -> float:
    """The seconds of a window. Raises InvalidArguments for one that is too short, too long, or none."""
    found = seconds(text)
    if not _SHORTEST <= found <= _WIDEST:
        raise InvalidArguments(f"a window of {text!r} cannot be looked at.", todo="Give one from 1m to 7d.")
    return found


def lines(found: Answered, most: int, *, every: bool = False) -> list[str]:
    """The head, one line an anomaly, and what could not be judged; with `every` also what hurts nobody yet."""
    weak = weak_spots(found, most, "--all lists them, and so does a target", listed=every or found.narrow)
    return [head(found), *listed(found, most), *weak, *unjudged(found), *unread(found)]


def head(found: Answered) -> str:
    """How much was found, and in how much."""
    report = found.report
    many = len(report.anomalies)
    what = f"{many} {'anomaly' if many == 1 else 'anomalies'}" if many else "no anomaly in what could be judged"
    seen = [_seen(resource, report.looked_at[resource]) for resource in _COUNTED if report.looked_at.get(resource)]
    return (
        f"{what}, the last {ago(found.window)} up to {timestamp(found.now)}; looked at {', '.join(seen) or 'nothing'}"
    )


def _seen(resource: str, number: int) -> str:
    return f"the logs of {count(number, 'container')}" if resource == "logs" else count(number, kind_of(resource))


def listed(found: Answered, most: int) -> list[str]:
    """The anomalies, the worst object first."""
    anomalies = found.report.anomalies
    more = len(anomalies) - most
    shown = [_line(found, item) for item in anomalies[:most]]
    return [*shown, *([f"{more} more: a namespace or a target shows its own."] if more > 0 else [])]


def weak_spots(found: Answered, most: int, how: str, *, listed: bool) -> list[str]:
    """What nothing fails of yet: one line each where they were asked for, else their number and `how` to see them."""
    weak = found.report.weak
    if not weak:
        return []
    counted = ", ".join(f"{number} {code}" for code, number in sorted(Counter(item.code for item in weak).items()))
    if not listed:
        return [f"weak spots (info; nothing fails of them): {counted}; {how}"]
    room = _room(found, most)
    more = f", {room} of them here" if len(weak) > room else ""
    return [f"weak spots (info; nothing fails of them): {counted}{more}", *(_line(found, item) for item in weak[:room])]


def _room(found: Answered, most: int) -> int:
    return max(most - len(found.report.anomalies), _WEAK_SHOWN)


def unjudged(found: Answered) -> list[str]:
    """What the answer does not tell."""
    return [f"NOT JUDGED {sentence(item, _LONGEST)}" for item in found.report.unjudged]


def unread(found: Answered) -> list[str]:
    """What detectors could not read, in words that may be quoted from the cluster."""
    return [f"NOT READ {sentence(item, _LONGEST)}" for item in found.report.unread]


def _line(found: Answered, item: Anomaly) -> str:
    changed = found.change(item)
    after = f" | changed before: {sentence(changed, 200)}" if changed else ""
    return (
        f"{item.severity} {item.code} | {sentence(named(item.key), 160)} | {sentence(item.sentence, _LONGEST)}{after}"
    )


def data(found: Answered, most: int, *, every: bool = False) -> dict[str, Any]:
    """The same, typed."""
    report = found.report
    weak = report.weak[: _room(found, most)] if every or found.narrow else ()
    return {
        "as_of": timestamp(found.now),
        "window_seconds": found.window,
        "total": len(report.anomalies),
        "anomalies": [_record(found, item) for item in report.anomalies[:most]],
        "weak_spots": {
            "total": len(report.weak),
            "codes": dict(sorted(Counter(item.code for item in report.weak).items())),
            "listed": [_record(found, item) for item in weak],
        },
        "not_judged": [sentence(item, _LONGEST) for item in report.unjudged],
        "not_read": [sentence(item, _LONGEST) for item in report.unread],
        "looked_at": dict(report.looked_at),
    }


def _record(found: Answered, item: Anomaly) -> dict[str, Any]:
    made: dict[str, Any] = {
        "code": item.code,
        "severity": item.severity,
        "score": item.score,
        "kind": kind_of(item.key.resource),
        "namespace": item.key.namespace,
        "name": item.key.name,
        "sentence": sentence(item.sentence, _LONGEST),
        "numbers": {name: _short(value) for name, value in item.numbers.items()},
        "parts": _names(item.parts),
    }
    if item.since is not None:
        made["since"] = timestamp(item.since)
    changed = found.change(item)
    return made | ({"changed": sentence(changed, 200)} if changed else {})


def _names(keys: Iterable[Any]) -> list[str]:
    found = [sentence(key.name, 160) for key in keys]
    more = len(found) - _PARTS
    return found[:_PARTS] + ([f"and {more} more"] if more > 0 else [])


def _short(value: float | str) -> float | int | str:
    if isinstance(value, str):
        return sentence(value, 160)
    return value if isinstance(value, int) else float(f"{value:.6g}")
