"""Nodes that are down or short of something, and the pods that they take with them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate, Category
from kubesteward_tools.diagnosis.reading import amount, at, condition, count, mapping, message_of, named, seconds, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.lookup.notes import everywhere
from kubesteward_tools.world.store import Key, Object

_PRESSURES = {
    "MemoryPressure": ("memory", "Free memory: lower what its pods use or request, move some, or add a node."),
    "DiskPressure": ("disk space", "Free disk space: remove unused images and logs, or enlarge the disk."),
    "PIDPressure": ("process IDs (PIDs)", "Find the pod that starts so many processes, or raise the limit."),
}
_LONG_AGO = 86_400.0
"""Seconds after which pods that a node has evicted tell nothing of its state now."""
_EVICTED = re.compile(r"low on resource: ([\w-]+)", re.I)
_FULL = {"FreeDiskSpaceFailed", "ImageGCFailed", "EvictionThresholdMet", "ContainerGCFailed"}


def analyse(scene: Scene) -> Iterator[Candidate]:
    down = set[str]()
    for key, note in everywhere(scene.store, "nodes"):
        if not note.ready:
            down.add(key.name)
            yield _down(scene, key, scene.get(key))
        if note.alarm:
            for kind in note.alarm.split(","):
                yield _pressure(scene, key, scene.get(key), kind)
        yield from _networkless(scene, key) if scene.warnings.get(key) else ()
    yield from _crowded(scene)
    yield from _evicted(scene)


def _down(scene: Scene, key: Key, node: Object) -> Candidate:
    found = condition(node, "Ready")
    pods = scene.store.pods_on(key.name)
    unknown = found.get("status") == "Unknown"
    why = message_of(found).rstrip(".") or (
        "the kubelet stopped posting node status" if unknown else "the kubelet is not ready"
    )
    sentence = (
        f"{named(key)} is NotReady "
        f"({'Unknown, ' if unknown else ''}{found.get('reason', 'no Ready condition')}): {why}. "
        f"{count(len(pods), 'pod')} there are affected: the node or its kubelet is down (not ready)."
    )
    owners = tuple(dict.fromkeys(scene.owner(pod) for pod in pods[:300]))
    fix = f"Look at the kubelet, the container runtime and the network of {key.name}; else drain and replace the node."
    evidence = (f"Ready={found.get('status')} {found.get('reason')}: {why}",)
    return Candidate(
        "NodeNotReady",
        key,
        sentence,
        0.97,
        evidence,
        fix=fix,
        since=seconds(found.get("lastTransitionTime")),
        suffers=(*pods[:300], *owners),
    )


def _pressure(scene: Scene, key: Key, node: Object, kind: str) -> Candidate:
    found = condition(node, kind)
    what, fix = _PRESSURES.get(kind, (kind, "Free it."))
    pods = scene.store.pods_on(key.name)
    evicted = [pod for pod in pods if at(scene.get(pod), "status").get("reason") == "Evicted"][:5]
    also = f" {count(len(evicted), 'pod')} were evicted." if evicted else ""
    sentence = (
        f"{named(key)} is under {kind}: it runs out of {what} ({found.get('reason')}: "
        f"{message_of(found)}).{also} New pods are kept away by the taint."
    )
    owners = tuple(dict.fromkeys(scene.owner(pod) for pod in pods[:300]))
    return Candidate(
        "NodePressure",
        key,
        sentence,
        0.95,
        (f"{kind}=True: {message_of(found)}",),
        fix=fix,
        since=seconds(found.get("lastTransitionTime")),
        suffers=(*pods[:300], *owners),
    )


def _networkless(scene: Scene, key: Key) -> Iterator[Candidate]:
    for item in scene.warnings.get(key, []):
        if item.reason in _FULL:
            sentence = f"{named(key)} runs out of disk space or another resource ({item.reason}): {item.message}."
            yield Candidate(
                "NodePressure",
                key,
                sentence,
                0.75,
                (item.message,),
                fix="Free disk space on the node.",
                since=item.first,
            )
            return


def _crowded(scene: Scene) -> Iterator[Candidate]:
    """Nodes with as many pods as they may have; a fault once somebody waits for a place."""
    waiting = [
        key
        for key, items in scene.warnings.items()
        for item in items
        if item.reason == "FailedScheduling" and "Too many pods" in item.message
    ]
    asked = scene.question.speaks_of("NodePressure")
    for key, _ in everywhere(scene.store, "nodes") if waiting or asked else ():
        most = amount(at(scene.get(key), "status", "allocatable").get("pods"))
        there = [
            pod
            for pod in scene.store.pods_on(key.name)
            if at(scene.get(pod), "status").get("phase") not in {"Succeeded", "Failed"}
        ]
        if most and len(there) >= most:
            sentence = (
                f"{named(key)} is full: it runs {len(there)} pods, and its pod capacity (allocatable pods, "
                f"max pods) is {most:g}: 100 %, too many pods. "
                f"{count(len(waiting), 'pod')} cannot be scheduled for it (Too many pods)."
            )
            fix = f"Add nodes, move pods off {key.name}, or raise the kubelet's maxPods (pods limit {most:g})."
            yield Candidate(
                "NodePressure",
                key,
                sentence,
                0.94 if waiting else 0.7,
                (f"allocatable pods {most:g}, running {len(there)}",),
                fix=fix,
                suffers=tuple({*waiting, *map(scene.owner, waiting)}),
            )


def _evicted(scene: Scene) -> Iterator[Candidate]:
    told = set[tuple[Key, str]]()
    for workload, pods, _ in scene.sick_pods:
        for pod in pods:
            status = mapping(pod.get("status"))
            if status.get("reason") != "Evicted":
                continue
            message, node = message_of(status), Key("nodes", "", text(at(pod, "spec").get("nodeName")))
            match = _EVICTED.search(message)
            if match and scene.exists(node) and (node, match[1]) not in told and not scene.question.named & {workload}:
                told.add((node, match[1]))
                made = seconds(pod["metadata"].get("creationTimestamp"))
                recent = made is None or scene.now - made < _LONG_AGO or bool(scene.warned(workload, "Evicted"))
                sentence = f"{named(node)} was low on {match[1]} and evicted pods of {named(workload)}: {message}."
                yield Candidate(
                    "NodePressure",
                    node,
                    sentence,
                    0.7 if recent else 0.45,
                    (message,),
                    fix=f"Give the pods {match[1]} requests and limits that fit, or the node more {match[1]}.",
                    suffers=(workload,),
                )
            elif (workload, "") not in told:
                told.add((workload, ""))
                sentence = f"pods of {named(workload)} were evicted from {named(node)}: {message}."
                kind: Category = "NodePressure" if match else "CrashLoop"
                yield Candidate(
                    kind,
                    node if match and scene.exists(node) else workload,
                    sentence,
                    0.7,
                    (message,),
                    fix="Raise the limit that it went over, or use less.",
                    suffers=(workload,),
                )
