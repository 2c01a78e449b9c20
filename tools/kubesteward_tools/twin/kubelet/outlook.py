"""What a container does once it runs. No control plane can know that: it is assumed, and the assumption has a name.

For the embedded cluster, annotations of the pod with the prefix `sim.kubesteward.dev/` say it: `mode` (crash, oom,
unready, liveness, imagepull), `exit-code`, `ready-after` and `run-for` in seconds, `memory` and `cpu` (usage; above its
memory limit a container is killed), `missing-image` (one that no registry has), and what `twin/usage.py` and
`twin/logs.py` read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.world.store import Object

Mode = Literal["run", "unready", "crash", "oom", "imagepull", "liveness", "complete", "fail"]

PREFIX = "sim.kubesteward.dev/"
"""Annotations with this prefix tell the embedded cluster what an image does."""
LAB = "lab."
_WORK = 5.0
_NO_SUCH_IMAGE = re.compile(r"nonexistent|\.invalid/|:(v?999|broken|nope|does-not-exist)\b|:v999")


@dataclass(frozen=True, slots=True)
class Fate:
    """`ready_after` and `run_for` are seconds from the container's start; `run_for` None means for ever."""

    mode: Mode = "run"
    ready_after: float = 0.0
    run_for: float | None = None
    exit_code: int = 1


class Outlook(Protocol):
    def fate(self, pod: Object) -> Fate:
        """What the containers of a pod that starts now will do."""
        ...


class Best:
    """New pods start and become ready at once; those of a Job do their work and end well."""

    def fate(self, pod: Object) -> Fate:
        return Fate(run_for=_WORK) if _is_of_a_job(pod) else Fate()


class Worst:
    """New pods start and never become ready; those of a Job fail."""

    def fate(self, pod: Object) -> Fate:
        return Fate("crash") if _is_of_a_job(pod) else Fate("unready")


def _is_of_a_job(pod: Object) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("kind") == "Job" for owner in owners)


class Declared:
    """What annotations and image names say; everything else runs and becomes ready, or does the work of its Job."""

    def fate(self, pod: Object) -> Fate:
        notes = pod["metadata"].get("annotations") or {}
        containers = [*(pod["spec"].get("initContainers") or ()), *(pod["spec"].get("containers") or ())]
        images = [container.get("image", "") for container in containers]
        mode = _note(notes, "mode") or _note(notes, "fail/mode")
        if mode in {None, "slow"} and any(_is_missing(image, notes) for image in images):
            mode = "imagepull"
        elif mode is None and _starves(pod, notes):
            mode = "oom"
        run_for = _note(notes, "run-for")
        if run_for is None and mode is None and _is_of_a_job(pod):
            run_for = str(_WORK)
        return Fate(
            mode=_mode(mode),
            ready_after=float(_note(notes, "ready-after") or 0),
            run_for=float(run_for) if run_for else None,
            exit_code=int(_note(notes, "exit-code") or _note(notes, "fail/exit-code") or 1),
        )


def _is_missing(image: str, notes: dict[str, Any]) -> bool:
    return image == notes.get(PREFIX + "missing-image") or bool(_NO_SUCH_IMAGE.search(image))


def _starves(pod: Object, notes: dict[str, Any]) -> bool:
    """Whether the memory that the first container is said to use is above its limit."""
    wanted = notes.get(PREFIX + "memory")
    container = (pod["spec"].get("containers") or [{}])[0]
    limit = ((container.get("resources") or {}).get("limits") or {}).get("memory")
    return bool(wanted and limit) and parse(wanted) > parse(limit)


def _note(notes: dict[str, Any], name: str) -> str | None:
    return notes.get(PREFIX + name) or notes.get(LAB + name)


def _mode(text: str | None) -> Mode:
    known: dict[str | None, Mode] = {
        "unready": "unready",
        "crash": "crash",
        "oom": "oom",
        "imagepull": "imagepull",
        "liveness": "liveness",
    }
    return known.get(text, "run")
