"""Which containers' logs belong to a target, the ones in trouble first where there are too many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup import states
from kubesteward_tools.world.store import Object

MOST = 30
"""Containers whose logs are read for one answer."""


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """One container's log."""

    cluster: str
    namespace: str
    pod: str
    container: str

    @property
    def name(self) -> str:
        return f"{self.pod}/{self.container}"

    @property
    def path(self) -> str:
        return f"{self.cluster}:{self.namespace}/{self.pod}/{self.container}"


def streams(cluster: str, pods: Sequence[Object], container: str, *, previous: bool = False) -> list[Stream]:
    """Every container of the pods, or the named one; init containers only by name or while they hold the pod up.

    Of `previous` runs, those of containers that had one, if any is known. The first `MOST` are to be read: pods that
    are not ready or have restarted come first.

    Raises:
        InvalidArguments: no pod has such a container.
    """
    found, names = list[tuple[bool, Stream]](), dict[str, None]()
    for pod in pods:
        regular, first = _names(pod, "containers"), _names(pod, "initContainers")
        other = _names(pod, "ephemeralContainers") if container else []
        names |= dict.fromkeys([*regular, *first, *other])
        held = states.pod_word(pod).startswith("Init:")
        wanted = [container] if container else first if held else regular
        wanted = [name for name in wanted if name in (*regular, *first, *other)]
        if previous and not container:
            wanted = [name for name in wanted if _restarts(pod, name)] or wanted
        metadata = pod["metadata"]
        found += [
            (_is_well(pod), Stream(cluster, metadata.get("namespace", ""), metadata["name"], name)) for name in wanted
        ]
    if container and not found:
        there = ", ".join(names) or "none"
        raise InvalidArguments(f"there is no container {container[:80]!r}.", todo=f"There are: {there}.")
    return [stream for _, stream in sorted(found)]


def restarted(pods: Sequence[Object], container: str) -> list[str]:
    """`web-x/app 5 times, last OOMKilled (exit 137)`, the most often restarted first; of one container or of all."""
    told = [
        (-int(item.get("restartCount") or 0), f"{pod['metadata']['name']}/{item.get('name')}", _ending(item))
        for pod in pods
        for item in states.containers(pod)
        if container in {"", item.get("name")}
    ]
    return [f"{name} {-count} times{ending}" for count, name, ending in sorted(told) if count]


def _ending(status: dict[str, Any]) -> str:
    ended = (status.get("lastState") or {}).get("terminated") or {}
    return f", last {ended.get('reason') or 'ended'} (exit {ended.get('exitCode')})" if ended else ""


def _names(pod: Object, part: str) -> list[str]:
    return [str(item["name"]) for item in states.spec(pod).get(part) or () if item.get("name")]


def _restarts(pod: Object, name: str) -> int:
    return next((int(item.get("restartCount") or 0) for item in states.containers(pod) if item.get("name") == name), 0)


def _is_well(pod: Object) -> bool:
    return states.condition(pod, "Ready").get("status") == "True" and not states.restarts(pod)
