"""The fixes that may run alone at autonomy 3 where the operator allows them by name.

Each is a pure question over a change and what the cluster looks like now; its answer is why the fix fits, or "". It
looks at the calls and not at the tool, so that no other change can carry its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ladder import is_restart
from kubesteward_policies.ref import Ref

RECENT = 3600.0
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """The cluster as the fixes see it: `objects` are the targets of the change, `pods` those of each target that has
    some, `now` is in epoch seconds and `at` reads the API's timestamps (None for what is none).
    """

    now: float
    at: Callable[[str], float | None]
    objects: Mapping[Ref, Object] = field(default_factory=dict)
    pods: Mapping[Ref, tuple[Object, ...]] = field(default_factory=dict)


Fix = Callable[[Change, Scene], str]


def restart_on_oom(change: Change, scene: Scene) -> str:
    """Restart of a workload of which a container was killed for want of memory (OOMKilled) within the last hour."""
    if not _only_restarts(change):
        return ""
    found = [_killed(scene.pods.get(call.target, ()), scene) for call in change.calls]
    return f"container {found[0]} was OOMKilled within the hour" if all(found) else ""


def restart_on_crash_loop(change: Change, scene: Scene) -> str:
    """Restart of a workload of which a container waits in CrashLoopBackOff now."""
    if not _only_restarts(change):
        return ""
    found = [_looping(scene.pods.get(call.target, ())) for call in change.calls]
    return f"container {found[0]} is in CrashLoopBackOff" if all(found) else ""


def delete_evicted_pods(change: Change, scene: Scene) -> str:
    """Deletion of pods that the kubelet has evicted (phase Failed, reason Evicted): they run nowhere any more."""
    statuses = [_status(scene, call) for call in change.calls if _deletes(call, "", "Pod")]
    evicted = [item for item in statuses if (item.get("phase"), item.get("reason")) == ("Failed", "Evicted")]
    return f"{len(evicted)} evicted pods" if evicted and len(evicted) == len(change.calls) else ""


def delete_finished_jobs(change: Change, scene: Scene) -> str:
    """Deletion of Jobs that completed more than an hour ago, with their pods. Failed ones stay to be looked at."""
    jobs = [call for call in change.calls if _deletes(call, "batch", "Job") and _takes_pods_along(call)]
    old = [call for call in jobs if _completed(_status(scene, call), scene)]
    return f"{len(old)} completed Jobs" if old and len(old) == len(change.calls) else ""


FIXES: dict[str, Fix] = {
    fix.__name__: fix for fix in (restart_on_oom, restart_on_crash_loop, delete_evicted_pods, delete_finished_jobs)
}


def unknown(names: Iterable[str]) -> str:
    """What to say of names that no fix has, "" where all are known."""
    wrong, known = sorted(set(names) - FIXES.keys()), ", ".join(sorted(FIXES))
    return f"{', '.join(map(repr, wrong))}: there is no such fix. There are: {known}" if wrong else ""


def fitting(change: Change, scene: Scene, allowed: Iterable[str]) -> tuple[str, str]:
    """The first of the allowed fixes that the change is, with the reason; two empty texts when it is none."""
    found = ((name, FIXES[name](change, scene)) for name in allowed if name in FIXES)
    return next(((name, why) for name, why in found if why), ("", ""))


def expects(change: Change, rule: str, named: str) -> bool:
    """Whether a warning of the rehearsal is one that a change always gets: every restart would stall if its new pods
    never became ready. They run what the old ones ran; that fewer are left to serve is a warning of another rule.

    `named` is the object of the finding, as "deployment shop/web".
    """
    targets = {f"{call.target.kind.lower()} {call.target.path}" for call in change.calls}
    return rule == "rollout.would_stall" and named in targets and _only_restarts(change)


def _only_restarts(change: Change) -> bool:
    return bool(change.calls) and all(is_restart(call) for call in change.calls)


def _containers(pods: Iterable[Object]) -> Iterator[tuple[str, Object]]:
    for pod in pods:
        status = pod.get("status") or {}
        for container in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
            yield str(container.get("name")), container


def _killed(pods: Iterable[Object], scene: Scene) -> str:
    for name, container in _containers(pods):
        for state in (container.get("lastState"), container.get("state")):
            ended = (state or {}).get("terminated") or {}
            at = scene.at(str(ended.get("finishedAt") or ""))
            if ended.get("reason") == "OOMKilled" and at is not None and scene.now - at <= RECENT:
                return name
    return ""


def _looping(pods: Iterable[Object]) -> str:
    waiting = ((name, ((item.get("state") or {}).get("waiting") or {})) for name, item in _containers(pods))
    return next((name for name, state in waiting if state.get("reason") == "CrashLoopBackOff"), "")


def _deletes(call: ApiCall, group: str, kind: str) -> bool:
    named = (call.target.group, call.target.kind) == (group, kind) and bool(call.target.name)
    return call.verb == "delete" and named and call.path.endswith(f"/{call.target.name}")


def _takes_pods_along(call: ApiCall) -> bool:
    """By itself a deletion of a Job through batch/v1 leaves its pods behind (OrphanDependents, for old clients)."""
    body = call.body if isinstance(call.body, Mapping) else {}
    policy = body.get("propagationPolicy") or dict(call.query).get("propagationPolicy")
    return policy in {"Background", "Foreground"}


def _status(scene: Scene, call: ApiCall) -> Object:
    return (scene.objects.get(call.target) or {}).get("status") or {}


def _completed(status: Object, scene: Scene) -> bool:
    done = {item.get("type") for item in status.get("conditions") or () if item.get("status") == "True"}
    at = scene.at(str(status.get("completionTime") or ""))
    return "Complete" in done and at is not None and scene.now - at > RECENT
