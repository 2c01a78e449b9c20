"""What containers print: lines of an annotation, or a few plain ones, stamped from the container's start.

In the text of the annotation `sim.kubesteward.dev/log` each line is one line of the log.
"""

from __future__ import annotations

from typing import NamedTuple

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.kubelet.outlook import PREFIX
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.store import Object


class Line(NamedTuple):
    """`at` is in epoch seconds."""

    at: float
    text: str


def container_log(pod: Object, container: str, *, previous: bool = False) -> list[Line]:
    """The lines of a container's present or previous run.

    Raises:
        ApiError: 400, worded as the kubelet's, when there is no such container or it has not run.
    """
    name = _chosen(pod, container)
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    status = next((item for item in statuses if item["name"] == name), None)
    state, last = (status or {}).get("state") or {}, (status or {}).get("lastState") or {}
    run = (
        last.get("terminated")
        if previous
        else state.get("running") or state.get("terminated") or last.get("terminated")
    )
    if previous and not run:
        raise bad_request(f'previous terminated container "{name}" in pod "{pod["metadata"]["name"]}" not found')
    if not run:
        why = (state.get("waiting") or {}).get("reason", "ContainerCreating")
        raise bad_request(f'container "{name}" in pod "{pod["metadata"]["name"]}" is waiting to start: {_waiting(why)}')
    start = parse_timestamp(run["startedAt"])
    text = (pod["metadata"].get("annotations") or {}).get(PREFIX + "log")
    lines = text.splitlines() if text else [f"{name}: starting", f"{name}: ready to serve"]
    return [Line(start + 0.05 * number, line) for number, line in enumerate(lines)]


def _waiting(reason: str) -> str:
    return "trying and failing to pull image" if reason in {"ErrImagePull", "ImagePullBackOff"} else reason


def _chosen(pod: Object, container: str) -> str:
    names = [item["name"] for item in pod["spec"]["containers"]]
    pod_name = pod["metadata"]["name"]
    if not container and len(names) > 1:
        choices = " ".join(names)
        raise bad_request(f"a container name must be specified for pod {pod_name}, choose one of: [{choices}]")
    if container and container not in names:
        raise ApiError(400, "BadRequest", f"container {container} is not valid for pod {pod_name}")
    return container or names[0]
