"""What pods tell of trouble: one sign for each owner and kind of trouble, however many pods share it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.lookup.notes import Note
from kubesteward_tools.overlay.score import Sign
from kubesteward_tools.overlay.subject import Subject
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Key, Object, Store

RECENT = 3600.0
_PATIENCE = 60.0
"""Seconds that a pod may take to start before it is called late."""
_MOST_READ = 500
"""Pods of which the containers are read. Those that are left out are alike, or the cluster is past saving."""

_NOT_STARTING = frozenset(
    {
        "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
        "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PreCreateHookError",
    }
)  # fmt: skip
_CRASHING = frozenset({"CrashLoopBackOff", "Error", "OOMKilled", "ContainerCannotRun", "StartError"})
_QUIET = frozenset({"Terminating", "Completed"})


def pod_signs(store: Store, subject: Subject, now: float) -> Iterator[Sign]:
    groups: dict[tuple[str, str, str], list[tuple[Key, Note]]] = {}
    read = 0
    for key, note in subject.notes(store, "pods"):
        troubled = note.ready is False or note.restarts
        if not troubled or note.word in _QUIET or read >= _MOST_READ:
            continue
        read += 1
        pod = store.get(key)
        code = _code(pod, note, now) if pod is not None else ""
        if pod is not None and code:
            groups.setdefault((code, key.namespace, top_owner(store, pod)), []).append((key, note))
    for (code, namespace, owner), pods in sorted(groups.items()):
        yield _sign(store, code, _named(namespace, owner), pods, now)


def _named(namespace: str, owner: str) -> str:
    kind, _, name = owner.partition("/")
    return f"{kind}/{namespace}/{name}"


def _sign(store: Store, code: str, name: str, pods: list[tuple[Key, Note]], now: float) -> Sign:
    key, note = pods[0]
    pod = store.get(key) or {}
    word = "not ready" if note.word == "Running" and note.ready is False else note.word
    said = [f"{len(pods)} pods {word}" if len(pods) > 1 else f"pod {key.name} {word}"]
    restarts = sum(item.restarts for _, item in pods)
    said += [f"{restarts} restarts"] if restarts else []
    why = _last_failure(pod, now) if _failures(pod, now) else states.why(pod)
    return Sign(code, name, ", ".join(said) + (f": {why}" if why else ""))


def _code(pod: Object, note: Note, now: float) -> str:
    """What the pod's state is called, "" for one that is well or only young."""
    if note.ready is not False:
        return "restarts" if _failures(pod, now) else ""
    word = note.word.removeprefix("Init:")
    if note.phase == "Failed":
        return "" if _is_of_job(pod) else "failed"
    if word in _NOT_STARTING:
        return "not_starting"
    if word in _CRASHING or word.startswith("ExitCode:"):
        return "crashing"
    if states.condition(pod, "PodScheduled").get("reason") == "Unschedulable":
        return "unschedulable"
    if _failures(pod, now):
        return "crashing"
    return "not_ready" if now - _moment(pod["metadata"].get("creationTimestamp"), now) > _PATIENCE else ""


def _is_of_job(pod: Object) -> bool:
    """A Job tries again and says itself when it gives up."""
    return any(item.get("kind") == "Job" for item in pod["metadata"].get("ownerReferences") or ())


def _failures(pod: Object, now: float) -> list[dict[str, Any]]:
    """How containers failed within the last hour, the latest last."""
    found = [(item.get("lastState") or {}).get("terminated") or {} for item in states.containers(pod)]
    failed = [item for item in found if item.get("exitCode") and now - _moment(item.get("finishedAt"), 0.0) <= RECENT]
    return sorted(failed, key=lambda item: str(item.get("finishedAt")))


def _last_failure(pod: Object, now: float) -> str:
    end = _failures(pod, now)[-1]
    said = f"; {end['message']}" if end.get("message") else ""
    return f"last exit {end.get('exitCode')} {end.get('reason', '')} at {end.get('finishedAt')}{said}"


def _moment(stamp: object, default: float) -> float:
    try:
        return parse_timestamp(str(stamp)) if stamp else default
    except ValueError:
        return default
