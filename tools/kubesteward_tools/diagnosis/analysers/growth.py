"""Memory that is nearly at its limit and grows: told before the kill, with the time that is left."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import count, kind_of, limits, named, regular, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.usage import FULL, Use, mebibytes
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.twin.quantity import format_binary
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.world.store import Key

_SOON = 24.0
"""Hours. What fills its limit later than that is no incident yet."""

_BRINK = 0.97
_LEAST_SAMPLES = 6
_STEADY = 0.02
"""Of the limit an hour: a cache that has filled up does not grow."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    told = set[Key]()
    for key in scene.usage.measured("memory", "pods"):
        use = scene.usage.of("memory", key, scene.get(key))
        workload = scene.owner(key)
        if use is None or not use.limit or use.used < FULL * use.limit or workload in told:
            continue
        told.add(workload)
        yield _near(scene, workload, key, use)


def _near(scene: Scene, workload: Key, key: Key, use: Use) -> Candidate:
    left = _hours_left(use)
    filled = f"{mebibytes(use.used)} of {mebibytes(use.limit)} ({use.used / use.limit:.0%})"
    grows = left is not None and use.course is not None and use.course.slope is not None
    speed = f", growing by {mebibytes(use.course.slope)} an hour" if grows and use.course and use.course.slope else ""
    when = f"in about {_span(left)} " if left is not None else "at the next peak "
    sentence = (
        f"{named(workload)} is near its memory limit: {named(key)} uses {filled}{speed}; {when}it would be "
        "killed (OOMKilled)."
    )
    sure = 0.75 if left is not None and left <= 1 else 0.62 if left is not None else 0.45
    if use.used >= _BRINK * use.limit:
        sure = max(sure, 0.55)
    samples = use.course.points if use.course else 1
    against = () if speed else (f"it does not grow, as far as {count(samples, 'sample')} can tell",)
    return Candidate(
        "MemoryGrowth",
        workload,
        sentence,
        sure,
        (f"measured: memory {filled}{speed}, {count(samples, 'sample')}",),
        against,
        fix="Raise resources.limits.memory, or find what is not given back.",
        proposal=_raised(scene, workload),
        suffers=(key,),
    )


def _hours_left(use: Use) -> float | None:
    """Until the limit, at the pace of the last hour; None where it does not grow, or not for long enough to tell."""
    course = use.course
    if course is None or course.slope is None or course.points < _LEAST_SAMPLES:
        return None
    if course.slope < _STEADY * use.limit:
        return None
    left = max(use.limit - use.used, 0.0) / course.slope
    return left if left <= _SOON else None


def _span(hours: float | None) -> str:
    return f"{(hours or 0) * 60:.0f} minutes" if hours is not None and hours < 2 else f"{hours:.0f} hours"


def _raised(scene: Scene, workload: Key) -> Proposal | None:
    """Half as much again, where it is clear whose limit it is."""
    having = [item for item in regular(scene.spec(workload)) if limits(item, "memory")]
    if workload.resource not in SERVERS or len(having) != 1:
        return None
    try:
        raised = format_binary(quantity(limits(having[0], "memory")) * 3 / 2)
    except ValueError:
        return None
    one = {"name": text(having[0].get("name")), "resources": {"limits": {"memory": raised}}}
    patch = {"spec": {"template": {"spec": {"containers": [one]}}}}
    return Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})
