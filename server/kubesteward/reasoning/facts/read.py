"""What an object says of itself, in the words of claims: pure functions over what `get_resource_yaml` gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from kubesteward.reasoning.facts.lookup import seconds

Obj = Mapping[str, Any]


def statuses(pod: Obj) -> list[Obj]:
    status = pod.get("status") or {}
    return [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]


def containers(obj: Obj) -> list[Obj]:
    """Of a pod, or of the template of what makes pods."""
    spec = obj.get("spec") or {}
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    inner = (spec.get("template") or job.get("template") or {}).get("spec") or spec
    return [*(inner.get("containers") or []), *(inner.get("initContainers") or [])]


def _ended(pod: Obj) -> Iterator[Obj]:
    for status in statuses(pod):
        for when in ("state", "lastState"):
            if ended := (status.get(when) or {}).get("terminated"):
                yield ended


def states(pod: Obj) -> set[str]:
    """Every word that may rightly be said of it, in small letters."""
    status = pod.get("status") or {}
    found = {str(status.get("phase", "")), str(status.get("reason", ""))}
    for one in statuses(pod):
        waiting = (one.get("state") or {}).get("waiting") or {}
        found.add(str(waiting.get("reason", "")))
    found |= {str(ended.get("reason", "")) for ended in _ended(pod)}
    found |= {str(item.get("reason", "")) for item in status.get("conditions") or [] if item.get("status") == "False"}
    if any(_loops(one) for one in statuses(pod)):
        found.add("CrashLoopBackOff")
    if (pod.get("metadata") or {}).get("deletionTimestamp"):
        found.add("Terminating")
    if any(one.get("state", {}).get("waiting") for one in statuses(pod)):
        found.discard("Running")
    found.add("ready" if is_ready(pod) else "not ready")
    return {word.lower() for word in found if word}


def _loops(status: Obj) -> bool:
    """Whether it crashes again and again, also while it happens to run."""
    ended = (status.get("lastState") or {}).get("terminated") or {}
    return int(status.get("restartCount") or 0) >= 3 and bool(ended.get("exitCode"))


def is_ready(pod: Obj) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)


def ready_of(obj: Obj, kind: str) -> tuple[int, int]:
    """Ready and wanted: containers of a pod, pods of a workload."""
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    if kind == "Pod":
        own = status.get("containerStatuses") or []
        return sum(bool(one.get("ready")) for one in own), len(spec.get("containers") or own)
    if kind == "DaemonSet":
        return int(status.get("numberReady") or 0), int(status.get("desiredNumberScheduled") or 0)
    return int(status.get("readyReplicas") or 0), int(spec.get("replicas", 1))


def restarts(pods: Iterable[Obj]) -> list[int]:
    """Of each container that was restarted, then of each pod, then of all together."""
    each = [[int(one.get("restartCount") or 0) for one in statuses(pod)] for pod in pods]
    return [*(count for counts in each for count in counts), *map(sum, each), sum(map(sum, each))]


def exits(pods: Iterable[Obj]) -> set[int]:
    return {int(ended["exitCode"]) for pod in pods for ended in _ended(pod) if "exitCode" in ended}


def images(objects: Iterable[Obj]) -> set[str]:
    found = {str(one.get("image", "")) for obj in objects for one in containers(obj)}
    return found | {str(one.get("image", "")) for obj in objects for one in statuses(obj)} - {""}


def same_image(said: str, real: str) -> bool:
    """Also without the registry, which people leave out."""
    return said == real or real.endswith(f"/{said}")


def labels(obj: Obj) -> set[str]:
    """Its own, those of its template, and those it selects, as name=value."""
    spec = obj.get("spec") or {}
    given = [
        (obj.get("metadata") or {}).get("labels"),
        ((spec.get("template") or {}).get("metadata") or {}).get("labels"),
    ]
    selector = spec.get("selector") or {}
    given += [selector.get("matchLabels"), selector if "matchLabels" not in selector else None]
    given += [(spec.get("podSelector") or {}).get("matchLabels"), spec.get("nodeSelector")]
    return {f"{name}={value}" for labels_ in given for name, value in (labels_ or {}).items() if isinstance(value, str)}


def ports(obj: Obj) -> set[str]:
    """Of containers, their probes, and Services."""
    found = set[str]()
    for one in containers(obj):
        found |= {str(port.get("containerPort")) for port in one.get("ports") or []}
        for probe in ("readinessProbe", "livenessProbe", "startupProbe"):
            for way in ("httpGet", "tcpSocket", "grpc"):
                found.add(str(((one.get(probe) or {}).get(way) or {}).get("port", "")))
    for port in (obj.get("spec") or {}).get("ports") or []:
        found |= {str(port.get(name)) for name in ("port", "targetPort", "nodePort") if port.get(name)}
    return found - {"", "None"}


def port_names(obj: Obj) -> set[str]:
    return {str(port["name"]) for one in containers(obj) for port in one.get("ports") or [] if port.get("name")}


def limits(obj: Obj, what: str) -> set[str]:
    """`what` is like `memory limit`."""
    resource, _, sort = what.partition(" ")
    own = [((one.get("resources") or {}).get(f"{sort}s") or {}).get(resource) for one in containers(obj)]
    return {str(value) for value in own if value is not None}


_UNITS = (
    {"m": Fraction(1, 1000), "": Fraction(1)}
    | {
        f"{letter}{binary}": Fraction((1024 if binary else 1000) ** power)
        for power, letter in enumerate("KMGT", 1)
        for binary in ("", "i")
    }
    | {"k": Fraction(1000)}
)


def amount(text: str) -> Fraction | None:
    """Of a quantity, None where it is none. A B for bytes is let pass, as people write it."""
    number = text.removesuffix("B")
    digits = number.rstrip("KMGTkim")
    unit = number[len(digits) :]
    try:
        return Fraction(digits) * _UNITS[unit]
    except (ValueError, KeyError, ZeroDivisionError):
        return None


def created(obj: Obj) -> float:
    return seconds(str((obj.get("metadata") or {}).get("creationTimestamp", "")))


def moments(obj: Obj) -> set[float]:
    """All times that it tells, epoch seconds."""
    found = set[float]()
    pending: list[Any] = [obj.get("metadata"), obj.get("status")]
    while pending:
        node = pending.pop()
        if isinstance(node, Mapping):
            pending += node.values()
        elif isinstance(node, list):
            pending += node
        elif isinstance(node, str) and node[4:5] == "-" and (at := seconds(node)):
            found.add(at)
    return found
