"""What else is on record about the object that is blamed first: states, warnings and the end of a log, word for word.

A reader who knows the cluster often sees in them what no rule does.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kubesteward_tools.analytics.severity import Level, declared
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, command_line, every, text, waiting
from kubesteward_tools.diagnosis.scene import Ailing, Scene
from kubesteward_tools.world.store import Key

_WARNINGS = 4
_LINES = 3
_LONGEST = 220
_READ = 100_000
"""Characters at the end of a log."""


def context(scene: Scene, candidate: Candidate, told: str) -> tuple[str, ...]:
    """Lines that `told` does not hold yet, the most telling first."""
    about = dict.fromkeys((scene.owner(candidate.culprit), *map(scene.owner, candidate.suffers)))
    found = [*_states(scene, about), *_warnings(scene, about), *_programs(scene, about), *_logs(scene, about)]
    plain = _plain(told)
    return tuple(line for line in dict.fromkeys(found) if _plain(line.partition(": ")[2])[:120] not in plain)


def _plain(line: str) -> str:
    return " ".join(line.split()).lower()


def _ill(scene: Scene, about: dict[Key, None]) -> list[Ailing]:
    return [item for item in scene.ailing if item.workload in about]


def _states(scene: Scene, about: dict[Key, None]) -> Iterator[str]:
    for item in _ill(scene, about)[:2]:
        reason, _ = waiting(item.status)
        end = at(item.status, "state", "terminated") or at(item.status, "lastState", "terminated")
        last = f", last ended {end.get('reason')} with exit code {end.get('exitCode')}" if end else ""
        yield f"{item.name}: {reason or 'no longer waiting'}, {item.restarts} restarts{last}"


def _warnings(scene: Scene, about: dict[Key, None]) -> Iterator[str]:
    items = [item for key in about for item in scene.warned(key)]
    for item in sorted(items, key=lambda one: (-one.last, -one.count))[:_WARNINGS]:
        times = f" ({item.count} times)" if item.count > 1 else ""
        yield f"{item.reason}{times}: {item.message[:_LONGEST]}"


def _programs(scene: Scene, about: dict[Key, None]) -> Iterator[str]:
    for key in list(about)[:1]:
        for item in every(scene.spec(key))[:3]:
            runs = command_line(item)
            command = f", command {runs[:_LONGEST]!r}" if runs else ""
            yield f"container {item.get('name')}: image {text(item.get('image'))}{command}"


def _logs(scene: Scene, about: dict[Key, None]) -> Iterator[str]:
    ill = _ill(scene, about)[:1]
    for item in ill:
        lines = [line.strip() for line in scene.log(item.pod_key, item.name).splitlines() if line.strip()]
        for line in lines[-_LINES:]:
            yield f"log of {item.name}: {line[:_LONGEST]}"
    if not ill:
        yield from _repeated(scene, about)


def _repeated(scene: Scene, about: dict[Key, None]) -> Iterator[str]:
    """Of what runs, the warnings and errors that come most often; alike but for their numbers they count as one."""
    found = Counter[tuple[str, str]]()
    shown: dict[tuple[str, str], str] = {}
    for (space, name, container), log in scene.logs.items():
        for line in log[-_READ:].splitlines() if scene.owner(Key("pods", space, name)) in about else ():
            if (declared(line) or Level.INFO) >= Level.WARNING:
                form = container, re.sub(r"\d+", "0", line.strip())
                found[form] += 1
                shown[form] = line.strip()
    for form, times in found.most_common(_LINES):
        yield f"log of {form[0]} ({times} times): {shown[form][:_LONGEST]}"
