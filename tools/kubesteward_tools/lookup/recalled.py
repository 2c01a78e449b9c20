"""What objects themselves tell of the time before anybody watched: births, rollouts, ended containers, conditions.

Much of what changed can still be read off: each ReplicaSet of a Deployment is one of its templates, with its date.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import Note
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.world.changes import Told, is_owned, told_templates
from kubesteward_tools.world.store import Key, Object, Store

_REVISION = "deployment.kubernetes.io/revision"


KeyOf = Callable[[str, str, str, str], Key]
"""The key of an object by group, kind, namespace and name."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened to an object at `at` (epoch seconds), and who did it as far as is known."""

    at: float
    key: Key
    told: Told
    author: str = ""


def recalled(store: Store, keys: Iterable[Key], since: float = 0.0) -> Iterator[Moment]:
    """What these objects tell of their past, in no particular order; surely all of it from `since` on."""
    start = timestamp(max(0.0, since))
    for key in keys:
        obj = store.get(key) if _may_tell(store, key, start) else None
        if obj is None:
            continue
        yield from _born(key, obj)
        if key.resource == "replicasets.apps":
            yield from _rollout(store, key, obj)
        elif key.resource == "pods":
            yield from _ended(key, obj)
        elif key.resource == "nodes":
            yield from _conditions(key, obj)


def _may_tell(store: Store, key: Key, start: str) -> bool:
    """Whether an object has to be read: of most it is known that nothing happened to them since they came."""
    facts = store.facts(key)
    if facts is None:
        return False
    if not facts.created or facts.created >= start or key.resource == "nodes":
        return True
    return key.resource == "pods" and not _is_steady(facts.note)


def _is_steady(pod: object) -> bool:
    """Whether none of a pod's containers has ever ended."""
    return isinstance(pod, Note) and pod.phase == "Running" and pod.ready is True and not pod.restarts


def warnings(store: Store, keys: Collection[Key], namespace: str, key_of: KeyOf) -> Iterator[Moment]:
    """Warning events when they were last seen: about `keys`, or all in a namespace ("": any) without keys."""
    for key, event in store.items("events", namespace or None):
        about = event.get("involvedObject") or event.get("regarding") or {}
        group = str(about.get("apiVersion") or "").rpartition("/")[0]
        subject = key_of(group, str(about.get("kind")), str(about.get("namespace") or ""), str(about.get("name")))
        times = list(event_times(event))
        if event.get("type") == "Warning" and times and (not keys or subject in keys):
            text = f"{event.get('reason')}: {event.get('message') or event.get('note') or ''}"
            yield Moment(max(times), subject if about else key, Told("warning", text))


def _born(key: Key, obj: Object) -> Iterator[Moment]:
    at = _time(obj["metadata"].get("creationTimestamp"))
    if at is not None:
        yield Moment(at, key, Told("created", "created", grave=not is_owned(obj)))


def _rollout(store: Store, key: Key, replica_set: Object) -> Iterator[Moment]:
    """The Deployment above got another template when this ReplicaSet came to be."""
    above = next(
        (item for item in replica_set["metadata"].get("ownerReferences") or () if item.get("controller")), None
    )
    at = _time(replica_set["metadata"].get("creationTimestamp"))
    if above is None or at is None:
        return
    deployment = Key("deployments.apps", key.namespace, above["name"])
    before = _predecessor(store, above["uid"], replica_set)
    if before is not None:
        yield Moment(at, deployment, told_templates(before, replica_set))


def _predecessor(store: Store, owner: str, replica_set: Object) -> Object | None:
    """The ReplicaSet of the revision before, as far as it is kept."""
    mine = _revision(replica_set)
    found = [item for key in store.owned_by(owner) if (item := store.get(key)) and _revision(item) < mine]
    return max(found, key=_revision, default=None)


def _revision(replica_set: Object) -> int:
    text = str((replica_set["metadata"].get("annotations") or {}).get(_REVISION, ""))
    return int(text) if text.isdigit() else 0


def _ended(key: Key, pod: Object) -> Iterator[Moment]:
    for status in (pod.get("status") or {}).get("containerStatuses") or ():
        for state in ("lastState", "state"):
            ended = (status.get(state) or {}).get("terminated") or {}
            at = _time(ended.get("finishedAt"))
            if at is not None:
                text = f"{status.get('name')} ended: {ended.get('reason', '')}, exit code {ended.get('exitCode')}"
                yield Moment(at, key, Told("container", text, grave=ended.get("exitCode") != 0))


def _conditions(key: Key, node: Object) -> Iterator[Moment]:
    for item in (node.get("status") or {}).get("conditions") or ():
        at = _time(item.get("lastTransitionTime"))
        if at is not None:
            bad = (item.get("type") == "Ready") != (item.get("status") == "True")
            yield Moment(
                at, key, Told("node", f"{item.get('type')} {item.get('status')}: {item.get('reason')}", grave=bad)
            )


def _time(stamp: Any) -> float | None:
    try:
        return parse_timestamp(str(stamp)) if stamp else None
    except ValueError:
        return None
