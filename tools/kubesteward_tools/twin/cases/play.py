"""Plays a case on a simulated cluster, step by step, and collects what is seen on the way."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from kubesteward_tools.twin.cases.agents import Agents
from kubesteward_tools.twin.cases.case import Case, Step
from kubesteward_tools.twin.cases.drain import Drain
from kubesteward_tools.twin.cases.outcome import Outcome
from kubesteward_tools.twin.cases.snapshot import Snapshot, title
from kubesteward_tools.twin.cases.workloads import Happening
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.kubelet.outlook import Declared
from kubesteward_tools.twin.route import Response, parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.watcher import Watcher
from kubesteward_tools.world.store import Key, Object, Store

_SHOWN = ("kind", "apiVersion", "metadata", "status", "code", "reason", "message")


@dataclass
class Play:
    """One case under way. `settled` is False when the cluster did not come to rest after some step."""

    case: Case
    origin: Store
    cluster: SimulatedCluster
    watcher: Watcher
    responses: list[dict[str, Any]] = field(default_factory=list)
    drains: list[dict[str, Any]] = field(default_factory=list)
    settled: bool = True

    @classmethod
    def of(cls, case: Case) -> Play:
        """What images do is taken from their names and from the pods' annotations (`kubelet/outlook.py`)."""
        origin = case.store()
        fork = origin.fork()
        cluster = SimulatedCluster.over(fork, now=case.now, seed=f"case {case.id}", outlook=Declared())
        cluster.engine.use([Agents(cluster.engine)])
        return cls(case, origin, cluster, Watcher(origin, fork, cluster.clock))

    def run(self) -> Outcome:
        """Evictions that follow each other were made at once; before anything else the cluster comes to rest."""
        for step, following in zip_longest(self.case.steps, self.case.steps[1:]):
            self._make(step)
            if step.is_eviction and following is not None and following.is_eviction and self._is_there(following):
                self.cluster.engine.advance(self.cluster.clock.now)
            else:
                self._settle()
        self.cluster.engine.close()
        return self._outcome()

    def _make(self, step: Step) -> None:
        if step.is_drain:
            options = step.body if isinstance(step.body, dict) else {}
            drain = Drain(self.cluster, step.path.rpartition("/")[2], options, step.user)
            self.drains.append(drain.run())
            self.responses += [_answer(path, answer, retried=again) for path, answer, again in drain.answers]
        else:
            path = self._renamed(step.path)
            answer = self.cluster.handle(replace(step.request(), path=path, body=_addressed(step, path)))
            self.responses.append(_answer(step.path, answer))

    def _is_there(self, step: Step) -> bool:
        """Whether the pod of an eviction is one of those that there were: others have to come first."""
        pod = _pod_of(step.path)
        return pod is None or self.origin.get(pod) is not None

    def _renamed(self, path: str) -> str:
        """Names that the cluster makes up differ from run to run: the oldest new pod of that kind is meant."""
        named = _pod_of(path)
        if named is None or self.cluster.store.get(named) is not None or self.origin.get(named) is not None:
            return path
        stem, taken = named.name.rpartition("-")[0], {_pod_of(item["path"]) for item in self.responses}
        new = [
            (pod["metadata"]["creationTimestamp"], key.name)
            for key, pod in self.cluster.store.items("pods", named.namespace)
            if key.name.rpartition("-")[0] == stem and self.origin.get(key) is None and key not in taken
        ]
        return path.replace(f"/pods/{named.name}", f"/pods/{min(new)[1]}") if new else path

    def _settle(self) -> None:
        try:
            self.settled = self.cluster.engine.settle() and self.settled
        except RuntimeError:  # controllers that undo each other's work without end
            self.settled = False

    def _outcome(self) -> Outcome:
        store, watcher = self.cluster.store, self.watcher
        return Outcome(
            before=Snapshot(self.case.before),
            after=Snapshot(
                obj for kind in store.resources() if kind != "events" for obj in store.objects(kind) if "kind" in obj
            ),
            responses=tuple(self.responses),
            drains=tuple(self.drains),
            happenings=tuple(_happening(event) for event in store.objects("events")),
            fewest_endpoints={
                f"{key.namespace}/Service/{key.name}": count
                for key, count in watcher.lowest.items()
                if key.resource == "services"
            },
            fewest_healthy={_budget(key): count for key, count in watcher.budget_lowest.items()},
        )


def _addressed(step: Step, path: str) -> Any:
    """An eviction names its pod twice."""
    named, meant = _pod_of(path), _pod_of(step.path)
    metadata = step.body.get("metadata") if isinstance(step.body, dict) else None
    if path == step.path or not isinstance(metadata, dict) or named is None or meant is None:
        return step.body
    if metadata.get("name") != meant.name:
        return step.body
    return {**step.body, "metadata": {**metadata, "name": named.name}}


def _pod_of(path: str) -> Key | None:
    try:
        route = parse(path)
    except ApiError:
        return None
    named = route.kind.resource == "pods" and route.name
    return Key("pods", route.namespace, route.name) if named else None


def _budget(key: Key) -> str:
    return title({"kind": "PodDisruptionBudget", "metadata": {"namespace": key.namespace, "name": key.name}})


def _answer(path: str, response: Response, *, retried: bool = False) -> dict[str, Any]:
    body, refused = response.body, response.status >= 400
    found: dict[str, Any] = {
        "status": response.status,
        "reason": (body.get("reason") or None) if refused else None,
        "message": body.get("message") if refused else None,
        "path": path,
    }
    details = (body.get("details") or {}) if refused else {}
    if causes := details.get("causes"):
        found["causes"] = causes
    if details.get("retryAfterSeconds"):
        found["retry_after"] = details["retryAfterSeconds"]
    if response.warnings:
        found["warnings"] = list(response.warnings)
    if retried:
        found["retried"] = True
    return {**found, "body_trimmed": {key: body[key] for key in _SHOWN if key in body}}


def _happening(event: Object) -> Happening:
    about = event.get("involvedObject") or event.get("regarding") or {}
    kind, namespace, name = (about.get(part, "") for part in ("kind", "namespace", "name"))
    return Happening(event.get("reason", ""), kind, namespace, name, event.get("message", ""))
