"""Pods whose sandbox the node cannot make: its network plugin, its addresses or its runtime fail, not the pod."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate, Category
from kubesteward_tools.diagnosis.reading import at, is_ready, listed, named, text
from kubesteward_tools.diagnosis.scene import Scene, Warned
from kubesteward_tools.world.store import Key

_REASONS = ("FailedCreatePodSandBox", "FailedCreatePodSandbox", "NetworkNotReady")
_USED_UP = re.compile(
    r"no (?:more )?(?:ip )?addresses|failed to (?:assign|allocate) (?:an )?ip|ip.{0,20}exhausted|no available ip|"
    r"range is full",
    re.I,
)


def analyse(scene: Scene) -> Iterator[Candidate]:
    found: dict[Key, list[tuple[Key, Warned]]] = {}
    for workload, items in scene.warned_workloads.items():
        for item in items:
            pod = scene.get(item.about)
            node = Key("nodes", "", text(at(pod, "spec").get("nodeName")))
            if item.reason in _REASONS and pod and not is_ready(pod):
                found.setdefault(node if scene.exists(node) else workload, []).append((workload, item))
    for culprit, told in found.items():
        yield _candidate(culprit, told)


def _candidate(culprit: Key, told: list[tuple[Key, Warned]]) -> Candidate:
    owners = list(dict.fromkeys(workload for workload, _ in told))
    item = told[0][1]
    full = _USED_UP.search(item.message)
    why = (
        "it has no free IP address for another pod"
        if full
        else "the network plugin (CNI) or the container runtime fails"
    )
    sentence = (
        f"{named(culprit)} cannot make the sandbox of pods of {listed(map(named, owners), 3)} ({item.reason}), which "
        f"stay in ContainerCreating: {why}: {item.message[:400]}"
    )
    fix = (
        "Give the network a larger range of addresses."
        if full
        else "Repair the network plugin of the node (its CNI pods)."
    )
    kind: Category = "NodePressure" if full else "NodeNotReady"
    pods = tuple(one.about for _, one in told)
    return Candidate(
        kind, culprit, sentence, 0.72, (item.message,), fix=fix, since=item.first, suffers=(*owners, *pods)
    )
