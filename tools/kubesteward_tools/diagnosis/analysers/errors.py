"""Applications that run and fail at what they do, as their logs say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import explained
from kubesteward_tools.diagnosis.reading import at, named
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.signs import Sign
from kubesteward_tools.world.store import Key

_ADDRESS = re.compile(r"https?://(?:[^/@\s]*@)?([A-Za-z0-9][\w.-]*)")
_WEAK = {"usage", "command", "config", "file", "http", "exit", "error"}


def analyse(scene: Scene) -> Iterator[Candidate]:
    crashing = {item.workload for item in scene.ailing if not at(item.status, "state", "running")}
    for workload, said in scene.spoken.items():
        if workload.resource in {"jobs.batch"} and scene.get(workload).get("status", {}).get("failed"):
            continue
        if said and workload not in crashing:
            yield _erring(scene, workload, said)


def _erring(scene: Scene, workload: Key, said: list[tuple[Key, str, Sign]]) -> Candidate:
    order = sorted(said, key=lambda item: (item[2].kind in _WEAK, item[2].rank, -item[2].lines))
    _, container, sign = order[0]
    why, fix = explained(sign)
    times = f" ({sign.lines} times)" if sign.lines > 1 else ""
    sentence = f"{named(workload)} runs, but its application logs errors{times}: {why}: {sign.line}"
    lines = tuple(f"log of {container}: {one.line}" for _, _, one in order[:3])
    peers = [
        routing.meant(scene, one.peer, workload.namespace)
        for _, _, one in order
        if one.peer and one.kind in {"connection", "timeout", "dns", "http"}
    ]
    peers += [_called(scene, one.line, workload.namespace) for _, _, one in order if one.kind == "http"]
    needs = tuple(dict.fromkeys(key for key in peers if key is not None))
    elsewhere = sign.kind in {"connection", "timeout", "dns", "forbidden", "http"}
    sure = 0.45 if sign.kind in _WEAK else 0.55 if elsewhere else 0.68
    return Candidate(
        "AppError",
        workload,
        f"{sentence.rstrip('.')}.",
        sure,
        lines,
        fix=fix,
        suffers=(workload,),
        needs=needs,
        generic=elsewhere or sign.kind in _WEAK,
    )


def _called(scene: Scene, line: str, namespace: str) -> Key | None:
    """The Service in the address of a call that was answered with an error."""
    match = _ADDRESS.search(line)
    service = routing.meant(scene, match[1], namespace) if match else None
    return service if service is not None and scene.exists(service) else None
