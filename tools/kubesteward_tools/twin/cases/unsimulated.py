"""What the twin cannot know of a case: one of these is enough not to call it safe."""

from __future__ import annotations

import json
from collections.abc import Iterator

from kubesteward_tools.twin.cases.agents import NOTE, NOTES
from kubesteward_tools.twin.cases.play import Play
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.findings.evidence import Evidence, Run
from kubesteward_tools.twin.route import parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.unknowns import unknowns
from kubesteward_tools.world.store import Key, Object

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")


def unsimulated(play: Play) -> list[str]:
    """Recordings are of a control plane alone: no controller of custom resources runs in them, and no other agents."""
    run = Run(play.cluster, play.watcher, play.settled)
    evidence = Evidence(play.origin, run, run, tuple(_targets(play)), ())
    rules = (_unserved, _unproven, _told)
    found = (text for rule in rules for text in rule(play))
    return list(dict.fromkeys([*unknowns(evidence, alone=True), *found]))


def _targets(play: Play) -> Iterator[Key]:
    """What the calls name that were let through: a refused one changes nothing."""
    refused = {item["path"] for item in play.responses if item["status"] >= 400}
    for step in play.case.steps:
        if step.path in refused or step.query.get("dryRun") or step.verb == "get" or step.is_drain:
            continue
        try:
            route = parse(step.path, play.cluster.api.kinds)
        except ApiError:
            continue
        yield Key(route.kind.resource, route.namespace, route.name)


def _unserved(play: Play) -> Iterator[str]:
    """Paths of kinds that the twin does not serve: what it answers there is no evidence."""
    for step in play.case.steps:
        try:
            parse(step.path, play.cluster.api.kinds)
        except ApiError:
            yield f"{step.path}: this kind is not simulated"


def _told(play: Play) -> Iterator[str]:
    """Orders to the agents of recorded nodes, other than those that `agents.py` knows."""
    for key in sorted(key for key, word in play.watcher.touched.items() if key.resource == "nodes" and word):
        old, new = (_notes(item) for item in (play.origin.get(key), play.cluster.store.get(key)))
        for note in sorted(item for item in {*old, *new} - {NOTE} if item.startswith(NOTES)):
            if old.get(note) != new.get(note):
                yield f"{key.name}: what the node makes of annotation {note!r} is not known"


def _notes(node: Object | None) -> dict[str, str]:
    return ((node or {}).get("metadata") or {}).get("annotations") or {}


def _unproven(play: Play) -> Iterator[str]:
    """Probes that ask running software something else than before: nobody knows what it answers."""
    for key, before, after in _rolled(play):
        if not _probes(after) <= _probes(before):
            yield f"{key.namespace}/{key.name}: whether its pods pass the new probe is not known before they run"
    for key in sorted(key for key, word in play.watcher.touched.items() if word == "created"):
        made = play.cluster.store.get(key)
        if made is not None and controller_of(made) is None and _asks_elsewhere(made):
            yield f"{key.namespace}/{key.name}: a probe asks a port that its container does not declare"


def _rolled(play: Play) -> Iterator[tuple[Key, Object, Object]]:
    """Workloads whose template is another now, as they were and are."""
    for key in sorted(play.watcher.seen):
        before, after = play.origin.get(key), play.cluster.store.get(key)
        if before is not None and after is not None and _template(before) != _template(after):
            yield key, before, after


def _template(obj: Object) -> Object:
    found = (obj.get("spec") or {}).get("template")
    return found if isinstance(found, dict) else {}


def _asks_elsewhere(made: Object) -> bool:
    """Containers that declare ports, and a probe that asks another."""
    for container in ((_template(made) or made).get("spec") or {}).get("containers") or ():
        known = {item.get(word) for item in container.get("ports") or () for word in ("containerPort", "name")}
        probes = [container.get(name) or {} for name in _PROBES]
        asked = {(probe.get(way) or {}).get("port") for probe in probes for way in ("httpGet", "tcpSocket")} - {None}
        if known and not asked <= known:
            return True
    return False


def _probes(workload: Object) -> set[str]:
    """What is asked of each container, as text."""
    containers = (_template(workload).get("spec") or {}).get("containers") or ()
    return {
        f"{container['name']} {name} {handler} {json.dumps(container[name][handler], sort_keys=True)}"
        for container in containers
        for name in _PROBES
        for handler in _HANDLERS
        if handler in (container.get(name) or {})
    }
