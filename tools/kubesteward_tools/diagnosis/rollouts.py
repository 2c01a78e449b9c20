"""Whether trouble came with a roll-out: the newest ReplicaSet fails and the one before still works."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.reading import at, container, listed, mapping, mappings, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_REVISION = "deployment.kubernetes.io/revision"


def came_with(scene: Scene, workload: Key) -> str:
    """One sentence about the roll-out of a Deployment that is under way and fails, "" where there is none."""
    if workload.resource != "deployments.apps":
        return ""
    facts = scene.store.facts(workload)
    sets = (
        [scene.get(key) for key in scene.store.owned_by(facts.uid) if key.resource == "replicasets.apps"]
        if facts and facts.uid
        else []
    )
    newest, *older = sorted(sets, key=_revision, reverse=True) or [{}]
    working = next((one for one in older if mapping(one.get("status")).get("readyReplicas")), None)
    if working is None:
        return ""
    changed = listed(_changes(working, newest), 4)
    ready = mapping(working["status"])["readyReplicas"]
    return (
        f"It came with the roll-out of revision {_revision(newest)}{f' ({changed})' if changed else ''}; {ready} ready "
        f"pods are still of revision {_revision(working)}: rolling back is an option."
    )


def _revision(replica_set: Object) -> int:
    found = mapping(mapping(replica_set.get("metadata")).get("annotations")).get(_REVISION, "")
    return int(found) if str(found).isdigit() else 0


def _changes(old: Object, new: Object) -> Iterator[str]:
    before, after = (at(one, "spec", "template", "spec") for one in (old, new))
    for item in mappings(after.get("containers")):
        was = container(before, text(item.get("name")))
        for field in ("image", "command", "args") if was else ():
            if was.get(field) != item.get(field):
                yield f"{field} {was.get(field)} -> {item.get(field)}"
        for part in ("requests", "limits") if was else ():
            one, two = at(was, "resources", part), at(item, "resources", part)
            for name in sorted({*one, *two}):
                if one.get(name) != two.get(name):
                    yield f"{part}.{name} {one.get(name, 'none')} -> {two.get(name, 'none')}"
