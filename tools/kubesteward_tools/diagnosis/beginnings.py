"""When trouble really began: the first moment at which something failed, not the newest event that tells of it.

A container in a crash loop ended last a minute ago and first an hour ago; its pod was perhaps replaced since. So the
earliest of what conditions, statuses, events and the watched past tell of this failure counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import condition, ended, is_ready, mapping, mappings, phase, seconds, text
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.world.store import Key, Object

_EVENTS: dict[str, tuple[str, ...]] = {
    "CrashLoop": ("BackOff", "Failed"),
    "OOMKilled": ("BackOff", "OOMKilling"),
    "ImagePull": ("Failed", "BackOff", "ErrImagePull", "InspectFailed"),
    "Pending": ("FailedScheduling",),
    "PVC": ("FailedScheduling", "FailedMount", "FailedAttachVolume", "ProvisioningFailed", "FailedBinding"),
    "Quota": ("FailedCreate",),
    "PodSecurity": ("FailedCreate",),
    "AdmissionWebhook": ("FailedCreate",),
    "ConfigMissing": ("Failed", "FailedMount"),
    "ProbeFailure": ("Unhealthy", "ProbeWarning"),
    "HPA": ("FailedGetScale", "FailedGetResourceMetric", "FailedComputeMetricsReplicas"),
}
"""The Warnings that each kind of failure begins with."""

_KEPT = frozenset({"NodeNotReady", "NodePressure", "HPA", "PDB", "CPUThrottling", "CertificateExpired"})
"""What is no state of pods: its analyser knows best."""
_MOST = 12


def timed(scene: Scene, one: Candidate) -> Candidate:
    """The same with its true beginning, as far as it can be told."""
    found = began(scene, one)
    return one if found is None or found == one.since else replace(one, since=found)


def began(scene: Scene, one: Candidate) -> float | None:
    """Epoch seconds; None where nothing tells."""
    known = [] if one.since is None else [one.since]
    if one.category in _KEPT:
        return min([*known, *_warned(scene, one, one.culprit)], default=None)
    workload = scene.owner(one.culprit)
    pods = list(_sick(scene, one, workload))
    stamps = [stamp for pod in pods for stamp in _pod(scene, one, pod)]
    stamps += _warned(scene, one, workload)
    stamps += _workload(scene.get(workload)) if workload.resource in SERVERS and pods else []
    return min([*known, *stamps], default=None)


def _sick(scene: Scene, one: Candidate, workload: Key) -> Iterator[Object]:
    """Pods of the culprit that are not well, and those that the candidate says suffer."""
    own = [pod for owner, pods, _ in scene.sick_pods if owner == workload for pod in pods]
    yield from own[:_MOST]
    if not own:
        for key in [key for key in one.suffers if key.resource == "pods"][:_MOST]:
            pod = scene.get(key)
            if pod and not is_ready(pod):
                yield pod


def _pod(scene: Scene, one: Candidate, pod: Object) -> Iterator[float]:
    metadata, status = mapping(pod.get("metadata")), mapping(pod.get("status"))
    key = Key("pods", text(metadata.get("namespace")), text(metadata.get("name")))
    if (watched := scene.past.failed({key})) is not None:
        yield watched
    born = seconds(metadata.get("creationTimestamp"))
    if one.category in {"Pending", "PVC"} and phase(pod) == "Pending":
        yield from filter(None, [born])
        return
    yield from _endings(status)
    ready = condition(pod, "Ready")
    since = seconds(ready.get("lastTransitionTime"))
    if ready.get("status") != "True" and since is not None:
        yield since


def _endings(status: Object) -> Iterator[float]:
    """When containers failed, as far back as their statuses go: the run that failed last came after a failed one."""
    for item in mappings(status.get("initContainerStatuses")) + mappings(status.get("containerStatuses")):
        end = ended(item)
        stamps = [end.get("finishedAt")] if end.get("exitCode") or end.get("reason") not in {None, "Completed"} else []
        stamps += [end.get("startedAt")] if stamps and (item.get("restartCount") or 0) > 1 else []
        yield from (found for stamp in stamps if (found := seconds(stamp)) is not None)


def _warned(scene: Scene, one: Candidate, about: Key) -> list[float]:
    reasons = _EVENTS.get(one.category)
    return [item.first for item in scene.warned(about, *reasons)] if reasons else []


def _workload(obj: Object) -> list[float]:
    """Since when a workload has had too few pods."""
    found = [("Available", "False"), ("ReplicaFailure", "True")]
    items = [condition(obj, kind) for kind, wrong in found if condition(obj, kind).get("status") == wrong]
    return [stamp for item in items if (stamp := seconds(item.get("lastTransitionTime"))) is not None]
