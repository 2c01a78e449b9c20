"""What was measured says for or against a cause: throttled periods, memory at its limit and growing, full nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import named, template_spec
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.testimony import Testimony
from kubesteward_tools.diagnosis.usage import FULL, Use, cores, mebibytes
from kubesteward_tools.world.store import Key

_THROTTLED = 0.1
_IDLE = 0.5
_LARGE = 0.3
_CONTRADICTED = 0.6


def testify(scene: Scene, one: Candidate) -> Testimony:
    witness = _BY_CATEGORY.get(one.category)
    return witness(scene, one) if witness is not None and scene.usage.points else Testimony()


def doubted(scene: Scene, one: Candidate) -> Candidate:
    """Less sure where a measurement contradicts it: a limit that is far from used throttles hardly anything."""
    if one.category != "CPUThrottling" or not scene.usage.points or not _cpu(scene, one).against:
        return one
    return replace(one, confidence=one.confidence * _CONTRADICTED)


def _pods(scene: Scene, one: Candidate, metric: str) -> Iterator[tuple[Key, Use]]:
    """The measured pods of the culprit."""
    for key in scene.pod_keys(scene.owner(one.culprit))[:50]:
        found = scene.usage.of(metric, key, scene.get(key))  # type: ignore[arg-type] # one of the two words
        if found is not None:
            yield key, found


def _cpu(scene: Scene, one: Candidate) -> Testimony:
    for key, share in sorted(scene.usage.throttled.items()):
        if scene.owner(key) == scene.owner(one.culprit):
            line = f"measured: {named(key)} waited for CPU in {share:.0%} of its periods"
            return Testimony(evidence=(line,)) if share >= _THROTTLED else Testimony(against=(line,))
    found = max(_pods(scene, one, "cpu"), key=lambda item: item[1].share, default=None)
    if found is None or not found[1].limit:
        return Testimony()
    key, use = found
    line = f"measured: {named(key)} uses {cores(use.used)} of {cores(use.limit)} CPU ({use.used / use.limit:.0%})"
    if max(use.share, use.used / use.limit) >= FULL:
        return Testimony(evidence=(line,))
    return Testimony(against=(line,)) if use.share < _IDLE else Testimony()


def _memory(scene: Scene, one: Candidate) -> Testimony:
    found = max(_pods(scene, one, "memory"), key=lambda item: _peak(item[1]), default=None)
    if found is None or not found[1].limit:
        return Testimony()
    key, use = found
    peak = _peak(use)
    slope = use.course.slope if use.course and use.course.slope else 0.0
    grows = f", growing by {mebibytes(slope)} an hour" if slope > use.limit / 50 else ""
    line = f"measured: {named(key)} used up to {mebibytes(peak * use.limit)} of {mebibytes(use.limit)} memory{grows}"
    if peak >= FULL or grows:
        return Testimony(evidence=(line,))
    return Testimony(against=(f"{line} (a peak between samples is not seen)",)) if peak < _IDLE else Testimony()


def _peak(use: Use) -> float:
    return (use.course.most if use.course else use.used) / use.limit if use.limit else 0.0


def _node(scene: Scene, one: Candidate) -> Testimony:
    """How full the node is, and who uses most of it without a limit."""
    if one.culprit.resource != "nodes":
        return Testimony()
    lines = []
    for metric, shown in (("memory", mebibytes), ("disk", mebibytes), ("cpu", cores)):
        use = scene.usage.of(metric, one.culprit, scene.get(one.culprit))  # type: ignore[arg-type] # one of the words
        if use is not None and use.limit:
            lines.append(f"measured: {metric} {shown(use.used)} of {shown(use.limit)} ({use.used / use.limit:.0%})")
    return Testimony(evidence=(*lines, *_greedy(scene, one.culprit)))


def _greedy(scene: Scene, node: Key) -> Iterator[str]:
    use = scene.usage.of("memory", node, scene.get(node))
    there = [(scene.usage.latest("memory", key) or 0.0, key) for key in scene.store.pods_on(node.name)]
    used, key = max(there, default=(0.0, node))
    if use is None or not use.limit or used < _LARGE * use.limit:
        return
    limited = all(
        (item.get("resources") or {}).get("limits", {}).get("memory")
        for item in template_spec(key, scene.get(key)).get("containers") or ()
    )
    yield (
        f"measured: {named(key)} uses {mebibytes(used)} of its memory, {used / use.limit:.0%} of the node"
        f"{'' if limited else ', without a memory limit'}"
    )


_BY_CATEGORY: dict[str, Callable[[Scene, Candidate], Testimony]] = {
    "CPUThrottling": _cpu,
    "ProbeFailure": lambda scene, one: Testimony(evidence=_cpu(scene, one).evidence),
    "HPA": lambda scene, one: Testimony(evidence=_cpu(scene, one).evidence),
    "OOMKilled": _memory,
    "MemoryGrowth": _memory,
    "NodePressure": _node,
}
