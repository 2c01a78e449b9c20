"""Pods that no node takes: the scheduler's reasons, and the fields and nodes behind each of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    amount,
    at,
    condition,
    count,
    every,
    listed,
    mapping,
    mappings,
    message_of,
    named,
    pairs,
    phase,
    requests,
    seconds,
    text,
)
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_VOLUMES = re.compile(
    r"persistentvolumeclaim|PersistentVolumeClaim|volume node affinity|persistent volume|find available persistent"
)
_COUNTED = re.compile(r"(?<!\d)(\d+) (Insufficient [\w./-]+|Too many pods|node\(s\)[^,.{]*(?:\{[^}]*\})?[^,.]*)")

_Explain = Callable[[Scene, Key, Object], tuple[str, str]]


def analyse(scene: Scene) -> Iterator[Candidate]:
    for workload, pods, number in scene.sick_pods:
        waiting = [pod for pod in pods if _waits(pod)]
        if waiting:
            found = _candidate(scene, workload, waiting[0], number)
            if found is not None:
                yield found


def _waits(pod: Object) -> bool:
    placed = condition(pod, "PodScheduled").get("status") == "True" or at(pod, "spec").get("nodeName")
    return phase(pod) in {"Pending", ""} and (not placed or _nowhere(pod))


def _nowhere(pod: Object) -> bool:
    return (
        bool(at(pod, "spec").get("nodeName"))
        and not at(pod, "status").get("containerStatuses")
        and not at(pod, "status").get("startTime")
    )


def _message(scene: Scene, pod: Object) -> str:
    key = Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"]["name"])
    told = [one.message for one in scene.warnings.get(key, []) if one.reason == "FailedScheduling"]
    return message_of(condition(pod, "PodScheduled")) or (told[0] if told else "")


def _candidate(scene: Scene, workload: Key, pod: Object, number: int) -> Candidate | None:
    message, spec = _message(scene, pod), mapping(pod.get("spec"))
    head = message.partition(" preemption:")[0]
    if _VOLUMES.search(head) and "Insufficient" not in head:
        return None
    why, fix, sure = _reasons(scene, workload, spec, head)
    if not why:
        return None
    sentence = f"{count(number, 'pod')} of {named(workload)} cannot be scheduled (Pending, Unschedulable): {why}."
    since = seconds(condition(pod, "PodScheduled").get("lastTransitionTime")) or seconds(
        pod["metadata"].get("creationTimestamp")
    )
    pod_key = Key("pods", pod["metadata"].get("namespace", ""), pod["metadata"]["name"])
    return Candidate(
        "Pending",
        workload,
        sentence,
        sure,
        (message,) if message else (),
        fix=fix,
        since=since,
        suffers=(pod_key,),
        needs=_nodes_in_trouble(scene, head) if head else _schedulers(scene),
    )


def _schedulers(scene: Scene) -> tuple[Key, ...]:
    """The pods of the scheduler, whose silence is explained by what is wrong with them."""
    return tuple(key for key in scene.store.keys("pods", "kube-system") if key.name.startswith("kube-scheduler"))


def _nodes_in_trouble(scene: Scene, message: str) -> tuple[Key, ...]:
    if not re.search(r"node.kubernetes.io/(?:not-ready|unreachable|\w+-pressure)|unschedulable|Too many pods", message):
        return ()
    return tuple(
        key
        for key, node in scene.all("nodes")
        if condition(node, "Ready").get("status") != "True" or mappings(at(node, "spec").get("taints"))
    )


def _reasons(scene: Scene, workload: Key, spec: Object, message: str) -> tuple[str, str, float]:
    """In words, what to do, and how sure it is that this is the cause."""
    told = [reason for _, reason in _COUNTED.findall(message)]
    relevant = [reason for reason in told if "untolerated taint {node-role.kubernetes.io/" not in reason]
    parts = list[tuple[str, str]]()
    for pattern, explain in _EXPLAINED:
        chosen = [reason for reason in (relevant or told) if re.search(pattern, reason)]
        if chosen or (not told and re.search(pattern, message)):
            why, fix = explain(scene, workload, spec)
            parts.append((why or chosen[0], fix))
    if parts:
        full = bool(relevant) and all(reason == "Too many pods" for reason in relevant)
        return (
            "; ".join(why for why, _ in parts),
            " ".join(dict.fromkeys(fix for _, fix in parts)),
            0.6 if full else 0.93,
        )
    if message:
        return message[:300], "Change what the pod asks for, or add a node that fits.", 0.9
    return _silent(scene, spec)


def _silent(scene: Scene, spec: Object) -> tuple[str, str, float]:
    """The scheduler has said nothing about it."""
    name = text(spec.get("nodeName"))
    if name and not scene.exists(Key("nodes", "", name)):
        return (
            f"spec.nodeName is {name!r}, a node that does not exist (not found)",
            "Remove nodeName or name a node that is there.",
            0.9,
        )
    if gates := mappings(spec.get("schedulingGates")):
        return f"it is held by scheduling gates {listed(gate.get('name') for gate in gates)}", "Remove the gates.", 0.8
    scheduler = text(spec.get("schedulerName"))
    if scheduler and scheduler != "default-scheduler":
        return (
            f"its schedulerName is {scheduler!r} and no such scheduler places it (no scheduler of that name "
            "is running)",
            "Use default-scheduler, or run that scheduler.",
            0.85,
        )
    if not name and not scene.store.count("nodes"):
        return "", "", 0.0
    return (
        ("no scheduler has looked at it (kube-scheduler may be down)", "Look whether kube-scheduler runs.", 0.65)
        if not name
        else ("", "", 0.0)
    )


def _short(what: str) -> _Explain:
    def explain(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
        asked = sum(amount(requests(item, what)) for item in mappings(spec.get("containers")))
        shown = listed(requests(item, what) for item in every(spec) if requests(item, what))
        largest = max(
            (
                (
                    amount(at(node, "status", "allocatable").get(what)),
                    key.name,
                    at(node, "status", "allocatable").get(what),
                )
                for key, node in scene.all("nodes")
            ),
            default=(0.0, "", "0"),
        )
        never = asked > largest[0]
        size = (
            f"the largest node has {largest[2] or 0} allocatable"
            if largest[2] is not None
            else f"no node offers {what}"
        )
        big = (
            "too big for any node: it exceeds what every node has" if never else "the nodes have not enough left of it"
        )
        return (
            f"Insufficient {what}: it requests {what} {shown or 'more than is free'}, {big} ({size})",
            f"Lower resources.requests.{what} (now {shown}), or add a node with enough {what}.",
        )

    return explain


def _extended(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    names = {
        name
        for item in every(spec)
        for name in {**at(item, "resources", "limits"), **at(item, "resources", "requests")}
        if name not in {"cpu", "memory", "ephemeral-storage"}
    }
    shown = listed(
        f"{name}: {requests(item, name) or at(item, 'resources', 'limits').get(name)}"
        for item in every(spec)
        for name in sorted(names)
        if name in {**at(item, "resources", "limits"), **at(item, "resources", "requests")}
    )
    return (
        f"Insufficient {listed(sorted(names)) or 'resources'}: it asks for {shown} (such as a GPU), which "
        "no node offers or has free",
        "Add a node (or the device plugin) that offers it, or drop the request.",
    )


def _selector(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    wanted = mapping(spec.get("nodeSelector"))
    labels = [mapping(node["metadata"].get("labels")) for _, node in scene.all("nodes") if node]
    if wanted:
        lacking = {
            name: value for name, value in wanted.items() if not any(found.get(name) == value for found in labels)
        }
        values = listed(f"{name}={found[name]}" for name in lacking for found in labels if name in found)
        there = f"; there is only {values}" if values else ""
        shown = pairs(lacking or wanted)
        return (
            f"no node matches its node selector (nodeSelector) {shown}: no node has this node label{there}",
            f"Label a node with {shown}, or remove or correct the nodeSelector.",
        )
    terms = mappings(
        at(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution").get("nodeSelectorTerms")
    )
    shown = listed(
        f"{one.get('key')} {one.get('operator')} {one.get('values', '')}"
        for term in terms
        for one in [*mappings(term.get("matchExpressions")), *mappings(term.get("matchFields"))]
    )
    return (
        f"no node matches its required node affinity (nodeAffinity: {shown}): no node has such a label",
        "Label a node so, or correct the nodeAffinity.",
    )


def _taint(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    taints = [
        f"{key.name} {one.get('key')}={one.get('value', '')}:{one.get('effect')}"
        for key, node in scene.all("nodes")
        for one in mappings(at(node, "spec").get("taints"))
        if not str(one.get("key")).startswith("node-role.kubernetes.io/")
    ]
    taints = taints or [
        f"{key.name} {one.get('key')}:{one.get('effect')}"
        for key, node in scene.all("nodes")
        for one in mappings(at(node, "spec").get("taints"))
    ]
    has = mappings(spec.get("tolerations"))
    own = listed(
        f"{one.get('key', '*')} {one.get('operator', 'Equal')} {one.get('value', '')}".strip()
        for one in has
        if not str(one.get("key")).startswith("node.kubernetes.io/")
    )
    return (
        f"the nodes have taints that it does not tolerate (untolerated taint: {listed(taints)}); its "
        f"tolerations: {own or 'none'}",
        "Add a matching toleration to the pod, or remove the taint from a node.",
    )


def _ports(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    wanted = listed(
        port["hostPort"] for item in every(spec) for port in mappings(item.get("ports")) if port.get("hostPort")
    )
    return (
        f"its hostPort {wanted} is taken on every node that would fit (didn't have free ports for the "
        "requested pod ports: port conflict)",
        "Use a Service instead of hostPort, or fewer replicas than nodes.",
    )


def selected(term: Object) -> str:
    """The label selector of an affinity term in words."""
    labels = pairs(at(term, "labelSelector", "matchLabels"))
    expressions = [
        f"{one.get('key')} {one.get('operator')} {listed(one.get('values') or ())}".strip()
        for one in mappings(at(term, "labelSelector").get("matchExpressions"))
    ]
    return ", ".join(filter(None, [labels, *expressions]))


def _anti(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    rules = at(spec, "affinity", "podAntiAffinity")
    terms = mappings(rules.get("requiredDuringSchedulingIgnoredDuringExecution"))
    shown = listed(f"{selected(term)} per {term.get('topologyKey')}" for term in terms)
    nodes = scene.store.count("nodes")
    return (
        f"its required pod anti-affinity (podAntiAffinity {shown}) forbids another such pod on each of the "
        f"nodes; {count(nodes, 'node')} for more replicas than that",
        "Use preferred anti-affinity, fewer replicas, or more nodes.",
    )


def _affinity(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    terms = mappings(at(spec, "affinity", "podAffinity").get("requiredDuringSchedulingIgnoredDuringExecution"))
    shown = listed(f"{selected(term)} per {term.get('topologyKey')}" for term in terms)
    return (
        f"its required pod affinity (podAffinity) wants to be beside pods with labels {shown}, and no node "
        "that fits runs one",
        "Correct the labels of the podAffinity, or start those pods first.",
    )


def _spread(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    shown = listed(
        f"{one.get('topologyKey')} maxSkew {one.get('maxSkew')}"
        for one in mappings(spec.get("topologySpreadConstraints"))
    )
    return (
        f"its topology spread constraints ({shown}, DoNotSchedule) leave no node",
        "Use ScheduleAnyway, or label or add nodes in the missing zones.",
    )


def _cordoned(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    names = [key.name for key, node in scene.all("nodes") if at(node, "spec").get("unschedulable")]
    return (
        f"nodes are cordoned (node(s) were unschedulable: {listed(names)})",
        f"Uncordon {listed(names)} (kubectl uncordon).",
    )


def _full(scene: Scene, workload: Key, spec: Object) -> tuple[str, str]:
    return (
        "Too many pods: the nodes that would fit run as many pods as their pod capacity allows",
        "Add a node, or raise the kubelet's maxPods.",
    )


_EXPLAINED: tuple[tuple[str, _Explain], ...] = (
    (r"Insufficient cpu", _short("cpu")),
    (r"Insufficient memory", _short("memory")),
    (r"Insufficient ephemeral-storage", _short("ephemeral-storage")),
    (r"Insufficient (?!cpu|memory|ephemeral)", _extended),
    (r"node affinity/selector|node selector|didn't match node", _selector),
    (r"untolerated taint|had taint", _taint),
    (r"free ports", _ports),
    (r"anti-affinity", _anti),
    (r"pod affinity rules", _affinity),
    (r"topology spread", _spread),
    (r"unschedulable", _cordoned),
    (r"Too many pods", _full),
)
