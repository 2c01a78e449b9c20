"""Sets of completion indexes, as the status of an Indexed Job writes them. API doc: batch/v1 JobStatus."""

from __future__ import annotations

from collections.abc import Iterable

from kubesteward_tools.world.store import Object

INDEX = "batch.kubernetes.io/job-completion-index"


def parse(text: str, below: int) -> set[int]:
    """The indexes that "1,3-5,7" stands for, as far as they are less than `below`. What is no number is left out."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (last or first).isdigit():
            found.update(range(int(first), min(int(last or first), below - 1) + 1))
    return found


def render(indexes: Iterable[int]) -> str:
    """Three or more in a row are shortened: {1, 3, 4, 5, 7, 8} is "1,3-5,7,8"."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return ",".join(_run(run) for run in runs)


def _run(run: list[int]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run))


def index_of(pod: Object) -> int | None:
    text = (pod["metadata"].get("annotations") or {}).get(INDEX, "")
    return int(text) if text.isdigit() else None
