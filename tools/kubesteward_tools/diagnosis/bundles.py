"""Many saved cases at once: of each folder exactly `cluster.json`, `logs.json` and `prompt.txt` are opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubesteward_tools.cluster.bundle import BundleSource, of_objects, saved_logs
from kubesteward_tools.diagnosis.diagnose import Verdict, diagnose
from kubesteward_tools.diagnosis.gathering import saved
from kubesteward_tools.diagnosis.question import Question, understand
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.world.world import World


def cases(folder: Path) -> list[Path]:
    """The folders that hold a case. Raises InvalidArguments where there is none."""
    found = sorted(path.parent for path in folder.glob("*/cluster.json")) if folder.is_dir() else []
    if not found:
        raise InvalidArguments(f"no case is in {folder}.", todo="Give a folder of folders with a cluster.json each.")
    return found


def read(folder: Path) -> tuple[BundleSource, str]:
    """The objects and logs of one case, and its prompt ("" where there is none)."""
    objects = _parsed(folder / "cluster.json")
    logs = _parsed(folder / "logs.json") if (folder / "logs.json").exists() else {}
    prompt = folder / "prompt.txt"
    return of_objects([objects], saved_logs(logs)), prompt.read_text("utf-8", "replace").strip() if prompt.exists() else ""


def _parsed(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8", "replace"))
    except ValueError as error:
        raise InvalidArguments(f"{file} is no JSON: {error}.", todo="Mend the file or leave the case out.") from None


def verdict_of(source: BundleSource, prompt: str, cluster: str, now: float) -> Verdict:
    world = source.world(cluster)
    return diagnose(scene_of(world, source, prompt, now), cluster)


def scene_of(world: World, source: BundleSource, prompt: str, now: float) -> Scene:
    question = understand(prompt, world.store) if prompt else Question()
    return Scene(world.store, world.graph, moment(world, now), saved(world.store, source.logs), question)


def lines(folder: Path, question: str, now: float) -> Iterator[dict[str, Any]]:
    """One record for each case, in the order of their names."""
    for case in cases(folder):
        source, prompt = read(case)
        best = verdict_of(source, question or prompt, case.name, now).best
        yield {"id": case.name, **best.as_json()}
