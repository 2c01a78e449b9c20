"""Evictions one by one: the next pod of a workload goes only when the one before it has been replaced and is ready.

A budget that says "not now" (429) is waited for, as `kubectl drain` does: it asks every five seconds, this asks when
the budget has moved, and else at growing intervals up to those five seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubesteward.execution.answers import Held
from kubesteward.execution.apply import Writing
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import ObjectNotFound, Refused
from kubesteward_tools.twin.watcher import ready_pods, top_controller
from kubesteward_tools.world.store import Event, Key
from kubesteward_tools.world.world import World

PATIENCE = 300.0
"""Seconds that one eviction waits for the pod before it, and for the budget."""
ASK_AGAIN = 5.0
_FIRST = 0.5
_BUDGETS = "poddisruptionbudgets.policy"


class Stopped(Refused):
    """The server is about to end, or time ran out, before the call was made."""

    code = "STOPPED"


class Pace:
    """For the execution of one change. `stopping` is set when the server is about to end."""

    def __init__(
        self,
        world: World,
        change: Change,
        stopping: asyncio.Event,
        patience: float = PATIENCE,
    ) -> None:
        self._world = world
        self._stopping = stopping
        self._patience = patience
        self._uids = {call.target: uid for call in change.calls if call.evicts and (uid := self._uid(call.target))}
        self._ready: dict[Key, int] = {}
        self._leaving: dict[Key, tuple[Ref, str]] = {}

    async def evict(self, writer: Writing, call: ApiCall) -> dict[str, Any]:
        """The server's answer, with the pod's uid; or that it had gone by itself.

        Raises:
            Stopped: the pod before it was not replaced, or the budget not free, in time. Otherwise as `Writing.apply`.
        """
        if "pods" in self._world.forbidden and not self._world.sees("pods", call.target.namespace):
            raise Stopped(f"the pods of {call.target.namespace} cannot be seen any more.")
        uid, workload = self._uids.get(call.target, ""), self._workload(call.target)
        if workload is not None:
            self._ready.setdefault(workload, ready_pods(self._world.store, workload))
            await self._replaced(workload)
        if not uid or self._uid(call.target) != uid:
            return _gone(uid)
        try:
            answer = await self._granted(writer, _conditioned(call, uid))
        except ObjectNotFound:
            return _gone(uid)
        if workload is not None:
            self._leaving[workload] = call.target, uid
        return {**answer, "details": {**(answer.get("details") or {}), "uid": uid}}

    async def _replaced(self, workload: Key) -> None:
        if workload not in self._leaving:
            return
        target, uid = self._leaving[workload]
        if not await self._until(lambda: self._uid(target) != uid and self._complete(workload), self._patience):
            counts = f"{ready_pods(self._world.store, workload)} of {self._wanted(workload)} pods of {_named(workload)}"
            why = f"{target} was evicted and not replaced within {self._patience:.0f} s: {counts} are ready."
            raise Stopped(why, todo="Look why its successor does not become ready.")

    async def _granted(self, writer: Writing, call: ApiCall) -> dict[str, Any]:
        end, pause = _now() + self._patience, _FIRST
        while True:
            moved = self._budgets(call.target.namespace)
            try:
                return await writer.apply(call)
            except Held as error:
                if _now() >= end:
                    why = f"{call.target} could not be evicted within {self._patience:.0f} s: {error.message}"
                    raise Stopped(why, todo="Wait until its budget allows it.") from None
            await self._until(lambda: self._budgets(call.target.namespace) != moved, min(pause, end - _now()))  # noqa: B023 - called before the next turn
            pause = min(pause * 2, ASK_AGAIN)

    async def _until(self, reached: Callable[[], bool], seconds: float) -> bool:
        """Look again at each event until it is so; False when the time has run out.

        Raises:
            Stopped: the server ends.
        """
        moved = asyncio.Event()

        def hear(_: Event) -> None:
            moved.set()

        stop, end = self._world.store.subscribe(hear), _now() + seconds
        ending = asyncio.ensure_future(self._stopping.wait())
        try:
            while not reached():
                if self._stopping.is_set():
                    raise Stopped("the server was stopped before the next eviction.")
                if _now() >= end:
                    return False
                moved.clear()
                moving = asyncio.ensure_future(moved.wait())
                await asyncio.wait({moving, ending}, timeout=end - _now(), return_when=asyncio.FIRST_COMPLETED)
                moving.cancel()
            return True
        finally:
            ending.cancel()
            stop()

    def _workload(self, target: Ref) -> Key | None:
        pod = self._world.store.get(self._world.key(target))
        found = top_controller(self._world.store, pod) if pod else None
        return found[1] if found else None

    def _uid(self, target: Ref) -> str:
        pod = self._world.store.get(self._world.key(target))
        return str(pod["metadata"].get("uid", "")) if pod else ""

    def _complete(self, workload: Key) -> bool:
        return ready_pods(self._world.store, workload) >= self._wanted(workload)

    def _wanted(self, workload: Key) -> int:
        """As many as were ready before the first of them left, but no more than the workload is to have by now."""
        spec = (self._world.store.get(workload) or {}).get("spec") or {}
        count = spec.get("replicas")
        return min(self._ready[workload], count) if isinstance(count, int) else self._ready[workload]

    def _budgets(self, namespace: str) -> list[str]:
        store = self._world.store
        found = (store.get(key) for key in store.keys(_BUDGETS, namespace))
        return [str(item["metadata"].get("resourceVersion")) for item in found if item is not None]


def _conditioned(call: ApiCall, uid: str) -> ApiCall:
    """A pod of a StatefulSet is followed by one of the same name, which nobody has agreed to evict."""
    options = {**(call.body.get("deleteOptions") or {}), "preconditions": {"uid": uid}}
    return replace(call, body={**call.body, "deleteOptions": options})


def _gone(uid: str) -> dict[str, Any]:
    return {"kind": "Status", "status": "Success", "details": {"uid": uid or "gone"}}


def _named(workload: Key) -> str:
    return f"{workload.resource.partition('.')[0].removesuffix('s')} {workload.namespace}/{workload.name}"


def _now() -> float:
    return asyncio.get_running_loop().time()
