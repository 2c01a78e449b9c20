"""What containers print: lines of annotations, or a few plain ones, stamped from the container's start.

`sim.kubesteward.dev/log` is printed when the container starts, line by line; `sim.kubesteward.dev/log-loop` goes round
and round while it runs. `.../log.NAME` and `.../log-loop.NAME` are those of one container of several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from kubesteward_tools.twin.clock import micro_timestamp, parse_timestamp
from kubesteward_tools.twin.kubelet.outlook import PREFIX
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.store import Object

_STEP = 0.05
_LOOP_STEP = 5.0
_LONGEST_LOOP = 2000


class Line(NamedTuple):
    """`at` is in epoch seconds."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Which part of a log is wanted, as the parameters of pods/log say. API doc: core/v1 PodLogOptions."""

    tail: int | None = None
    seconds: int | None = None
    limit: int | None = None
    since: str = ""
    stamped: bool = False

    def cut(self, lines: list[Line], now: float) -> list[Line]:
        """Raises ApiError 400 for a `since` that is no time."""
        if self.seconds is not None:
            lines = [line for line in lines if line.at >= now - self.seconds]
        if self.since:
            try:
                start = parse_timestamp(self.since)
            except ValueError:
                raise bad_request(f"sinceTime: Invalid value: {self.since!r}: must be an RFC 3339 time") from None
            lines = [line for line in lines if line.at >= start]
        if self.tail is not None:
            lines = lines[-self.tail :] if self.tail else []
        return lines

    def text(self, lines: list[Line]) -> str:
        shown = "".join(f"{micro_timestamp(at)} {text}\n" if self.stamped else f"{text}\n" for at, text in lines)
        return shown if self.limit is None else shown.encode()[: self.limit].decode(errors="ignore")


def container_log(pod: Object, container: str, now: float, *, previous: bool = False) -> list[Line]:
    """The lines of a container's present or previous run up to `now` (epoch seconds); none for a pod without a node.

    Raises:
        ApiError: 400, worded as the API server or the kubelet does, when there is no such container or it has not run.
    """
    name = _chosen(pod, container)
    if not pod["spec"].get("nodeName"):
        return []
    run = _run(pod, name, previous=previous)
    start = parse_timestamp(run["startedAt"])
    end = parse_timestamp(run["finishedAt"]) + 1 if "finishedAt" in run else now
    lines = _opening(pod, name, start)
    return [line for line in lines + _loop(pod, name, start, end) if line.at <= end]


def _run(pod: Object, name: str, *, previous: bool) -> dict[str, Any]:
    status, pod_name = pod.get("status") or {}, pod["metadata"]["name"]
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    mine: dict[str, Any] = next((item for item in statuses if item["name"] == name), {})
    state, last = mine.get("state") or {}, (mine.get("lastState") or {}).get("terminated")
    run = last if previous else state.get("running") or state.get("terminated") or last
    if run:
        return dict(run)
    if previous:
        raise bad_request(f'previous terminated container "{name}" in pod "{pod_name}" not found')
    why = _waiting((state.get("waiting") or {}).get("reason", "ContainerCreating"))
    raise bad_request(f'container "{name}" in pod "{pod_name}" is waiting to start: {why}')


def _opening(pod: Object, name: str, start: float) -> list[Line]:
    """Without an annotation both lines are there at once: a pod that is ready has said so."""
    text = _note(pod, "log", name)
    if not text:
        return [Line(start, f"{name}: starting"), Line(start, f"{name}: ready to serve")]
    return [Line(start + _STEP * number, line) for number, line in enumerate(text.splitlines(), 1)]


def _loop(pod: Object, name: str, start: float, end: float) -> list[Line]:
    lines = _note(pod, "log-loop", name).splitlines()
    rounds = int((end - start) / _LOOP_STEP) if lines else 0
    first = max(1, rounds - _LONGEST_LOOP)
    return [Line(start + _LOOP_STEP * number, lines[(number - 1) % len(lines)]) for number in range(first, rounds + 1)]


def _note(pod: Object, kind: str, container: str) -> str:
    notes = pod["metadata"].get("annotations") or {}
    return str(notes.get(f"{PREFIX}{kind}.{container}") or notes.get(PREFIX + kind) or "")


def _waiting(reason: str) -> str:
    return "trying and failing to pull image" if reason in {"ErrImagePull", "ImagePullBackOff"} else reason


def _chosen(pod: Object, container: str) -> str:
    spec, pod_name = pod["spec"], pod["metadata"]["name"]
    names = [item["name"] for item in spec["containers"]]
    early = [item["name"] for item in spec.get("initContainers") or ()]
    if not container and len(names) > 1:
        more = f" or one of the init containers: [{' '.join(early)}]" if early else ""
        raise bad_request(
            f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]{more}"
        )
    if container and container not in names + early:
        raise ApiError(400, "BadRequest", f"container {container} is not valid for pod {pod_name}")
    return container or names[0]
