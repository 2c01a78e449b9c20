"""Many saved cases at once: of each folder exactly `cluster.json`, `logs.json` and `prompt.txt` are opened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubesteward_tools.cluster.bundle import BundleSource, of_objects, saved_logs
from kubesteward_tools.diagnosis import measuring
from kubesteward_tools.diagnosis.diagnose import diagnose
from kubesteward_tools.diagnosis.gathering import saved
from kubesteward_tools.diagnosis.question import Question, understand
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.store import Store
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
    return of_objects([objects], saved_logs(logs)), prompt.read_text(
        "utf-8", "replace"
    ).strip() if prompt.exists() else ""


def _parsed(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8", "replace"))
    except ValueError as error:
        raise InvalidArguments(f"{file} is no JSON: {error}.", todo="Mend the file or leave the case out.") from None


def scene_of(world: World, source: BundleSource, prompt: str, now: float) -> Scene:
    """What is to be looked at of a saved cluster."""
    question = understand(prompt, world.store) if prompt else Question()
    graph = Graph(world.store, by_kind, lambda _resource, _namespace: True) if _is_whole(world.store) else world.graph
    scene = Scene(world.store, graph, moment(world, now), saved(world.store, source.logs), question)
    scene.usage = measuring.saved(world.store, scene.now)
    return scene


def _is_whole(store: Store) -> bool:
    """Whether a bundle holds all there was: what is not in it was then not in the cluster either.

    Dumps of parts (`kubectl get all`) lack nodes, namespaces or service accounts.
    """
    return all(store.count(resource) for resource in ("nodes", "namespaces", "serviceaccounts", "pods"))


def records(folder: Path, question: str, now: float) -> Iterator[dict[str, Any]]:
    """One for each case, in the order of their names: `id` and what is blamed first."""
    for case in cases(folder):
        source, prompt = read(case)
        scene = scene_of(source.world(case.name), source, question or prompt, now)
        yield {"id": case.name, **diagnose(scene, case.name).best.as_json()}
