"""When trouble really began: the first moment at which something failed, not the newest event that tells of it.

A container in a crash loop ended last a minute ago and first an hour ago; its pod was perhaps replaced since. So the
earliest of what conditions, statuses, events and the watched past tell of this failure counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kubesteward_tools.analytics.formats import own_time
from kubesteward_tools.analytics.severity import Level, declared
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
_BAD = {
    "PDB": (("DisruptionAllowed", "False"),),
    "HPA": (("ScalingActive", "False"), ("AbleToScale", "False"), ("ScalingLimited", "True")),
}
_SPOKEN = frozenset({"AppError", "DNS", "RBAC"})
"""What shows in logs alone."""
_MOST = 12
_LINES = 2000


def timed(scene: Scene, one: Candidate) -> Candidate:
    """The same with its true beginning, as far as it can be told."""
    try:
        found = began(scene, one)
    except (AttributeError, KeyError, TypeError, ValueError):  # saved objects may be of any shape
        return one
    return one if found is None or found == one.since else replace(one, since=found)


def began(scene: Scene, one: Candidate) -> float | None:
    """Epoch seconds; None where nothing tells."""
    known = [] if one.since is None else [one.since]
    if one.category in _KEPT:
        stamps = [*known, *_warned(scene, one, one.culprit), *_turned(scene, one)]
        return min(stamps or _beside(scene, one), default=None)
    workload = scene.owner(one.culprit)
    pods = list(_sick(scene, one, workload))
    stamps = [stamp for pod in pods for stamp in _pod(scene, one, pod)]
    stamps += _warned(scene, one, workload)
    stamps += _workload(scene.get(workload)) if workload.resource in SERVERS and pods else []
    stamps += _logged(scene, {workload, *one.suffers}) if one.category in _SPOKEN else []
    return min(stamps or known, default=None) or _written(scene, one)


def _beside(scene: Scene, one: Candidate) -> list[float]:
    """Of a node that does not say since when: when its pods stopped to be ready."""
    pods = [scene.get(key) for key in one.suffers if key.resource == "pods"] if one.category == "NodeNotReady" else []
    found = [condition(pod, "Ready") for pod in pods if _is(pod, "Ready", "False")]
    return [stamp for item in found if (stamp := seconds(item.get("lastTransitionTime"))) is not None]


def _turned(scene: Scene, one: Candidate) -> list[float]:
    """When a condition of the culprit itself turned bad."""
    obj = scene.get(one.culprit)
    items = [condition(obj, kind) for kind, bad in _BAD.get(one.category, ()) if _is(obj, kind, bad)]
    return [stamp for item in items if (stamp := seconds(item.get("lastTransitionTime"))) is not None]


def _is(obj: Object, kind: str, status: str) -> bool:
    return condition(obj, kind).get("status") == status


def _written(scene: Scene, one: Candidate) -> float | None:
    """Of what is wrong by what somebody wrote: the last write, if it was seen."""
    return next((item.at for item in scene.past.written({one.culprit}, 0.0, scene.now)), None)


def _logged(scene: Scene, workloads: set[Key]) -> list[float]:
    """The first line of their logs that tells an error and its time."""
    pods = {pod for workload in workloads for pod in scene.pod_keys(workload)[:_MOST]}
    logs = [text_ for (space, name, _), text_ in scene.logs.items() if Key("pods", space, name) in pods]
    lines = (line for text_ in logs for line in text_.splitlines()[-_LINES:])
    stamps = (own_time(line) for line in lines if (declared(line) or Level.INFO) >= Level.ERROR)
    return [stamp for stamp in [min((one for one in stamps if one), default=0.0)] if stamp]


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
    # What is told of a time before the pod was there is of another pod, or a clock that is wrong.
    yield from (max(stamp, born or 0.0) for stamp in _endings(status))
    for kind, bad in (("Ready", "False"), ("DisruptionTarget", "True")):
        since = seconds(condition(pod, kind).get("lastTransitionTime"))
        if since is not None and _is(pod, kind, bad):
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
    items = [condition(obj, kind) for kind, bad in found if _is(obj, kind, bad)]
    return [stamp for item in items if (stamp := seconds(item.get("lastTransitionTime"))) is not None]
