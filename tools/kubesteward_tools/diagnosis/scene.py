"""What all analysers look at: a world at one moment, its logs, and what somebody asked about it.

Nothing healthy is read without need, and of alike pods in trouble a few stand for all: a cluster of thousands is looked
through in the time that its sick objects take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kubesteward_tools.diagnosis import reading
from kubesteward_tools.diagnosis.logs import Cleared, Logs
from kubesteward_tools.diagnosis.past import Past
from kubesteward_tools.diagnosis.question import Question
from kubesteward_tools.diagnosis.signs import Sign, signs
from kubesteward_tools.diagnosis.usage import Usage
from kubesteward_tools.lookup.moments import event_times
from kubesteward_tools.lookup.notes import columns, everywhere
from kubesteward_tools.lookup.shown import cleared
from kubesteward_tools.world.graph import Connection, Graph
from kubesteward_tools.world.relations.reading import label_selector
from kubesteward_tools.world.relations.references import group_of, resource_of
from kubesteward_tools.world.store import Key, Object, Store

WORKLOADS = ("deployments.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch")
SERVERS = ("deployments.apps", "statefulsets.apps", "daemonsets.apps")
_OWNED = frozenset({"pods", "replicasets.apps", "jobs.batch"})
_READ_OF_ONE = 4
"""Pods of one owner in one state that are read."""
_RECENT = 6 * 3600.0
_ADDRESSED = 3000
_GIVEN = frozenset({"kube-root-ca.crt", "default"})


@dataclass(frozen=True)
class Ailing:
    """One container of a workload that is not well. `pods` are alike, `pod` and `status` are those of one of them."""

    workload: Key
    pod: Object
    container: Object
    status: Object
    init: bool
    pods: int
    restarts: int

    @property
    def name(self) -> str:
        return str(self.container.get("name") or self.status.get("name") or "")

    @property
    def pod_key(self) -> Key:
        metadata = self.pod["metadata"]
        return Key("pods", metadata.get("namespace", ""), metadata["name"])


@dataclass(frozen=True)
class Warned:
    """One Warning event: what it is about, and how often and when it was seen last."""

    about: Key
    reason: str
    message: str
    count: int
    first: float
    last: float


class Scene:
    """`logs` holds what could be read of them, `graph` the relations of `store`, `now` is in epoch seconds.

    `usage` is what was measured and `past` what changed, both empty where nobody measured or watched.
    """

    def __init__(
        self, store: Store, graph: Graph, now: float, logs: Logs | None = None, question: Question | None = None
    ) -> None:
        self.store = store
        self.graph = graph
        self.now = now
        self.logs = logs or {}
        self.question = question or Question()
        self.usage = Usage()
        self.past = Past()
        self.unseen: tuple[str, ...] = ()
        """Kinds that could not be looked at, for they may not be listed."""
        self._objects: dict[Key, Object] = {}
        self._owners: dict[str, Key] = {}
        self._signs: dict[Key, list[Sign]] = {}

    @property
    def logs(self) -> Logs:
        """What could be read of them, without secrets."""
        return self._logs

    @logs.setter
    def logs(self, read: Logs) -> None:
        self._logs = Cleared(read)

    def get(self, key: Key) -> Object:
        """The object, {} where there is none."""
        found = self._objects.get(key)
        if found is None:
            found = self._objects[key] = self.store.get(key) or {}
        return found

    def exists(self, key: Key) -> bool:
        return self.store.facts(key) is not None

    def missing(self, key: Key) -> bool:
        """Whether it is not there although it would have been seen."""
        return self.graph.is_missing(key)

    def sees(self, resource: str, namespace: str = "") -> bool:
        """Whether what is not in the store is not in the cluster either."""
        return self.graph.is_missing(Key(resource, namespace, ""))

    def all(self, resource: str, namespace: str | None = None) -> Iterator[tuple[Key, Object]]:
        for key in self.store.keys(resource, namespace):
            yield key, self.get(key)

    def key_of(self, reference: Mapping[str, Any], namespace: str = "") -> Key:
        """Of an involvedObject, a targetRef or an ownerReference; a missing apiVersion is guessed by the kind."""
        group, kind = group_of(str(reference.get("apiVersion") or "")), str(reference.get("kind") or "")
        resource = resource_of(group, kind, _unknown)
        if not reference.get("apiVersion") and kind in _BY_KIND:
            resource = _BY_KIND[kind]
        space = "" if resource == "nodes" else str(reference.get("namespace") or namespace)
        return Key(resource, space, str(reference.get("name") or ""))

    def owner(self, key: Key) -> Key:
        """The topmost controller of a pod, ReplicaSet or Job; the object itself where nothing owns it."""
        for _ in range(4):
            facts = self.store.facts(key) if key.resource in _OWNED else None
            if facts is None or not facts.owners:
                return key
            above = self._owners.get(facts.owners[0])
            if above is None:
                above = self._owners[facts.owners[0]] = self._controller(key)
            if above == key:
                return key
            key = above
        return key

    def _controller(self, key: Key) -> Key:
        """Also one that was not saved with its pods, so that alike pods stay together; a static pod's Node is none."""
        references = reading.mappings(reading.mapping(self.get(key).get("metadata")).get("ownerReferences"))
        chosen = next((item for item in references if item.get("controller")), references[0] if references else None)
        return self.key_of(chosen, key.namespace) if chosen and chosen.get("kind") != "Node" else key

    @cached_property
    def sick_pods(self) -> list[tuple[Key, list[Object], int]]:
        """Workload (or bare pod), some of its pods that are not ready or have restarted, and how many those are."""
        groups: dict[tuple[Key, str], list[Key]] = {}
        for space in self.store.spaces("pods"):
            there = columns(self.store, "pods", space)
            for name, note in zip(there.names, there.notes, strict=True):
                if note.ready is False or note.restarts:
                    key = Key("pods", space, name)
                    groups.setdefault((self.owner(key), note.word), []).append(key)
        found: dict[Key, tuple[list[Object], int]] = {}
        for (owner, _), keys in groups.items():
            pods, number = found.get(owner, ([], 0))
            pods += [self.get(key) for key in keys[:_READ_OF_ONE]]
            found[owner] = pods, number + len(keys)
        return [(owner, pods, number) for owner, (pods, number) in sorted(found.items())]

    @cached_property
    def ailing(self) -> list[Ailing]:
        """Every container that waits, has failed or was restarted, one for each workload and name, the worst."""
        found: dict[tuple[Key, str], Ailing] = {}
        for owner, pods, number in self.sick_pods:
            for pod in pods:
                for item in _ailing(owner, pod, number):
                    known = found.get((owner, item.name))
                    if known is None or self._tells_more(item, known):
                        found[owner, item.name] = item
        return list(found.values())

    def _tells_more(self, item: Ailing, known: Ailing) -> bool:
        """Of two pods in the same state the one whose log could be read; else the one that was restarted more often."""
        rank, restarts = _worse(item.status) or (0, 0)
        rank_known, restarts_known = _worse(known.status) or (0, 0)
        has, had = (bool(self.log(one.pod_key, one.name)) for one in (item, known))
        return (rank, has, restarts) > (rank_known, had, restarts_known)

    @cached_property
    def warnings(self) -> dict[Key, list[Warned]]:
        """Warning events by what they are about, of the last hours, the newest first."""
        found: dict[Key, list[Warned]] = {}
        for resource in ("events", "events.events.k8s.io"):
            for key, note in everywhere(self.store, resource):
                if note.word == "Warning":
                    one = self.event(self.get(key))
                    if self.now - one.last <= _RECENT:
                        found.setdefault(one.about, []).append(one)
        for items in found.values():
            items.sort(key=lambda item: -item.last)
        return found

    def event(self, event: Object) -> Warned:
        """What an event tells; one without a time is of now."""
        about = reading.mapping(event.get("involvedObject") or event.get("regarding"))
        times = list(event_times(event)) or [self.now]
        message = cleared(reading.text(event.get("message") or event.get("note")))
        count = reading.number(event.get("count") or reading.mapping(event.get("series")).get("count")) or 1
        space = reading.text(reading.mapping(event.get("metadata")).get("namespace"))
        reason = cleared(reading.text(event.get("reason")))
        return Warned(self.key_of(about, space), reason, message, count, min(times), max(times))

    @cached_property
    def warned_workloads(self) -> dict[Key, list[Warned]]:
        """The same by the workload on top of it."""
        found: dict[Key, list[Warned]] = {}
        for key, items in self.warnings.items():
            found.setdefault(self.owner(key), []).extend(items)
        return found

    def warned(self, key: Key, *reasons: str) -> list[Warned]:
        """Warnings about the object or what it owns, of these reasons (any)."""
        found = self.warned_workloads.get(self.owner(key), [])
        return [item for item in found if not reasons or item.reason in reasons]

    def pods(self, workload: Key, most: int = _READ_OF_ONE) -> list[Object]:
        """Some of its pods."""
        return [self.get(key) for key in self.pod_keys(workload)[:most]]

    def pod_keys(self, workload: Key) -> Sequence[Key]:
        if workload.resource == "pods":
            return [workload]
        facts = self.store.facts(workload)
        found = list[Key]()
        for child in self.store.owned_by(facts.uid) if facts and facts.uid else ():
            found += [child] if child.resource == "pods" else self.pod_keys(child)
        return found

    def workloads(self, namespace: str | None = None) -> Iterator[tuple[Key, Object]]:
        """Whatever describes pods and is described by nothing else; bare pods too."""
        for resource in WORKLOADS:
            for key, obj in self.all(resource, namespace):
                if resource != "jobs.batch" or self.owner(key) == key:
                    yield key, obj
        for space in self.store.spaces("pods") if namespace is None else [namespace]:
            there = self.store.columns("pods", space)
            for name, facts in zip(there.names, there.facts, strict=True):
                if not facts.owners:
                    key = Key("pods", space, name)
                    yield key, self.get(key)

    def spec(self, workload: Key) -> Object:
        """The PodSpec that it describes."""
        return reading.template_spec(workload, self.get(workload))

    def labels(self, workload: Key) -> dict[str, str]:
        return reading.template_labels(workload, self.get(workload))

    def selected(self, resource: str, namespace: str, selector: object) -> Sequence[Key]:
        """What a LabelSelector matches; nothing where it cannot be read as one."""
        found = label_selector(selector)
        return self.store.selected(resource, namespace, found) if found is not None else ()

    def dangling(self, resource: str, *relations: str) -> Iterator[Connection]:
        """Edges to objects of a resource that are not there; without those that every pod has by itself."""
        for key in self.graph.absent(resource):
            if key.name not in _GIVEN:
                yield from sorted(edge for edge in self.graph.edges(key, relations) if edge.target == key)

    @cached_property
    def templates(self) -> dict[str, list[tuple[Key, dict[str, str]]]]:
        """By namespace, workloads that serve and bare pods, each with the labels of its pods."""
        found: dict[str, list[tuple[Key, dict[str, str]]]] = {}
        for key, _ in self.workloads():
            if key.resource in SERVERS or key.resource == "pods":
                found.setdefault(key.namespace, []).append((key, self.labels(key)))
        return found

    @cached_property
    def addresses(self) -> dict[str, Key]:
        """Pods by their IP; of a large cluster none, for each pod would have to be read."""
        if self.store.count("pods") > _ADDRESSED:
            return {}
        found = ((reading.text(reading.at(pod, "status").get("podIP")), key) for key, pod in self.all("pods"))
        return {address: key for address, key in found if address}

    def log(self, pod: Key, container: str) -> str:
        return self.logs.get((pod.namespace, pod.name, container), "")

    def signs(self, pod: Key, container: str = "") -> list[Sign]:
        """What the logs of a pod (or of one of its containers) tell, the most telling first."""
        place = Key(pod.namespace, pod.name, container)
        if place not in self._signs:
            texts = [
                text
                for (space, name, own), text in self.logs.items()
                if (space, name) == (pod.namespace, pod.name) and container in {"", own}
            ]
            self._signs[place] = signs("\n".join(texts))
        return self._signs[place]

    @cached_property
    def spoken(self) -> dict[Key, list[tuple[Key, str, Sign]]]:
        """By workload, what the logs of its pods tell: pod, container and sign, one of each kind and peer."""
        found: dict[Key, list[tuple[Key, str, Sign]]] = {}
        for space, name, container in self.logs:
            pod = Key("pods", space, name)
            if self.exists(pod):
                said = found.setdefault(self.owner(pod), [])
                known = {(sign.kind, sign.peer) for _, _, sign in said}
                said += [
                    (pod, container, item) for item in self.signs(pod, container) if (item.kind, item.peer) not in known
                ]
        return found


