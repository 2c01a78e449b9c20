"""What is said when nothing is blamed: that all is well, or that the reason does not show, with what was ruled out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    at,
    count,
    is_ready,
    kind_of,
    listed,
    mapping,
    mappings,
    named,
    phase,
    seconds,
    waiting,
)
from kubesteward_tools.diagnosis.report import LONGEST, Finding, ref
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.usage import FULL
from kubesteward_tools.lookup.notes import everywhere
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.lookup.states import counts, restarts
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key, Object

_FINISHING = frozenset({"jobs.batch", "cronjobs.batch"})
"""Whose failed pods stay behind when another try succeeds."""


_STARTING = 180.0
"""Seconds that a pod may take to get ready."""
_WATCHED = 0.45
_LATELY = 3600.0
"""Seconds for which what somebody changed is news."""
_MOST = 3


def nothing(scene: Scene, cluster: str, candidates: Sequence[Candidate] = ()) -> Finding:
    """Healthy, or Inconclusive where something is not well. `candidates` were too weak to be blamed for it."""
    meant = sorted(scene.question.named or scene.question.hinted)
    owners = {scene.owner(key) for key in meant}
    owners |= {one for key in meant if key.resource == "services" for one in routing.workloads_behind(scene, key)}
    sick = [
        (key, pods)
        for key, pods, _ in scene.sick_pods
        if (not owners or key in owners)
        and key.resource not in _FINISHING
        and any(_is_down(scene, pod) for pod in pods)
    ]
    known = {key for key, _ in sick}
    sick += [(key, []) for key in sorted(owners - known) if _is_short(scene, key)]
    if sick:
        return _inconclusive(scene, sick, cluster)
    shown = _shown(scene, [key for key in meant if scene.exists(key)])
    logs = "no errors in the logs that were read" if scene.logs else "no log was read"
    pods = "failing pods" if scene.store.count("pods") else "pods at all"
    weak = tuple(_weak(scene, candidates))
    well = "" if weak else ": as far as that shows, it is running normally, without issues; nothing is wrong"
    hidden = f" {_hidden(scene)}" if scene.unseen else ""
    events = "warning events that still matter" if scene.warnings else "warning events"
    text = (
        f"Healthy: no problem found. {shown}There are no {pods}, no restarts that matter, no {events} "
        f"and {logs}{well}.{hidden}"
    )
    text = sentence(" ".join([text, *weak]), LONGEST)
    sure = 0.6 if scene.unseen else 0.8
    return Finding("Healthy", None, text, sure, evidence=looked_at(scene), against=(*weak, *_doubts(scene)))


def looked_at(scene: Scene) -> tuple[str, ...]:
    """How much a verdict rests on."""
    store, usage, past = scene.store, scene.usage, scene.past
    lines = len({place[:2] for place in scene.logs})
    found = [
        f"{count(store.count('pods'), 'pod')} on {count(store.count('nodes'), 'node')}",
        f"{count(sum(map(len, scene.warnings.values())), 'Warning event')} of the last 6 h",
        f"logs of {count(lines, 'pod')}" if lines else "no logs",
        f"metrics: {usage.source}, {len(usage.points)} series" if usage.source else "metrics not read",
        f"changes watched since {timestamp(past.begins)}" if past.begins is not None else "no changes watched",
    ]
    return tuple(found)


def _doubts(scene: Scene) -> Iterator[str]:
    if not scene.usage.source:
        yield f"metrics not read: {listed(scene.usage.unread, 2) or 'there are none'}"
    if scene.unseen:
        yield _hidden(scene)
    if not scene.logs:
        yield "no log was read: only containers in trouble, or those that are asked about, have theirs read"


def _hidden(scene: Scene) -> str:
    return f"Not seen, for they may not be listed: {listed(sorted(scene.unseen), 8)}."


def _weak(scene: Scene, candidates: Sequence[Candidate]) -> Iterator[str]:
    """What may be or become a fault, though none that one could be sure of: it is measured, new, or asked about."""
    found = [one for one in candidates if one.confidence >= _WATCHED and _is_worth_a_look(scene, one)]
    for one in sorted(found, key=lambda item: (-item.confidence, item.culprit))[:_MOST]:
        yield sentence(f"To be watched: {one.category}: {one.sentence}", 320)


def _is_worth_a_look(scene: Scene, one: Candidate) -> bool:
    if any("measured:" in line for line in one.evidence):
        return True
    if scene.past.written({one.culprit}, scene.now - _LATELY, scene.now):
        return True
    return bool(scene.question.named & {one.culprit, *one.suffers})


def _is_down(scene: Scene, pod: Object) -> bool:
    """Whether it does not do what it is there for; finished ones have done it, and new ones need their time."""
    return (
        phase(pod) != "Succeeded"
        and mapping(pod.get("status")).get("reason") != "Evicted"
        and not is_ready(pod)
        and not (_is_new(scene, pod) and _has_past(scene) and not restarts(pod))
    )


def _is_new(scene: Scene, obj: Object) -> bool:
    made = seconds(mapping(obj.get("metadata")).get("creationTimestamp"))
    return made is not None and scene.now - made < _STARTING


def _has_past(scene: Scene) -> bool:
    """Whether there is anything old, without which nobody could tell what is new."""
    return any(not _is_new(scene, node) for _, node in scene.all("nodes"))


def _is_short(scene: Scene, key: Key) -> bool:
    """Whether a workload has fewer pods than it wants, though nothing tells why."""
    status, wanted = mapping(scene.get(key).get("status")), at(scene.get(key), "spec").get("replicas")
    made = status.get("replicas", 0)
    return key.resource in SERVERS and type(wanted) is int and type(made) is int and bool(status) and made < wanted


def _inconclusive(scene: Scene, sick: Sequence[tuple[Key, list[Object]]], cluster: str) -> Finding:
    keys = [key for key, _ in sick]
    ruled_out, look_next = tuple(_ruled_out(scene, *sick[0])), tuple(_next(scene, *sick[0]))
    text = (
        f"INCONCLUSIVE: recommend human investigation. {listed(map(named, keys))} "
        f"{'is' if len(keys) == 1 else 'are'} not "
        "well, and none of the known causes shows in its state, events and logs: images, configuration, scheduling, "
        "volumes, quota, probes, memory, network and permissions were looked at. "
        f"Ruled out for {named(keys[0])}: {'; '.join(ruled_out) or 'nothing'}. Look next at: {'; '.join(look_next)}."
    )
    return Finding(
        "Inconclusive",
        ref(keys[0], cluster),
        sentence(text, LONGEST),
        0.3,
        evidence=looked_at(scene),
        against=tuple(_doubts(scene)),
        ruled_out=ruled_out,
        look_next=look_next,
    )


def _ruled_out(scene: Scene, workload: Key, pods: list[Object]) -> Iterator[str]:
    """Hypotheses that what was seen speaks against, each with what was seen."""
    pod = next((one for one in pods if _is_down(scene, one)), next(iter(pods), None))
    if pod is None:
        return
    key = Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"]["name"])
    statuses = mappings(mapping(pod.get("status")).get("containerStatuses"))
    if node := mapping(pod.get("spec")).get("nodeName"):
        yield f"scheduling (it is on {node})"
        well = [one for one, note in everywhere(scene.store, "nodes") if one.name == node and note.ready]
        yield from ["the node (it is ready)"] if well and not _alarmed(scene, str(node)) else []
    if statuses and all(one.get("imageID") or at(one, "state").get("running") for one in statuses):
        yield "images (all were pulled)"
    if statuses and not any(one.get("restartCount") for one in statuses):
        yield "crashes and memory kills (no restart)"
    if not any(waiting(one)[0].startswith("CreateContainer") for one in statuses):
        yield "configuration (nothing that it refers to is missing)"
    if not scene.warned(key):
        yield "whatever the kubelet, the scheduler and the controllers report (no Warning event)"
    if any(place[:2] == (key.namespace, key.name) for place in scene.logs) and not scene.signs(key):
        yield "errors that it logs (none in what was read)"
    use = scene.usage.of("memory", key, scene.get(key))
    if use is not None and use.limit and use.used < FULL * use.limit:
        yield f"a lack of memory (it uses {use.used / use.limit:.0%} of its limit)"


def _alarmed(scene: Scene, node: str) -> bool:
    return any(note.alarm for key, note in everywhere(scene.store, "nodes") if key.name == node)


def _next(scene: Scene, workload: Key, pods: list[Object]) -> Iterator[str]:
    """What a person would look at next: what was not read here, then what it depends on."""
    pod = next((one for one in pods if _is_down(scene, one)), next(iter(pods), None))
    if pod is None:
        yield f"what makes its pods: the events of {named(workload)} and of its ReplicaSets, older than were kept here"
        return
    space, name = pod["metadata"].get("namespace", ""), pod["metadata"]["name"]
    if not any(place[:2] == (space, name) for place in scene.logs):
        yield f"the log of pod {space}/{name}, also of its run before"
    yield f"its conditions and readiness gates (kubectl describe pod -n {space} {name})"
    calls = [edge.target for edge in sorted(scene.graph.edges(workload, {"calls"})) if edge.target != workload]
    if calls:
        yield f"what it calls: {listed(map(named, calls), 4)}"
    if not scene.usage.source:
        yield "what it uses of CPU and memory: metrics were not read"


def _shown(scene: Scene, keys: Sequence[Key]) -> str:
    parts = []
    for key in keys[:4]:
        obj = scene.get(key)
        if key.resource in {"deployments.apps", "statefulsets.apps", "daemonsets.apps"}:
            ready, wanted = counts(obj)
            parts.append(f"{named(key)} is healthy: {ready} of {count(wanted, 'replica')} ready.")
        else:
            parts.append(f"{kind_of(key.resource)} {key.name} is fine.")
    return " ".join(parts) + " " if parts else ""
