"""Servers that listen on their own loopback address only, where no other pod and no Service reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import named, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.world.store import Key

_ONLY = re.compile(
    r"\b(?:listen(?:ing)?|running|serving|started|bound|available)\b[^\n]{0,60}?"
    r"(?:127\.0\.0\.1|localhost|\[::1\]):(?P<port>\d{2,5})",
    re.I,
)
_LONGEST = 1500
"""Characters at the beginning of a line."""
_EVERYWHERE = re.compile(r"(?:0\.0\.0\.0|\[::\]|\*|(?<!\d)10(?:\.\d{1,3}){3}):(?P<port>\d{2,5})")


def analyse(scene: Scene) -> Iterator[Candidate]:
    """Only of pods to which a Service leads at that port, and when somebody misses an answer."""
    if not scene.question.complains:
        return
    told = set[Key]()
    for (space, name, container), log in scene.logs.items():
        pod = Key("pods", space, name)
        owner = scene.owner(pod)
        if owner in told or owner.resource not in {*SERVERS, "pods"} or not scene.exists(pod):
            continue
        for line, match in _own_only(log):
            port = int(match["port"])
            services = [key for key in _leading(scene, pod) if port in _targets(scene, key)]
            if services and match["port"] not in {one["port"] for one in _EVERYWHERE.finditer(log)}:
                told.add(owner)
                yield _candidate(owner, container, services, port, line.strip())
                break


def _own_only(log: str) -> Iterator[tuple[str, re.Match[str]]]:
    for line in log.splitlines():
        if match := _ONLY.search(line, 0, _LONGEST):
            yield line, match


def _leading(scene: Scene, pod: Key) -> list[Key]:
    labels = scene.labels(pod)
    return list(scene.store.selecting("services", pod.namespace, labels)) if labels else []


def _targets(scene: Scene, service: Key) -> set[object]:
    return {routing.target(port) for port in routing.service_ports(scene.get(service))}


def _candidate(owner: Key, container: str, services: list[Key], port: int, line: str) -> Candidate:
    sentence = (
        f"container {text(container)!r} of {named(owner)} listens on the loopback address only (127.0.0.1, localhost, "
        f"port {port}), so connections by {named(services[0])} are refused though the pods run."
    )
    fix = f"Let the server listen on 0.0.0.0:{port}."
    return Candidate("AppError", owner, sentence, 0.72, (f"log: {line}",), fix=fix, suffers=(owner, *services))
