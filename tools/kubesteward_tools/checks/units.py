"""The parts of an object that checks look at one by one: its pod, and each container of that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
_TEMPLATES: tuple[Path, ...] = (("spec", "template"), ("spec", "jobTemplate", "spec", "template"), ("template",))
_LISTS = ("containers", "initContainers", "ephemeralContainers")


@dataclass(frozen=True, slots=True)
class PodPart:
    """The pod that an object is or makes. `path` leads to its metadata and spec."""

    path: Path
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]


def pod_part(obj: Mapping[str, Any]) -> PodPart | None:
    """None for what runs no pods. A custom resource with a pod template in the usual place does."""
    if obj.get("kind") == "Pod":
        return PodPart((), _mapping(obj.get("metadata")), _mapping(obj.get("spec")))
    for path in _TEMPLATES:
        found = at(obj, path)
        spec = found.get("spec") if isinstance(found, Mapping) else None
        if isinstance(spec, Mapping) and isinstance(spec.get("containers"), list):
            return PodPart(path, _mapping(found.get("metadata")), spec)
    return None


def at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(step, int) and isinstance(value, list) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def containers(part: PodPart, *, main: bool) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Each with its path in the object; `main` leaves out what ends before the pod is up, and guests."""
    for name in _LISTS:
        listed = part.spec.get(name)
        for number, item in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(item, Mapping) and (not main or name == "containers" or _stays(name, item)):
                yield (*part.path, "spec", name, number), item


def _stays(name: str, container: Mapping[str, Any]) -> bool:
    """A sidecar: an init container that is restarted for as long as the pod lives (KEP-753)."""
    return name == "initContainers" and container.get("restartPolicy") == "Always"
