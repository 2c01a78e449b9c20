"""All detectors over one view; what they say of one object is put together and ordered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kubesteward_tools.anomalies import detectors
from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.world.store import Key

_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    "siblings.restarts": ("restarts.often",),
    "siblings.ready": ("flapping.ready", "flapping.probe", "restarts.often"),
    "flapping.probe": ("flapping.ready", "restarts.often", "stuck.unready"),
    "flapping.ready": ("restarts.often",),
    "health.crashing": ("restarts.often", "stuck.starting"),
    "health.not_starting": ("stuck.starting",),
    "stuck.rollout": ("stuck.unscheduled", "stuck.starting", "stuck.init", "stuck.gated", "stuck.unready"),
}
"""Codes that say nothing new where one of the others is said of the same object."""


@dataclass(frozen=True, slots=True)
class Report:
    """`anomalies` stand by object, the object with the worst first. `unjudged` says what could not be told and why,
    `unread` which detectors could not read what they were given, `looked_at` how many objects of each resource were.
    """

    anomalies: tuple[Anomaly, ...]
    unjudged: tuple[str, ...]
    unread: tuple[str, ...]
    looked_at: Mapping[str, int]


def find(view: View) -> Report:
    """What is strange in the view."""
    found, unread = list[Anomaly](), list[str]()
    for name, detect in detectors.load().items():
        try:
            found += detect(view)
        except (AttributeError, KeyError, TypeError, ValueError, IndexError, RuntimeError) as error:
            # Saved objects may be of any shape, and the graph of a live world grows while it is read: what one
            # detector cannot read must not silence the others.
            unread.append(f"{name}: {type(error).__name__}: {error}")
    return Report(tuple(ordered(found)), tuple(view.unjudged), tuple(unread), dict(sorted(view.looked_at.items())))


def ordered(found: Iterable[Anomaly]) -> Iterator[Anomaly]:
    """Each object's anomalies together, the worst object first; none that another one of it tells already."""
    objects: dict[Key, list[Anomaly]] = {}
    for anomaly in sorted(found, key=lambda item: item.rank):
        objects.setdefault(anomaly.key, []).append(anomaly)
    for items in objects.values():
        codes = {item.code for item in items}
        for code in dict.fromkeys(item.code for item in items):
            if codes.isdisjoint(_TOLD_BY.get(code, ())):
                yield _merged([item for item in items if item.code == code])


def _merged(items: list[Anomaly]) -> Anomaly:
    """Those of one code and object as one: the worst of them, with the parts of all."""
    worst, *others = items
    if not others:
        return worst
    parts = tuple(dict.fromkeys(part for item in items for part in item.parts))
    since = min((item.since for item in items if item.since is not None), default=None)
    numbers = {**worst.numbers, "more_like_it": len(others)}
    sentence = f"{worst.sentence}; and {len(others)} more like it"
    return replace(worst, sentence=sentence, parts=parts, since=since, numbers=numbers)
