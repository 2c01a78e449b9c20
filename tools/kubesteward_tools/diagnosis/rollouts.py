"""The newest roll-out of a workload: revision, time, what it changed, and whether the one before still works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kubesteward_tools.diagnosis.reading import at, mapping, number, seconds, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.changes import told_templates
from kubesteward_tools.world.store import Key, Object

_REVISION = "deployment.kubernetes.io/revision"
_USED_BEFORE = "deployment.kubernetes.io/revision-history"
_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_NEVER = "the same template again"
_LONGEST = 140
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class RollOut:
    """Revision `to` replaced `back` at `at` (epoch seconds, None if unknown); `changed` says what is different.

    `working` counts the ready pods that are still of the revision before. `set` is the newest ReplicaSet, if any.
    """

    back: int
    to: int
    at: float | None
    changed: str
    working: int = 0
    set: Key | None = None

    @property
    def restarts_only(self) -> bool:
        return not self.changed


def newest(scene: Scene, workload: Key) -> RollOut | None:
    """The last one that is known; None where there was none, or its predecessor is not kept."""
    facts = scene.store.facts(workload)
    owned = scene.store.owned_by(facts.uid) if facts and facts.uid else []
    if workload.resource == "deployments.apps":
        return _of_sets(scene, workload, [key for key in owned if key.resource == "replicasets.apps"])
    if workload.resource in {"statefulsets.apps", "daemonsets.apps"}:
        return _of_revisions([scene.get(key) for key in owned if key.resource == "controllerrevisions.apps"])
    return None


def restarted(scene: Scene, workload: Key) -> float | None:
    """When somebody last asked for new pods of the same template."""
    notes = at(scene.get(workload), "spec", "template", "metadata", "annotations")
    return seconds(notes.get(_RESTARTED))


def _of_sets(scene: Scene, workload: Key, keys: list[Key]) -> RollOut | None:
    order = sorted(keys, key=lambda key: _revision(scene.get(key)), reverse=True)
    if len(order) < 2:
        return None
    first, *older = order
    now = scene.get(first)
    working = next((key for key in older if _ready(scene.get(key))), None)
    back = scene.get(working or older[0])
    return RollOut(
        _revision(back),
        _revision(now),
        _began(scene, workload, now),
        _changed(back, now),
        _ready(back) if working else 0,
        first,
    )


def _began(scene: Scene, workload: Key, replica_set: Object) -> float | None:
    """When it was rolled out: as it was watched, else as old as it is. One that is used again is older than that."""
    seen = [item.at for item in scene.past.moments if (item.key, item.told.kind) == (workload, "rollout")]
    metadata = mapping(replica_set.get("metadata"))
    if seen or _USED_BEFORE in mapping(metadata.get("annotations")):
        return max(seen, default=None)
    return seconds(metadata.get("creationTimestamp"))


def _of_revisions(kept: list[Object]) -> RollOut | None:
    order = sorted(kept, key=lambda item: number(item.get("revision")), reverse=True)
    if len(order) < 2:
        return None
    now, back = order[:2]
    templates = [{"spec": {"template": at(item, "data", "spec", "template")}} for item in (back, now)]
    since = seconds(mapping(now.get("metadata")).get("creationTimestamp"))
    return RollOut(number(back.get("revision")), number(now.get("revision")), since, _changed(*templates))


def _changed(before: Object, after: Object) -> str:
    """ "" where the template is the same but for who asked for a restart."""
    found = told_templates(before, after)
    if found.kind == "restart" or found.text == _NEVER:
        return ""
    every = found.text.split("; ")
    parts = [part for part in every if ".annotations." not in part and ".labels." not in part] or every
    more = [f"{len(parts) - _SHOWN} more"] if len(parts) > _SHOWN else []
    return "; ".join([*(part if len(part) <= _LONGEST else f"{part[:_LONGEST]}..." for part in parts[:_SHOWN]), *more])


def _revision(replica_set: Object) -> int:
    found: Any = mapping(mapping(replica_set.get("metadata")).get("annotations")).get(_REVISION, "")
    return int(text(found)) if text(found).isdigit() else 0


def _ready(replica_set: Object) -> int:
    return number(mapping(replica_set.get("status")).get("readyReplicas"))
