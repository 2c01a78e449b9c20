"""One play of a change on a fork of the world. Up to where a new pod starts all plays are one: that is played once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kubesteward_policies.change import ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.engine import Pause
from kubesteward_tools.twin.identity import User
from kubesteward_tools.twin.kubelet.outlook import Fate, Outlook
from kubesteward_tools.twin.rehearsal import Admission
from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.twin.watcher import Watcher, ready_pods, top_controller
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

_TOO_MANY = 429
_PATIENCE = 3600.0
"""Virtual seconds that each call's consequences are given to come to an end."""


class Undecided:
    """Stops the play where the first pod starts: from there on it matters what is assumed of it."""

    def fate(self, pod: Object) -> Fate:
        raise Pause(pod["metadata"]["name"])


class Play:
    """`settled` is False once the cluster did not come to rest, in virtual time or in steps."""

    def __init__(  # noqa: PLR0917 - a change, and all that it is played with
        self,
        store: Store,
        calls: Sequence[ApiCall],
        outlook: Outlook,
        now: float,
        seed: int | str,
        user: User,
        kinds: tuple[ResourceType, ...] = (),
        *,
        paced: bool = False,
    ) -> None:
        fork = store.fork()
        own_names = f"rehearsal {seed}"  # a simulated cluster of the same seed must not have used them already
        self.cluster = SimulatedCluster.over(fork, now=now, seed=own_names, outlook=outlook, kinds=kinds)
        self.watcher = Watcher(store, fork, self.cluster.clock)
        self.answers: tuple[Admission, ...] = ()
        self.settled = True
        self._calls, self._user = calls, user
        self._made, self._asked_again = 0, False
        self._rests_by: float | None = None
        self._pace = Pace(self.cluster.store) if paced else None

    def run(self) -> bool:
        """Go on to the end; False when it stops before it, for want of an outlook."""
        try:
            self._finish_rest()
            while self._made < len(self._calls) and all(answer.allowed for answer in self.answers):
                self._make(self._calls[self._made])
                self._finish_rest()
        except Pause:
            return False
        self.cluster.engine.close()
        return True

    def decide(self, outlook: Outlook) -> None:
        """What is assumed from here on of pods that start."""
        self.cluster.assume(outlook)

    def fork(self) -> Play:
        """Another one that has come as far as this one."""
        twin = object.__new__(Play)
        vars(twin).update(vars(self))
        twin.cluster = self.cluster.fork()
        twin.watcher = self.watcher.fork(twin.cluster.store, twin.cluster.clock)
        twin._pace = self._pace.fork(twin.cluster.store) if self._pace else None
        return twin

    def _make(self, call: ApiCall) -> None:
        """Evictions are made at once, as drains make them; one that is refused is made again when the others are over.
        Paced ones are made one by one for each workload, and no more where one would not be replaced.
        Commands in containers touch no object.

        After anything else, after the last eviction and after a refusal, the cluster comes to rest.
        """
        if runs_command(call):
            self._made += 1
            return
        if self._pace and _evicts(call) and self._pace.holds(call):
            if self._pace.waited:
                self.answers += (_unreplaced(call),)
            self._pace.waited = not self._pace.waited
            self._rest()
            return
        if self._pace and _evicts(call):
            self._pace.go(call)
        request = Request(call.verb, call.path, dict(call.query), call.content_type, call.body, self._user)
        response = self.cluster.handle(request)
        refused = response.status == _TOO_MANY and _evicts(call)
        if refused and not self._asked_again and self.cluster.engine.next_due() is not None:
            self._asked_again = True
            self._rest()
            return
        self._made, self._asked_again = self._made + 1, False
        self.answers += (_admission(call, response),)
        following = self._calls[self._made : self._made + 1]
        if response.status >= 400 or not (_evicts(call) and _evicts(*following)):
            self._rest()

    def _rest(self) -> None:
        self._rests_by = self.cluster.clock.now + _PATIENCE

    def _finish_rest(self) -> None:
        if self._rests_by is None:
            return
        engine = self.cluster.engine
        try:
            rested = engine.settle(self._rests_by - self.cluster.clock.now)
        except RuntimeError:
            rested = False
        self.settled = rested and not engine.given_up and self.settled
        self._rests_by = None


class Pace:
    """Holds the next eviction of a workload back until the pod before it is replaced and ready. `waited` says that the
    cluster has come to rest meanwhile.
    """

    def __init__(self, store: Store) -> None:
        self.waited = False
        self._store = store
        self._ready: dict[Key, int] = {}

    def fork(self, store: Store) -> Pace:
        twin = Pace(store)
        twin.waited, twin._ready = self.waited, dict(self._ready)
        return twin

    def holds(self, call: ApiCall) -> bool:
        workload = self._workload(call)
        if workload is None or workload not in self._ready:
            return False
        wanted = ((self._store.get(workload) or {}).get("spec") or {}).get("replicas")
        before = self._ready[workload]
        return ready_pods(self._store, workload) < (min(before, wanted) if isinstance(wanted, int) else before)

    def go(self, call: ApiCall) -> None:
        self.waited = False
        workload = self._workload(call)
        if workload is not None:
            self._ready.setdefault(workload, ready_pods(self._store, workload))

    def _workload(self, call: ApiCall) -> Key | None:
        pod = self._store.get(Key("pods", call.target.namespace, call.target.name))
        found = top_controller(self._store, pod) if pod is not None else None
        return found[1] if found else None


def _unreplaced(call: ApiCall) -> Admission:
    message = "the pod of the same workload that is evicted before it would not be replaced: the change would stop here"
    return Admission(
        call=f"{call.verb} {call.path}", allowed=False, code=_TOO_MANY, reason="NotReplaced", message=message
    )


def _evicts(*calls: ApiCall) -> bool:
    return any(call.verb == "create" and call.path.endswith("/eviction") for call in calls)


def _admission(call: ApiCall, response: Response) -> Admission:
    refused = response.status >= 400
    return Admission(
        call=f"{call.verb} {call.path}",
        allowed=not refused,
        code=response.status,
        reason=response.body.get("reason", "") if refused else "",
        message=response.body.get("message", "") if refused else "",
        why=tuple(_budgets(response.body)) if refused else (),
        warnings=response.warnings,
    )


def _budgets(status: Object) -> Iterable[str]:
    """What an eviction's refusal says of the budget; its message does not name it."""
    for cause in (status.get("details") or {}).get("causes") or ():
        if cause.get("reason") == "DisruptionBudget":
            yield str(cause.get("message", ""))
