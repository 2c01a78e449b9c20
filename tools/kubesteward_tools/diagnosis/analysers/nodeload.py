"""Nodes that are measured nearly full of memory or disk, before the kubelet says so."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import condition, named
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.usage import Metric, mebibytes
from kubesteward_tools.world.store import Key

_BRINK: tuple[tuple[Metric, float, str, str], ...] = (
    ("memory", 0.97, "MemoryPressure", "memory"),
    ("disk", 0.88, "DiskPressure", "disk space"),
)
"""Shares from which on the kubelet is near to evicting: by default under 100 MiB of memory, or 10 % (15 % for images)
of the disk, is left."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    for metric, most, kind, what in _BRINK:
        for key in scene.usage.measured(metric, "nodes"):
            use = scene.usage.of(metric, key, scene.get(key))
            told = condition(scene.get(key), kind).get("status") == "True"
            if use is not None and use.limit and use.used >= most * use.limit and not told:
                yield _full(scene, key, what, f"{mebibytes(use.used)} of {mebibytes(use.limit)}", use.used / use.limit)


def _full(scene: Scene, key: Key, what: str, used: str, share: float) -> Candidate:
    pods = scene.store.pods_on(key.name)
    sentence = f"{named(key)} is nearly out of {what}: {used} ({share:.0%}) are used; the kubelet will soon evict pods."
    return Candidate(
        "NodePressure",
        key,
        sentence,
        0.62,
        (f"measured: {what} {used} ({share:.0%})",),
        ("the kubelet does not report pressure yet",),
        fix=f"Free {what} on {key.name}, move pods away, or add a node.",
        suffers=tuple(pods[:100]),
    )
