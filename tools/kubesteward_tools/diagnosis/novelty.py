"""What is new in the log of something that fails: kinds of errors that its healthy siblings do not have, and spikes."""

from __future__ import annotations

from kubesteward_tools.analytics.formats import own_time
from kubesteward_tools.analytics.records import Level, Line, Record, records
from kubesteward_tools.analytics.spikes import spikes
from kubesteward_tools.analytics.templates import templates
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import is_ready
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.testimony import Testimony
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

_SPOKEN = frozenset({"CrashLoop", "AppError", "InitStuck", "ProbeFailure", "JobFailure"})
_LAST = 400
"""Lines of one log."""
_FEWEST = 2


def testify(scene: Scene, one: Candidate) -> Testimony:
    if one.category not in _SPOKEN:
        return Testimony()
    sick, well = _logs(scene, scene.owner(one.culprit))
    errors = [record for record in sick if record.level >= Level.ERROR]
    if not errors:
        return Testimony()
    usual = {item.shape for item in templates(record for record in well if record.level >= Level.ERROR)}
    news = [item for item in templates(errors) if item.count >= _FEWEST and item.shape not in usual]
    lines = list[str]()
    for item in sorted(news, key=lambda found: -found.count)[:1] if len(errors) > _FEWEST else []:
        beside = ", and none in its ready siblings" if well else ""
        lines.append(f"{item.count} of {len(errors)} errors in its log are alike{beside}: {item.shape}")
    lines += [f"its errors rose at {timestamp(item.start)} to {item.rate:g} a minute" for item in spikes(sick)[:1]]
    against = ("its ready siblings log the same errors",) if usual and not news else ()
    return Testimony(tuple(lines), against)


def _logs(scene: Scene, workload: Key) -> tuple[list[Record], list[Record]]:
    """Records of the pods that are not well, and of those that are."""
    sick, well = list[Line](), list[Line]()
    pods = set(scene.pod_keys(workload))
    for (space, name, container), text in sorted(scene.logs.items()):
        pod = Key("pods", space, name)
        if pod in pods:
            into = well if is_ready(scene.get(pod)) else sick
            into += [_line(line, f"{name}/{container}") for line in text.splitlines()[-_LAST:]]
    # An application that errs while all its pods are ready has no better half.
    return (records(sick), records(well)) if sick else (records(well), [])


def _line(text: str, source: str) -> Line:
    return Line(own_time(text) or 0.0, source, text)
