"""Containers that are slow because their CPU limit throttles them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import amount, kind_of, limits, named, regular, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_SMALL = 0.2
_TINY = 0.03
"""Cores. Hardly any server answers in time with so little."""
_LATE = re.compile(r"deadline exceeded|timeout|timed out|throttl|too slow|slow (?:request|query)|took \d+", re.I)


def analyse(scene: Scene) -> Iterator[Candidate]:
    wanted = {scene.owner(key) for key in scene.question.named | scene.question.hinted}
    asked = scene.question.speaks_of("CPUThrottling")
    looked = {key for key, _, _ in scene.sick_pods} | {
        key for key in wanted if key.resource in SERVERS or key.resource in {"pods", "jobs.batch", "cronjobs.batch"}
    }
    if asked:
        spaces = scene.question.namespaces or {key.namespace for key in wanted}
        looked |= {key for key, _ in scene.workloads() if not spaces or key.namespace in spaces}
    for workload in sorted(looked):
        for item in regular(scene.spec(workload)):
            if (limit := limits(item, "cpu")) and amount(limit) > 0:
                yield from _limited(scene, workload, item, limit, asked=asked and (workload in wanted or not wanted))


def _limited(scene: Scene, workload: Key, item: Object, limit: str, *, asked: bool) -> Iterator[Candidate]:
    late = [one.message for one in scene.warned(workload, "Unhealthy") if _LATE.search(one.message)]
    lines = list(_complaints(scene, workload, text(item.get("name"))))
    meant = workload in {scene.owner(key) for key in scene.question.named | scene.question.hinted}
    plain = re.search(r"throttl|cpu limit", scene.question.text, re.I) is not None
    sure = _sure(amount(limit), asked=asked and (meant or plain), told=bool(lines), late=bool(late))
    sure = max(sure, 0.45 if asked and amount(limit) <= _SMALL / 2 else 0.0)
    if not sure:
        return
    sentence = (
        f"the CPU limit of container {item.get('name')!r} of {named(workload)} is {limit} (resources.limits.cpu: "
        f"{limit}), which is too low: the kernel throttles it (CPU throttling), so it is slow and answers late."
    )
    evidence = (*late[:1], *lines[:1], f"limits.cpu: {limit}")
    fix, proposal = "Raise or remove the CPU limit.", _raised(workload, item, amount(limit))
    yield Candidate(
        "CPUThrottling", workload, sentence, sure, evidence, fix=fix, proposal=proposal, suffers=(workload,)
    )


def _complaints(scene: Scene, workload: Key, container: str) -> Iterator[str]:
    """Lines of its log that speak of slowness."""
    for _, own, sign in scene.spoken.get(workload, ()):
        if own == container and re.search(r"throttl|slow", sign.line, re.I):
            yield sign.line
    for (space, name, own), log in scene.logs.items():
        if own == container and scene.owner(Key("pods", space, name)) == workload:
            yield from (line for line in log.splitlines() if re.search(r"throttl", line, re.I))


def _sure(cores: float, *, asked: bool, told: bool, late: bool) -> float:
    if asked:
        return 0.9 if cores <= 3 * _SMALL else 0.6
    if told:
        return 0.85
    if late and cores <= _SMALL:
        return 0.94 if cores <= _SMALL / 2 else 0.7
    return 0.5 if cores <= _TINY else 0.0


def _raised(workload: Key, item: Object, cores: float) -> Proposal | None:
    if workload.resource not in SERVERS:
        return None
    limits_ = {"limits": {"cpu": f"{max(round(cores * 1000) * 4, 500)}m"}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": text(item.get("name")), "resources": limits_}]}}}}
    return Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})