def _unknown(_group: str, _kind: str) -> None:
    return None


_BY_KIND = {
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling",
    "PodDisruptionBudget": "poddisruptionbudgets.policy",
    "Ingress": "ingresses.networking.k8s.io",
}


def _ailing(owner: Key, pod: Object, number: int) -> Iterator[Ailing]:
    spec, status = reading.mapping(pod.get("spec")), reading.mapping(pod.get("status"))
    for field, init in (("initContainerStatuses", True), ("containerStatuses", False)):
        for item in reading.mappings(status.get(field)):
            if _worse(item) is not None:
                found = reading.container(spec, reading.text(item.get("name")))
                yield Ailing(owner, pod, found, item, init, number, int(item.get("restartCount") or 0))


def _worse(status: Object) -> tuple[int, int] | None:
    """How badly off a container is, None where it is well."""
    reason, _ = reading.waiting(status)
    end = reading.ended(status)
    failed = bool(end) and (bool(end.get("exitCode")) or end.get("reason") not in {"Completed", None})
    restarts = int(status.get("restartCount") or 0)
    rank = 3 if reason not in {"", "PodInitializing", "ContainerCreating"} else 2 if failed else 1 if restarts else 0
    running = bool(reading.at(status, "state", "running")) and not status.get("ready")
    return (rank, restarts) if rank or running else None
