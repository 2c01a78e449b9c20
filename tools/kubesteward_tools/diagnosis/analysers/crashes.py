"""Containers that start and end again and again, or cannot be started, and why."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import began, ending, needs
from kubesteward_tools.diagnosis.reading import at, count, ended, named, ports, regular, seconds, text, waiting
from kubesteward_tools.diagnosis.scene import Ailing, Scene

_FAILING = {"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "PostStartHookError"}
_ELSEWHERE = {"connection", "timeout", "dns", "forbidden", "http"}
"""Signs whose cause is rather in another object, which other analysers look for."""
_USUAL = 3
_CALM = 600.0
"""Seconds without a restart, after which the back-off begins anew."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    for item in scene.ailing:
        reason, message = waiting(item.status)
        if item.workload.resource in {"jobs.batch", "cronjobs.batch"} or not _fails(scene, item, reason):
            continue
        if (
            "not found" in message
            and reason == "CreateContainerError"
            and ("configmap" in message or "secret" in message)
        ):
            continue
        yield _candidate(scene, item, reason)


def _fails(scene: Scene, item: Ailing, reason: str) -> bool:
    end = ended(item.status)
    if end.get("reason") == "OOMKilled":
        return False
    if reason in _FAILING:
        return True
    if not end:
        return False
    bad = bool(end.get("exitCode")) and end.get("exitCode") not in {143}
    ended_now = bool(at(item.status, "state", "terminated"))
    once = at(item.pod, "spec").get("restartPolicy") in {"Never", "OnFailure"}
    if ended_now:
        return bad or (not once and not item.init)
    return item.restarts >= _USUAL and (bad or not item.status.get("ready"))


def _recovered(scene: Scene, item: Ailing) -> bool:
    """Whether it has been up for so long that the kubelet, too, would start to count anew."""
    started = seconds(at(item.status, "state", "running").get("startedAt"))
    return bool(item.status.get("ready")) and started is not None and scene.now - started > _CALM


def _candidate(scene: Scene, item: Ailing, reason: str) -> Candidate:
    found = ending(scene, item)
    state = reason or "it has ended"
    clash = _clash(item)
    why = f"{found.why}{clash}"
    kind = "init container" if item.init else "container"
    sentence = (
        f"{kind} {item.name!r} of {named(item.workload)} keeps crashing ({state}, "
        f"{count(item.restarts, 'restart')}): {why}."
    )
    sign = found.sign
    elsewhere = sign is not None and sign.kind in _ELSEWHERE
    probed = bool(scene.warned(item.pod_key, "Unhealthy"))
    sure = 0.8 if item.init and not found.start else 0.9
    sure -= 0.15 if elsewhere or (sign is not None and sign.kind in {"memory", "usage"}) else 0.0
    sure -= 0.2 if probed and (found.finished or sign is None) else 0.0
    sure = min(sure, 0.5) if _recovered(scene, item) else sure
    return Candidate(
        "CrashLoop",
        item.workload,
        sentence,
        sure if item.restarts >= 1 or reason else 0.7,
        found.evidence,
        ("its probes fail too",) if probed else (),
        fix=found.fix,
        since=began(scene, item),
        suffers=(item.pod_key,),
        needs=needs(scene, item),
        generic=elsewhere,
    )


def _clash(item: Ailing) -> str:
    """Two containers of one pod that declare one port."""
    taken: dict[int, str] = {}
    for one in regular(at(item.pod, "spec")):
        for _, number, _ in ports({"containers": [one]}):
            other, own = taken.setdefault(number, text(one.get("name"))), text(one.get("name"))
            if other != own and item.name in {other, own}:
                return (
                    f"; port {number} is declared by both {other!r} and {one.get('name')!r} (port conflict: "
                    "address already in use)"
                )
    return ""
