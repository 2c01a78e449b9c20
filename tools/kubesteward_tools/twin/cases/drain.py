"""A drain as kubectl does it: cordon, look at what may go, evict it all, and ask again each second where refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kubesteward_policies.change import STRATEGIC_PATCH
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.world.store import Key, Object

_ASKED_AGAIN = 1.0
_PATIENCE = 9.0
"""Seconds without an eviction that passes, after which the drain is given up."""
_GONE, _TOO_MANY = 404, 429
_MIRROR = "kubernetes.io/config.mirror"

Ask = Callable[[Request], Response]


@dataclass
class Drain:
    """One drain. `answers` are (path, response, retried): of each refusal the first, of all else everything."""

    cluster: SimulatedCluster
    node: str
    options: dict[str, Any]
    user: User
    answers: list[tuple[str, Response, bool]] = field(default_factory=list)
    evicted: set[Key] = field(default_factory=set)
    refusals: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """What came of it; virtual time has gone on for as long as it took."""
        cordon = {"spec": {"unschedulable": True}}
        path = f"/api/v1/nodes/{self.node}"
        answer = self.cluster.handle(Request("patch", path, {}, STRATEGIC_PATCH, cordon, self.user))
        self.answers.append((path, answer, False))
        self._let_it_sink_in()
        wanted, errors = self._sorted_out()
        left = wanted if answer.status < 400 and not errors else []
        waiting = self._evict_all(left)
        done = answer.status < 400 and not errors and not waiting
        return {
            "node": self.node,
            "completed": done,
            "evicted": len(self.evicted),
            "refused": list(self.refusals.values()),
            "left": len(waiting) if not errors else len(wanted) + sum(map(len, errors.values())),
            "client_errors": [f"{what}: {', '.join(pods)}" for what, pods in sorted(errors.items())],
        }

    def _sorted_out(self) -> tuple[list[Key], dict[str, list[str]]]:
        """The pods to evict, and by sentence those because of which nothing is evicted at all."""
        wanted, errors = list[Key](), dict[str, list[str]]()
        for key in self.cluster.store.pods_on(self.node):
            pod = self.cluster.store.get(key)
            if pod is None or _MIRROR in (pod["metadata"].get("annotations") or {}):
                continue
            why = next(self._objections(pod), None)
            if why is None:
                wanted.append(key)
            elif why:
                errors.setdefault(why, []).append(f"{key.namespace}/{key.name}")
        return wanted, errors

    def _objections(self, pod: Object) -> Iterator[str]:
        """Why it is not evicted: "" when it just stays, else a sentence that ends the drain."""
        above = controller_of(pod)
        if is_terminal(pod):
            return
        if above is not None and above["kind"] == "DaemonSet":
            yield from self._of_daemon(pod, above["name"])
        has_scratch = any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())
        if has_scratch and not self.options.get("delete_emptydir_data"):
            yield "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
        if above is None and not self.options.get("force"):
            yield "cannot delete Pods that declare no controller (use --force to override)"

    def _of_daemon(self, pod: Object, owner: str) -> Iterator[str]:
        there = self.cluster.store.get(Key("daemonsets.apps", pod["metadata"]["namespace"], owner)) is not None
        if there and self.options.get("ignore_daemonsets"):
            yield ""
        elif there:
            yield "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
        elif not self.options.get("force"):
            yield "cannot delete Pods whose DaemonSet is not found (use --force to override)"

    def _evict_all(self, waiting: list[Key]) -> list[Key]:
        """Those that are left when there is no more hope."""
        clock, failed = self.cluster.clock, list[Key]()
        moved = clock.now
        while waiting and clock.now - moved < _PATIENCE:
            before = len(self.evicted)
            answers = [(key, self._evict(key)) for key in waiting]
            failed += [key for key, status in answers if status >= 400 and status not in {_GONE, _TOO_MANY}]
            waiting = [key for key, status in answers if status == _TOO_MANY]
            if len(self.evicted) > before:
                moved = clock.now
            self.cluster.engine.advance(clock.now + _ASKED_AGAIN)
        return waiting + failed

    def _evict(self, key: Key) -> int:
        path = f"/api/v1/namespaces/{key.namespace}/pods/{key.name}/eviction"
        metadata = {"name": key.name, "namespace": key.namespace}
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        answer = self.cluster.handle(Request("create", path, {}, "application/json", body, self.user))
        if answer.status < 400:
            self.evicted.add(key)
        if answer.status < 400 or self._is_news(key, answer):
            self.answers.append((path, answer, answer.status == _TOO_MANY))
        self._let_it_sink_in()
        return answer.status

    def _is_news(self, key: Key, answer: Response) -> bool:
        """Whether this pod was not refused with these words before; counts how often it was."""
        message = str(answer.body.get("message", ""))
        known = self.refusals.get((key.name, message))
        if known is not None:
            known["times"] += 1
            return False
        causes = (answer.body.get("details") or {}).get("causes") or []
        said = {"pod": key.name, "code": answer.status, "reason": answer.body.get("reason"), "message": message}
        self.refusals[key.name, message] = {**said, "causes": causes, "times": 1}
        return True

    def _let_it_sink_in(self) -> None:
        """Controllers are quicker than a client's next request."""
        self.cluster.engine.advance(self.cluster.clock.now)
