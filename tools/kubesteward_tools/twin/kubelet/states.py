"""A pod's status as a kubelet writes it in each of its states. Pure: each function returns a new status."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.names import Names, safe_hash
from kubesteward_tools.world.store import Object

Status = dict[str, Any]

_READINESS = {"Ready", "ContainersReady"}
_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def image_id(image: str) -> str:
    return f"{image.partition('@')[0].rpartition(':')[0] or image}@sha256:{safe_hash(image) * 6}"[: len(image) + 75]


def with_conditions(status: Status, now: str, **values: bool) -> Status:
    """The status with these conditions set; a transition time moves only when the value does."""
    old = {item["type"]: item for item in status.get("conditions") or ()}
    for kind, value in values.items():
        text = "True" if value else "False"
        if old.get(kind, {}).get("status") != text:
            item = {"type": kind, "status": text, "lastProbeTime": None, "lastTransitionTime": now}
            if not value and kind in _READINESS:
                item |= {"reason": "ContainersNotReady", "message": "containers with unready status"}
            old[kind] = item
    own = [old[kind] for kind in _CONDITIONS if kind in old]
    return {**status, "conditions": own + [item for kind, item in old.items() if kind not in _CONDITIONS]}


def accepted(pod: Object, now: str, node_address: str) -> Status:
    """Bound, seen by its node, nothing started yet."""
    status = {**(pod.get("status") or {}), "phase": "Pending", "hostIP": node_address, "startTime": now}
    status["hostIPs"] = [{"ip": node_address}]
    waiting = [waiting_container(item, "ContainerCreating") for item in pod["spec"]["containers"]]
    status["containerStatuses"] = waiting
    if pod["spec"].get("initContainers"):
        status["initContainerStatuses"] = [
            waiting_container(item, "PodInitializing") for item in pod["spec"]["initContainers"]
        ]
    return with_conditions(
        status,
        now,
        PodReadyToStartContainers=False,
        Initialized=not pod["spec"].get("initContainers"),
        Ready=False,
        ContainersReady=False,
        PodScheduled=True,
    )


def waiting_container(container: dict[str, Any], reason: str, message: str = "", old: Status | None = None) -> Status:
    state = {"reason": reason, **({"message": message} if message else {})}
    return {
        "name": container["name"],
        "state": {"waiting": state},
        "lastState": (old or {}).get("lastState") or {},
        "ready": False,
        "restartCount": (old or {}).get("restartCount", 0),
        "image": container["image"],
        "imageID": "",
        "started": False,
    }


def running_container(container: dict[str, Any], now: str, *, ready: bool, old: Status | None, names: Names) -> Status:
    return {
        "name": container["name"],
        "state": {"running": {"startedAt": now}},
        "lastState": (old or {}).get("lastState") or {},
        "ready": ready,
        "restartCount": (old or {}).get("restartCount", 0),
        "image": container["image"],
        "imageID": image_id(container["image"]),
        "containerID": f"containerd://{names.uid().replace('-', '')}",
        "started": True,
        **({"resources": container["resources"]} if container.get("resources") else {}),
    }


def terminated(code: int, reason: str, started: str, now: str) -> Status:
    return {"terminated": {"exitCode": code, "reason": reason, "startedAt": started, "finishedAt": now}}


def ended(status: Status, now: str, code: int, reason: str) -> Status:
    """All containers are over, the first of them with this code, and will not start again."""
    containers = [
        {
            **item,
            "ready": False,
            "started": False,
            "state": terminated(0 if number else code, "Completed" if number else reason, _started(item, now), now),
        }
        for number, item in enumerate(status.get("containerStatuses") or ())
    ]
    new = {**status, "phase": "Failed" if code else "Succeeded", "containerStatuses": containers}
    new = with_conditions(new, now, PodReadyToStartContainers=False, Ready=False, ContainersReady=False)
    why = "PodFailed" if code else "PodCompleted"
    new["conditions"] = [_because(item, why) if item["type"] in _READINESS else item for item in new["conditions"]]
    return new


def _because(condition: Status, reason: str) -> Status:
    return {key: value for key, value in condition.items() if key != "message"} | {"reason": reason}


def _started(container: Status, now: str) -> str:
    return str(((container.get("state") or {}).get("running") or {}).get("startedAt") or now)


def container_statuses(status: Status) -> dict[str, Status]:
    return {item["name"]: item for item in status.get("containerStatuses") or ()}
