"""What waits too long to begin: pods, claims, requests for certificates, and what else says it is not ready."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, count, kind_of, mapping, mappings, message_of, seconds, text
from kubesteward_tools.lookup import states
from kubesteward_tools.lookup.notes import Note
from kubesteward_tools.text.ages import ago
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.resources import by_resource
from kubesteward_tools.world.store import Key, Object

_PATIENCE = 300.0
_INIT_PATIENCE = 1800.0
"""Seconds, for init containers that run: migrations take their time."""
_OTHERS_PATIENCE = 900.0
_READ_OF_ONE = 3
_REQUESTS = "certificatesigningrequests.certificates.k8s.io"
_CLAIMS = "persistentvolumeclaims"


def find(view: View) -> Iterator[Anomaly]:
    yield from _pods(view)
    yield from _unready(view)
    yield from _claims(view)
    yield from _requests(view)
    yield from _others(view)


def _is_old(view: View, key: Key, patience: float) -> bool:
    """By its creation, as the index has it; what has none is not called late."""
    created = view.created(key)
    return bool(created) and created < timestamp(max(0.0, view.now - patience))


def _pods(view: View) -> Iterator[Anomaly]:
    groups: dict[tuple[Key, str], list[Key]] = {}
    for key, note in view.notes("pods"):
        if note.phase == "Pending" and note.word != "Terminating" and _is_old(view, key, _PATIENCE):
            groups.setdefault((view.owner(key), note.word), []).append(key)
    for (owner, _), pods in sorted(groups.items()):
        waits = [(key, found) for key in pods[:_READ_OF_ONE] if (found := _wait(view, key)) is not None]
        if waits:
            key, (code, why) = waits[0]
            since = min(seconds(view.created(pod)) or view.now for pod in pods)
            said = f"{count(len(pods), 'pod')} ({key.name}) Pending", why
            yield _waiting(view, code, owner, since, said, parts=pods)


def _waiting(
    view: View, code: str, key: Key, since: float, said: tuple[str, str], *, parts: Sequence[Key] = ()
) -> Anomaly:
    late = view.now - since
    what, why = said
    sentence = f"{what} for {ago(late)}: {why}"
    numbers = {"seconds": round(late), "objects": max(1, len(parts))}
    return Anomaly(code, "warning", key, sentence, scored(late / _PATIENCE, 90.0), numbers, since, tuple(parts))


def _wait(view: View, key: Key) -> tuple[str, str] | None:
    """Code and reason; None for one that is getting on."""
    pod = view.get(key)
    gates = [text(item.get("name")) for item in mappings(at(pod, "spec").get("schedulingGates"))]
    if gates:
        return "stuck.gated", f"scheduling gate {gates[0]} is still on it; whoever put it there has to take it off"
    scheduled = states.condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return "stuck.unscheduled", message_of(scheduled) or "no node takes it"
    if not text(at(pod, "spec").get("nodeName")):
        return "stuck.unscheduled", "no scheduler has looked at it; is the one that it names running?"
    return _starting(view, key, pod)


def _starting(view: View, key: Key, pod: Object) -> tuple[str, str] | None:
    inits = mappings(mapping(pod.get("status")).get("initContainerStatuses"))
    running = [item for item in inits if at(item, "state", "running") and not item.get("ready")]
    if running and not _is_old(view, key, _INIT_PATIENCE):
        return None
    if running:
        return "stuck.init", f"its init container {text(running[0].get('name'))} runs and does not end"
    for item in states.containers(pod):
        reason = text(at(item, "state", "waiting").get("reason"))
        if reason not in {"", "PodInitializing", "ContainerCreating"}:
            said = message_of(at(item, "state", "waiting"))
            return "stuck.starting", f"container {text(item.get('name'))} waits: {reason}{': ' if said else ''}{said}"
    told = [item for item in view.scene.warnings.get(key, ()) if item.last >= view.since]
    if told:
        return "stuck.starting", f"{told[0].reason}: {told[0].message}"
    return "stuck.starting", "its containers are being created: a large image, a volume or the network of its node"


def _unready(view: View) -> Iterator[Anomaly]:
    """Those that run, do not crash, and have not been ready for long."""
    groups: dict[Key, list[tuple[float, Key]]] = {}
    for key, note in view.notes("pods"):
        if note.phase == "Running" and note.word == "Running" and note.ready is False:
            condition = states.condition(view.get(key), "Ready")
            since = seconds(condition.get("lastTransitionTime")) or seconds(view.created(key)) or view.now
            if since + _OTHERS_PATIENCE < view.now:
                groups.setdefault(view.owner(key), []).append((since, key))
    for owner, items in sorted(groups.items()):
        since, pod = min(items)
        told = [item for item in view.scene.warnings.get(pod, ()) if item.reason == "Unhealthy"]
        why = told[0].message if told else message_of(states.condition(view.get(pod), "Ready")) or "nobody says"
        said = f"{count(len(items), 'pod')} ({pod.name}) running and not ready", why
        yield _waiting(view, "stuck.unready", owner, since, said, parts=[key for _, key in items])


def _claims(view: View) -> Iterator[Anomaly]:
    for key, note in view.notes(_CLAIMS):
        if note.word == "Pending" and not note.alarm and _is_old(view, key, _PATIENCE):
            why = _why_claim(view, key)
            if why:
                yield _waiting(view, "stuck.claim", key, seconds(view.created(key)) or view.now, ("is Pending", why))


def _why_claim(view: View, key: Key) -> str:
    """ "" for one that waits for its first pod, as its class wants."""
    told = view.scene.warnings.get(key, ())
    name = text(at(view.get(key), "spec").get("storageClassName"))
    found = Key("storageclasses.storage.k8s.io", "", name)
    pods = sorted(edge.source for edge in view.graph.edges(key, ("mounts",)) if edge.source.resource == "pods")
    if view.get(found).get("volumeBindingMode") == "WaitForFirstConsumer" and not pods:
        return ""
    if told:
        return f"{told[0].reason}: {told[0].message}"
    if name and view.scene.missing(found):
        return f"there is no StorageClass {name!r}"
    if not name:
        return "it names no StorageClass, and no volume fits it"
    return f"no volume fits it, and nobody has made one by StorageClass {name}: does its provisioner run?"


def _requests(view: View) -> Iterator[Anomaly]:
    for key, _ in view.notes(_REQUESTS):
        request = view.get(key) if _is_old(view, key, _PATIENCE) else {}
        status = mapping(request.get("status"))
        ended = {text(item.get("type")) for item in states.conditions(request)}
        if not request or status.get("certificate") or ended & {"Denied", "Failed"}:
            continue
        signer = text(at(request, "spec").get("signerName"))
        why = f"its signer {signer} has not answered" if "Approved" in ended else f"nobody has approved it ({signer})"
        since = seconds(view.created(key)) or view.now
        yield _waiting(view, "stuck.certificate", key, since, ("waits", why))


def _others(view: View) -> Iterator[Anomaly]:
    """Custom resources that have told for long that they are not ready."""
    for resource in view.store.resources():
        if "." not in resource or by_resource(resource) is not None or resource == _REQUESTS:
            continue
        for key, note in view.notes(resource):
            if note.ready is False and not note.alarm:
                yield from _other(view, key, note)


def _other(view: View, key: Key, note: Note) -> Iterator[Anomaly]:
    failing = [item for item in states.conditions(view.get(key)) if item.get("status") == "False"]
    found = next((item for item in failing if item.get("type") in {"Ready", "Available", "Healthy"}), {})
    since = seconds(found.get("lastTransitionTime")) or seconds(view.created(key)) or view.now
    if since + _OTHERS_PATIENCE < view.now:
        why = message_of(found) or note.word
        kind = kind_of(key.resource)
        state = text(found.get("type")) or "ready"
        yield _waiting(view, "stuck.not_ready", key, since, (f"this {kind} is not {state}", why))
