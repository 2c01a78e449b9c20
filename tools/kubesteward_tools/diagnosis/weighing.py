"""What speaks for and against a cause beyond what its analyser saw: its past, measurements, siblings and logs.

Each witness looks at one ranked candidate and says lines for it and against it. None of them names a cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from kubesteward_tools.diagnosis import gauges, novelty, remedies, stories
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    at,
    count,
    ended,
    is_ready,
    kind_of,
    mapping,
    named,
    pairs,
    phase,
    waiting,
)
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.testimony import Testimony
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.world.store import Key

_OF_ALL = frozenset(
    {"CrashLoop", "OOMKilled", "ImagePull", "ConfigMissing", "ProbeFailure", "WrongCommand", "Pending", "AppError"}
)
"""What a pod's description brings about, and then of every pod that is made from it."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """`story` is what the past tells, in sentences; the candidate has all evidence and the fix that fits best."""

    candidate: Candidate
    story: tuple[str, ...]


def weigh(scene: Scene, one: Candidate) -> Weighed:
    heard = [_heard(witness, scene, one) for witness in _WITNESSES]
    told = Testimony.joined(heard)
    evidence = tuple(dict.fromkeys([*one.evidence, *told.evidence])) or (_as_it_is(scene, one.culprit),)
    against = tuple(dict.fromkeys([*one.against, *told.against]))
    proposal = told.proposal or one.proposal
    fix = f"{one.fix} {told.fix}".strip()
    return Weighed(replace(one, evidence=evidence, against=against, proposal=proposal, fix=fix), told.story)


def _heard(witness: Callable[[Scene, Candidate], Testimony], scene: Scene, one: Candidate) -> Testimony:
    """Nothing where an object of another shape than the API's keeps it from speaking: the cause stands without it."""
    try:
        return witness(scene, one)
    except (AttributeError, KeyError, TypeError, ValueError, IndexError):
        return Testimony()


def _siblings(scene: Scene, one: Candidate) -> Testimony:
    """Pods of the same description that work."""
    workload = scene.owner(one.culprit)
    if one.category not in _OF_ALL or workload.resource not in SERVERS:
        return Testimony()
    pods = [scene.get(key) for key in scene.pod_keys(workload)[:200]]
    pods = [pod for pod in pods if phase(pod) != "Succeeded"]
    well = sum(map(is_ready, pods))
    if not pods or well == len(pods):
        return Testimony()
    if well:
        return Testimony(against=(f"{well} of {len(pods)} pods of {named(workload)} are ready",))
    return Testimony(evidence=(f"none of the {len(pods)} pods of {named(workload)} is ready",) if len(pods) > 1 else ())


_WITNESSES: tuple[Callable[[Scene, Candidate], Testimony], ...] = (
    stories.testify,
    gauges.testify,
    _siblings,
    novelty.testify,
    remedies.testify,
)


def _as_it_is(scene: Scene, key: Key) -> str:
    """What there is to see of it, where its analyser only compared objects."""
    for item in scene.ailing:
        if item.workload == scene.owner(key):
            word, code = waiting(item.status)[0] or "not ready", ended(item.status).get("exitCode")
            last = f", last exit code {code}" if code is not None else ""
            return f"{named(item.pod_key)}, container {item.name!r}: {word}{last}, {count(item.restarts, 'restart')}"
    obj = scene.get(key)
    if not obj:
        return f"there is no {kind_of(key.resource)} {key.name!r} in {key.namespace or 'the cluster'}"
    return f"{named(key)}: {', '.join(_shown(key, obj)) or 'as its spec says'}"


def _shown(key: Key, obj: dict[str, object]) -> Iterator[str]:
    status, spec = mapping(obj.get("status")), mapping(obj.get("spec"))
    if key.resource in {"deployments.apps", "statefulsets.apps"}:
        yield f"spec.replicas {spec.get('replicas', 1)}, ready {status.get('readyReplicas') or 0}"
    for name in ("selector", "podSelector", "scaleTargetRef", "rules", "roleRef"):
        if found := spec.get(name) or obj.get(name):
            yield sentence(f"{name} {_flat(found)}", 160)
    if status.get("phase"):
        yield f"phase {status['phase']}"
    if made := at(obj, "metadata").get("creationTimestamp"):
        yield f"created {made}"


def _flat(value: object) -> str:
    """A selector as kubectl shows it, anything else as JSON does."""
    labels = mapping(value).get("matchLabels") if isinstance(value, dict) and set(value) == {"matchLabels"} else value
    flat = isinstance(labels, dict) and all(isinstance(item, str) for item in labels.values())
    return pairs(mapping(labels)) if flat else json.dumps(value)
