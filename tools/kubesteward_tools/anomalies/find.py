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
    "topology.hot_cpu": ("pools.cpu", "health.node_pressure"),
    "topology.hot_memory": ("pools.memory", "health.node_pressure"),
    "stuck.rollout": ("stuck.unscheduled", "stuck.starting", "stuck.init", "stuck.gated", "stuck.unready"),
}
"""Codes that say nothing new where one of the others is said of the same object."""
_WEAK = "topology."
"""Begins the codes of what nothing fails of yet: it stands after whatever is wrong now."""


@dataclass(frozen=True, slots=True)
class Report:
    """`anomalies` stand by object, the object with the worst first, those that press though nothing fails yet last.
    `weak` are spots that hurt nobody now. `unjudged` says what could not be told and why, `unread` which detectors
    could not read what they were given, `looked_at` how many objects of each resource were.
    """

    anomalies: tuple[Anomaly, ...]
    weak: tuple[Anomaly, ...]
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
    every = list(ordered(found))
    weak = tuple(item for item in every if _is_weak(item) and item.severity == "info")
    rest = tuple(item for item in every if not _is_weak(item) or item.severity != "info")
    return Report(rest, weak, tuple(view.unjudged), tuple(unread), dict(sorted(view.looked_at.items())))


def _is_weak(anomaly: Anomaly) -> bool:
    return anomaly.code.startswith(_WEAK)


def ordered(found: Iterable[Anomaly]) -> Iterator[Anomaly]:
    """Each object's anomalies together, the worst object first; none that another one of it tells already.

    Weak spots come after all others.
    """
    objects: dict[tuple[bool, Key], list[Anomaly]] = {}
    said: dict[Key, set[str]] = {}
    for anomaly in sorted(found, key=lambda item: (_is_weak(item), item.rank)):
        objects.setdefault((_is_weak(anomaly), anomaly.key), []).append(anomaly)
        said.setdefault(anomaly.key, set()).add(anomaly.code)
    for (_, key), items in objects.items():
        codes = said[key]
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
