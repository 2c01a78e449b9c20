"""What is being deleted and does not go: pods beyond their grace, namespaces, claims, what a finalizer holds."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, Number, scored
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, listed, mapping, message_of, seconds, text, texts
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key, Object

_POD_MARGIN = 60.0
"""Seconds beyond the grace, which the deletion timestamp of a pod includes."""
_MARGIN = 300.0
"""Seconds that anything else may take."""
_SHOWN = 20
"""Of one kind."""
_IN_USE = {"kubernetes.io/pvc-protection": "pods still use it", "kubernetes.io/pv-protection": "a claim is bound to it"}
"""Finalizers of Kubernetes itself that wait for the object's users."""
_CHILDREN = frozenset({"foregroundDeletion", "orphan"})


def find(view: View) -> Iterator[Anomaly]:
    yield from _pods(view)
    for resource in view.store.resources():
        if resource in {"pods", "nodes", "events"}:
            continue
        going = [key for key, note in view.notes(resource) if note.alarm and note.phase != "Failed"]
        overdue = [(key, since) for key in going if (since := _since(view, key)) + _MARGIN < view.now]
        for key, since in sorted(overdue, key=lambda item: (item[1], item[0]))[:_SHOWN]:
            yield _stuck(view, key, since)
        if len(overdue) > _SHOWN:
            view.cannot(f"{len(overdue) - _SHOWN} more {resource} that are being deleted are not shown")


def _since(view: View, key: Key) -> float:
    note = of(view.store, key)
    return (seconds(note.alarm) if note else None) or view.now


def _pods(view: View) -> Iterator[Anomaly]:
    overdue: dict[Key, list[tuple[float, Key]]] = {}
    for key, note in view.notes("pods"):
        if note.word == "Terminating":
            until = seconds(mapping(view.get(key).get("metadata")).get("deletionTimestamp"))
            if until is not None and until + _POD_MARGIN < view.now:
                overdue.setdefault(view.owner(key), []).append((until, key))
    for owner, items in sorted(overdue.items()):
        until, pod = min(items)
        late = view.now - until
        sentence = f"{_some(items)} Terminating for {ago(late)} beyond its grace: {_why_pod(view, view.get(pod))}"
        numbers = {"overdue_seconds": round(late), "pods": len(items)}
        pods = tuple(key for _, key in sorted(items))
        yield Anomaly(
            "stuck.terminating", "warning", owner, sentence, scored(late / _POD_MARGIN, 90.0), numbers, until, pods
        )


def _some(items: list[tuple[float, Key]]) -> str:
    name = min(items)[1].name
    return f"pod {name} has been" if len(items) == 1 else f"{len(items)} pods are late, {name} has been"


def _why_pod(view: View, pod: Object) -> str:
    held = texts(mapping(pod.get("metadata")).get("finalizers"))
    if held:
        return f"finalizer {listed(held)} is still on it; the controller that owns it has to take it off"
    node = text(at(pod, "spec").get("nodeName"))
    known = of(view.store, Key("nodes", "", node))
    if node and known is None and view.scene.sees("nodes"):
        return f"its node {node} is not there any more, so that nobody confirms its end"
    if known is not None and not known.ready:
        return f"its node {node} is {known.word} and does not confirm its end"
    return f"the kubelet of {node or 'its node'} does not end it: a process that cannot be killed, or a volume in use"


def _stuck(view: View, key: Key, since: float) -> Anomaly:
    late = view.now - since
    sentence = f"has been going for {ago(late)} since its deletion and is still there: {_why(view, key)}"
    numbers: dict[str, Number] = {"overdue_seconds": round(late), "finalizers": listed(_held(view.get(key)))}
    return Anomaly("stuck.deleting", "warning", key, sentence, scored(late / _MARGIN, 90.0), numbers, since)


def _held(obj: Object) -> list[str]:
    held = texts(mapping(obj.get("metadata")).get("finalizers"))
    return [*held, *texts(at(obj, "spec").get("finalizers"))] if obj.get("kind") == "Namespace" else held


def _why(view: View, key: Key) -> str:
    obj = view.get(key)
    if obj.get("kind") == "Namespace":
        return _why_namespace(obj)
    held = _held(obj)
    users = [_IN_USE[name] for name in held if name in _IN_USE]
    if users:
        return f"{users[0]} (finalizer {listed(held)})"
    if held and set(held) <= _CHILDREN:
        return f"what it owns has to go first (finalizer {listed(held)})"
    if held:
        return f"finalizer {listed(held)} is still on it: the controller that takes it off is not there or fails"
    return "no finalizer holds it; the garbage collector or the API server is behind"


def _why_namespace(obj: Object) -> str:
    """Conditions of a namespace that is deleted say what is left. API doc: core/v1 NamespaceConditionType."""
    wanted = ("NamespaceDeletionDiscoveryFailure", "NamespaceDeletionContentFailure", "NamespaceFinalizersRemaining",
              "NamespaceContentRemaining", "NamespaceDeletionGroupVersionParsingFailure")  # fmt: skip
    there = [states.condition(obj, kind) for kind in wanted]
    said = [message_of(item) for item in there if item.get("status") == "True"]
    return "; ".join(filter(None, said)) or f"finalizer {listed(_held(obj))} is still on it"
