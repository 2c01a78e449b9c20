"""What a container does once it runs. No control plane can know that, so it is assumed, and the assumption has a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kubesteward_tools.world.store import Object

Mode = Literal["run", "unready", "crash", "oom", "imagepull", "liveness", "complete", "fail"]

PREFIX = "sim.kubesteward.dev/"
"""Annotations with this prefix tell the embedded cluster what an image does."""
_LAB = "lab."
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
    """New pods start and become ready at once."""

    def fate(self, pod: Object) -> Fate:
        return Fate()


class Worst:
    """New pods start and never become ready."""

    def fate(self, pod: Object) -> Fate:
        return Fate("unready")


class Declared:
    """What annotations and image names say; everything else runs and becomes ready."""

    def fate(self, pod: Object) -> Fate:
        notes = pod["metadata"].get("annotations") or {}
        images = [container.get("image", "") for container in pod["spec"].get("containers") or ()]
        mode = _note(notes, "mode") or _note(notes, "fail/mode")
        if mode in {None, "slow"} and any(_NO_SUCH_IMAGE.search(image) for image in images):
            mode = "imagepull"
        run_for = _note(notes, "run-for")
        return Fate(
            mode=_mode(mode),
            ready_after=float(_note(notes, "ready-after") or 0),
            run_for=float(run_for) if run_for else None,
            exit_code=int(_note(notes, "exit-code") or 1),
        )


def _note(notes: dict[str, Any], name: str) -> str | None:
    return notes.get(PREFIX + name) or notes.get(_LAB + name)


def _mode(text: str | None) -> Mode:
    known: dict[str | None, Mode] = {
        "unready": "unready",
        "crash": "crash",
        "oom": "oom",
        "imagepull": "imagepull",
        "liveness": "liveness",
    }
    return known.get(text, "run")
