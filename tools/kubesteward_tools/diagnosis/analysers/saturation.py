"""Pods that are measured at their CPU limit: throttled in fact, and not only likely to be."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import amount, is_ready, kind_of, limits, listed, named, regular, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.usage import FULL, cores
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key

_WAITS = 0.25
"""Share of periods from which on answers come late."""

_LATE = ("deadline exceeded", "timeout", "timed out")
_SURE, _ASKED, _QUIET = 0.95, 0.93, 0.5
"""With probes that time out; when somebody says it is slow; a busy program may be meant to be at its limit."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    found: dict[Key, list[tuple[Key, str]]] = {}
    for key in sorted({*scene.usage.throttled, *scene.usage.measured("cpu", "pods")}):
        line = _measured(scene, key)
        if line:
            found.setdefault(scene.owner(key), []).append((key, line))
    for workload, pods in found.items():
        yield _limited(scene, workload, pods)


def _measured(scene: Scene, key: Key) -> str:
    share = scene.usage.throttled.get(key)
    if share is not None:
        return f"measured: {named(key)} waited for CPU in {share:.0%} of its periods" if share >= _WAITS else ""
    use = scene.usage.of("cpu", key, scene.get(key))
    if use is None or not use.limit or min(use.share, use.used / use.limit) < FULL:
        return ""
    since = f", {use.share:.0%} on average" if use.course else ""
    return f"measured: {named(key)} uses {cores(use.used)} of its CPU limit of {cores(use.limit)}{since}"


def _limited(scene: Scene, workload: Key, pods: list[tuple[Key, str]]) -> Candidate:
    late = [one for one in scene.warned(workload, "Unhealthy") if any(word in one.message.lower() for word in _LATE)]
    sick = bool(late) and any(not is_ready(scene.get(key)) for key, _ in pods)
    meant = scene.question.named | scene.question.hinted
    asked = scene.question.speaks_of("CPUThrottling") and (not meant or workload in set(map(scene.owner, meant)))
    containers = [item for item in regular(scene.spec(workload)) if limits(item, "cpu")]
    shown = listed(f"{item.get('name')}: {limits(item, 'cpu')}" for item in containers)
    sentence = (
        f"{named(workload)} is at its CPU limit ({shown}): the kernel throttles it (CPU throttling), so it is slow and "
        "answers late."
    )
    evidence = (*(line for _, line in pods[:2]), *(one.message for one in late[:1]))
    return Candidate(
        "CPUThrottling",
        workload,
        sentence,
        _SURE if sick else _ASKED if asked else _QUIET,
        evidence,
        () if late else ("no probe times out: it may be meant to be that busy",),
        fix="Raise or remove the CPU limit, or run more replicas.",
        proposal=_raised(workload, containers[0]) if len(containers) == 1 else None,
        since=min((one.first for one in late), default=None),
        suffers=(workload, *(key for key, _ in pods)),
    )


def _raised(workload: Key, item: dict[str, object]) -> Proposal | None:
    """Twice the limit: how much it would use without one cannot be measured."""
    if workload.resource not in SERVERS:
        return None
    limit = {"limits": {"cpu": f"{round(amount(limits(item, 'cpu')) * 2000)}m"}}
    patch = {"spec": {"template": {"spec": {"containers": [{"name": text(item.get("name")), "resources": limit}]}}}}
    return Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})
