"""A pod without a limit that takes its node's CPU, while its neighbours answer late: the noisy neighbour."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    amount,
    is_ready,
    kind_of,
    limits,
    listed,
    named,
    regular,
    requests,
    text,
)
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.usage import FULL, cores
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key

_GREEDY = 0.4
"""Of the node's CPU."""

_TIMES = 2.0
"""As much as it asked for."""

_LATE = ("deadline exceeded", "timeout", "timed out", "too slow")


def analyse(scene: Scene) -> Iterator[Candidate]:
    for node in scene.usage.measured("cpu", "nodes"):
        use = scene.usage.of("cpu", node, scene.get(node))
        if use is None or not use.limit or use.used < FULL * use.limit:
            continue
        noisy = _noisiest(scene, node, use.limit)
        if noisy is not None:
            yield _candidate(scene, node, noisy, use.used, use.limit)


def _noisiest(scene: Scene, node: Key, size: float) -> Key | None:
    """The pod that uses most of the node, if it uses much more than it asked for and nothing holds it back."""
    there = [(scene.usage.latest("cpu", key) or 0.0, key) for key in scene.store.pods_on(node.name)]
    used, key = max(there, default=(0.0, node))
    containers = regular(scene.spec(key))
    asked = sum(amount(requests(item, "cpu") or limits(item, "cpu")) for item in containers)
    held = all(limits(item, "cpu") for item in containers)
    return key if containers and not held and used >= _GREEDY * size and used >= _TIMES * asked else None


def _candidate(scene: Scene, node: Key, noisy: Key, used: float, size: float) -> Candidate:
    workload, own = scene.owner(noisy), scene.usage.latest("cpu", noisy) or 0.0
    victims = list(_victims(scene, node, workload))
    asked = sum(amount(requests(item, "cpu")) for item in regular(scene.spec(noisy)))
    shown = listed((named(scene.owner(key)) for key in victims), 3)
    suffer = f"{shown} on that node suffer from it" if victims else "its neighbours get what is left"
    sentence = (
        f"{named(workload)} is a noisy neighbour: {named(noisy)} uses {cores(own)} of the {cores(size)} CPU of "
        f"{named(node)}, requested {cores(asked)} and has no CPU limit, so the node has none left; {suffer}."
    )
    late = [one.message for key in victims for one in scene.warnings.get(key, ()) if _is_late(one.message)]
    evidence = (
        f"measured: {named(node)} uses {cores(used)} of {cores(size)} CPU ({used / size:.0%})",
        f"measured: {named(noisy)} uses {cores(own)} ({own / size:.0%} of the node)",
        *late[:1],
    )
    return Candidate(
        "NoisyNeighbour",
        workload,
        sentence,
        0.9 if late else 0.75 if victims else 0.5,
        evidence,
        () if victims else ("no pod beside it is in trouble",),
        fix=f"Give {named(workload)} a CPU limit, or the neighbours requests that keep their share, or another node.",
        proposal=_held(scene, workload, size),
        since=min((one.first for key in victims for one in scene.warnings.get(key, ())), default=None),
        suffers=(*victims, *dict.fromkeys(map(scene.owner, victims))),
    )


def _victims(scene: Scene, node: Key, noisy: Key) -> Iterator[Key]:
    """Pods beside it that answer late, or that somebody says are slow."""
    slow = {scene.owner(key) for key in scene.question.named} if scene.question.speaks_of("CPUThrottling") else set()
    for key in scene.store.pods_on(node.name):
        if scene.owner(key) == noisy:
            continue
        late = any(_is_late(one.message) for one in scene.warnings.get(key, ()) if one.reason == "Unhealthy")
        if scene.owner(key) in slow or (late and not is_ready(scene.get(key))):
            yield key


def _is_late(message: str) -> bool:
    return any(word in message.lower() for word in _LATE)


def _held(scene: Scene, workload: Key, size: float) -> Proposal | None:
    """A third of the node: enough to work, and the rest is the others'."""
    free = [item for item in regular(scene.spec(workload)) if not limits(item, "cpu")]
    if workload.resource not in SERVERS or len(free) != 1:
        return None
    limit = max(size / 3, amount(requests(free[0], "cpu")))
    one = {"name": text(free[0].get("name")), "resources": {"limits": {"cpu": f"{round(limit * 1000)}m"}}}
    patch = {"spec": {"template": {"spec": {"containers": [one]}}}}
    return Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})
