"""The word and the counts that `kubectl get pods` shows, as the API server's printer derives them from a pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward.embedded.durations import duration
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object

Status = dict[str, Any]


def ready(pod: Object, _: float) -> str:
    """Ready containers of all that count: sidecars do, plain init containers do not."""
    sidecars = {item["name"] for item in _sidecars(pod)}
    early = [item for item in _statuses(pod, "initContainerStatuses") if item["name"] in sidecars]
    good = sum(bool(item.get("ready")) for item in [*_statuses(pod), *early])
    return f"{good}/{len(pod['spec'].get('containers') or ()) + len(sidecars)}"


def status(pod: Object, _: float = 0) -> str:
    """The phase, or what keeps a container from running."""
    word = _word(pod)
    if "deletionTimestamp" not in pod["metadata"]:
        return word
    if (pod.get("status") or {}).get("reason") == "NodeLost":
        return "Unknown"
    return word if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"} else "Terminating"


def restarts(pod: Object, now: float) -> str:
    """How often, and how long ago the last time."""
    items = [*_statuses(pod, "initContainerStatuses"), *_statuses(pod)] if _initializing(pod) else list(_statuses(pod))
    count = sum(item.get("restartCount", 0) for item in items)
    ends = [end for item in items if (end := _last_end(item))]
    return f"{count} ({duration(now - max(ends))} ago)" if count and ends else str(count)


def gates(pod: Object, _: float) -> str:
    wanted = [item["conditionType"] for item in pod["spec"].get("readinessGates") or ()]
    met = [name for name in wanted if _condition(pod, name) == "True"]
    return f"{len(met)}/{len(wanted)}" if wanted else "<none>"


def _word(pod: Object) -> str:
    found = pod.get("status") or {}
    word = str(found.get("reason") or found.get("phase", "Pending"))
    if any(item.get("reason") == "SchedulingGated" for item in found.get("conditions") or ()):
        word = "SchedulingGated"
    early = _initializing(pod)
    if early and _condition(pod, "Initialized") != "True":
        return early
    return _of_containers(pod, word)


def _of_containers(pod: Object, word: str) -> str:
    running = False
    for item in reversed(list(_statuses(pod))):
        state = item.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated")
        if waiting.get("reason"):
            word = str(waiting["reason"])
        elif ended is not None:
            word = _end(ended)
        elif item.get("ready") and "running" in state:
            running = True
    if word == "Completed" and running:
        return "Running" if _condition(pod, "Ready") == "True" else "NotReady"
    return word


def _initializing(pod: Object) -> str:
    """What the first init container that is not done is doing ("Init:0/2", "Init:Error"), "" when all are."""
    sidecars, total = {item["name"] for item in _sidecars(pod)}, len(pod["spec"].get("initContainers") or ())
    for number, item in enumerate(_statuses(pod, "initContainerStatuses")):
        state = item.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if (ended is not None and ended.get("exitCode") == 0) or (item["name"] in sidecars and item.get("started")):
            continue
        if ended is not None:
            return f"Init:{_end(ended)}"
        if waiting.get("reason") not in {None, "", "PodInitializing"}:
            return f"Init:{waiting['reason']}"
        return f"Init:{number}/{total}"
    return ""


def _end(ended: Status) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _statuses(pod: Object, field: str = "containerStatuses") -> Iterator[Status]:
    yield from (pod.get("status") or {}).get(field) or ()


def _sidecars(pod: Object) -> list[Status]:
    return [item for item in pod["spec"].get("initContainers") or () if item.get("restartPolicy") == "Always"]


def _condition(pod: Object, kind: str) -> str:
    found = (pod.get("status") or {}).get("conditions") or ()
    return next((str(item["status"]) for item in found if item["type"] == kind), "")


def _last_end(item: Status) -> float | None:
    ended = (item.get("lastState") or {}).get("terminated") or {}
    return parse_timestamp(ended["finishedAt"]) if ended.get("finishedAt") else None
