"""Server processes that die: forked with everything imported, over a cluster and a store that outlive them.

The faults are the test's own: a process kills itself at a given transaction of its store or around a call of its
writing client, or the API server has it killed when a given request arrives.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import aiohttp  # noqa: F401 - imported before the fork, so that a run is cheap
import kubernetes  # noqa: F401 - likewise
import pytest
from aiohttp import web

from kubesteward.app import App
from kubesteward.embedded.http import ApiHandler
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.execution.apply import Writer
from kubesteward.gate import aftermath
from kubesteward.gate.action import FINAL, Action
from kubesteward.gate.actions import Actions
from kubesteward.gate.gate import Caller, Gate
from kubesteward.settings import Settings
from kubesteward.store.store import FILE, Store
from kubesteward_policies.change import MERGE_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin import rehearse  # noqa: F401 - likewise
from kubesteward_tools.twin.route import Request

Where = Literal["transaction", "call", "request"]
PARTS: dict[Where, tuple[str, ...]] = {
    "transaction": ("before", "inside", "after"),
    "call": ("before", "after"),
    "request": ("lost", "late", "unanswered"),
}
"""`lost`: the request arrives and is never carried out; `late`: it is, but when the process is dead already."""

ALICE = Caller("local:alice", "test 1.0", "session-1", "stdio", can_be_asked=True)
CLUSTER = "kubesteward-embedded"
LATE = 0.1
SETTLED = 0.4
"""Seconds instead of the gate's own for a request that may still be on its way: here none is for longer."""
PATIENCE = 40.0
Answering = Callable[[], Awaitable[web.StreamResponse]]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])
_MAPS = "/api/v1/namespaces/default/configmaps"


@dataclass(frozen=True)
class Fault:
    """At the `number`-th (from 0) transaction, call or request that belongs to the execution."""

    where: Where
    number: int
    part: str
    recovering: bool = False
    """The process dies while it takes up what an earlier one left, and proposes nothing."""


@dataclass(frozen=True)
class Run:
    """One life of a server: it takes up what is open, has one change approved and executed, and dies at `fault`."""

    number: int
    calls: int = 0
    fault: Fault | None = None
    steps: bool = False
    decided: bool = True
    """Whether anybody agrees to the change."""

    @property
    def key(self) -> str:
        return f"run-{self.number}"

    @property
    def old(self) -> str:
        return f"old-{self.key}"

    @property
    def change(self) -> Change:
        """A patch of what is everybody's, an object that comes, another that is changed and then goes."""
        old = Ref(CLUSTER, "", "ConfigMap", "default", self.old)
        made = Ref(CLUSTER, "", "ConfigMap", "default", self.key)
        there = Ref(CLUSTER, "", "ConfigMap", "default", "kube-root-ca.crt")
        marked = {"metadata": {"labels": {"run": self.key}}}
        born = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.key}, "data": {"run": self.key}}
        calls = (
            ApiCall("patch", f"{_MAPS}/{there.name}", there, marked, MERGE_PATCH),
            ApiCall("create", _MAPS, made, born),
            ApiCall("patch", f"{_MAPS}/{self.old}", old, {"data": {"more": self.key}}, MERGE_PATCH),
            ApiCall("delete", f"{_MAPS}/{self.old}", old, {"kind": "DeleteOptions", "apiVersion": "v1"}),
        )[: self.calls]
        return Change("test", there, calls, self.key, steps=(1,) * self.calls if self.steps else ())


@dataclass
class Cluster:
    """The cluster that outlives all servers. `applied` are the calls that it carried out, by run and by number."""

    folder: Path
    server: EmbeddedCluster
    applied: list[tuple[str, int]] = field(default_factory=list)
    unrecorded: list[tuple[str, int]] = field(default_factory=list)
    run: Run | None = None
    process: Any = None
    _arrived: Iterator[int] = field(default_factory=itertools.count)

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def action(self, run: Run) -> Action:
        with _store(self.state) as store:
            found = Actions(store).by_key(ALICE.principal, run.key)
        assert found is not None, run
        return found

    def begin(self, run: Run) -> Any:
        self.run, self._arrived = run, itertools.count()
        self.server.simulated.handle(Request("create", _MAPS, body={"metadata": {"name": run.old}}))
        self.server.wake()
        self.process = _FORKS.Process(target=_live, args=(self.folder / "kubeconfig", self.state, run))
        self.process.start()
        return self.process

    async def live(self, run: Run) -> int:
        """The exit code of the process's life."""
        process = self.begin(run)
        await asyncio.to_thread(process.join, PATIENCE)
        code = process.exitcode
        process.kill()
        process.join()
        assert code is not None, f"{run} has not come to an end"
        return int(code)

    async def replay(self, action: Action, processes: int, times: int) -> list[int]:
        """Approve it, and have so many servers execute it so often each, all at once; their exit codes."""
        with _store(self.state) as store:
            Actions(store).approve(action.id, "operator")
        ready = _FORKS.Barrier(processes)
        words = self.folder / "kubeconfig", self.state, action.id, times, ready
        started = [_FORKS.Process(target=_replay, args=words) for _ in range(processes)]
        for process in started:
            process.start()
        for process in started:
            await asyncio.to_thread(process.join, PATIENCE)
        return [int(process.exitcode) for process in started]

    async def handle(self, carry_out: Answering, request: web.Request, body: bytes) -> web.StreamResponse:
        """One request that means to change something: noted, and perhaps the last of the process that sends it."""
        fault = self.run.fault if self.run and self.run.fault and self.run.fault.where == "request" else None
        strikes = fault is not None and next(self._arrived) == fault.number
        if not strikes or fault is None:
            return await self._noted(carry_out, request, body)
        if fault.part == "unanswered":
            await self._noted(carry_out, request, body)
        os.kill(self.process.pid, signal.SIGKILL)
        if fault.part == "late":
            await asyncio.sleep(LATE)  # the fault itself: a request that is still on its way
            await self._noted(carry_out, request, body)
        return web.Response(status=503)

    async def _noted(self, carry_out: Answering, request: web.Request, body: bytes) -> web.StreamResponse:
        found = _identified(request.method, request.path, body)
        intended = self._intended(found[0])
        response = await carry_out()
        if response.status < 300:
            self.applied.append(found)
            if not intended:
                self.unrecorded.append(found)
        return response

    def _intended(self, run: str) -> bool:
        query = (
            "SELECT 1 FROM actions, audit WHERE actions.idempotency = ? AND json_extract(record, '$.action') ="
            " actions.id AND json_extract(record, '$.type') = 'action_intent'"
        )
        with closing(sqlite3.connect(self.state / FILE)) as db:
            return db.execute(query, (run,)).fetchone() is not None


def _identified(method: str, path: str, body: bytes) -> tuple[str, int]:
    """Which call of which run a request is."""
    name = path.rpartition("/")[2]
    if method == "POST":
        return body.partition(b'"name": "')[2].partition(b'"')[0].decode(), 1
    if method == "DELETE":
        return name.removeprefix("old-"), 3
    if name.startswith("old-"):
        return name.removeprefix("old-"), 2
    return body.partition(b'"run": "')[2].partition(b'"')[0].decode(), 0


@asynccontextmanager
async def outliving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cluster]:
    """One cluster for many servers."""
    carry_out = ApiHandler.handle
    found: list[Cluster] = []

    async def handle(handler: ApiHandler, request: web.Request) -> web.StreamResponse:
        if request.method == "GET" or "dryRun" in request.query or request.path.endswith("reviews"):
            return await carry_out(handler, request)
        return await found[0].handle(lambda: carry_out(handler, request), request, await request.read())

    monkeypatch.setattr(ApiHandler, "handle", handle)
    async with EmbeddedCluster(nodes=1) as server:
        server.write_kubeconfig(folder / "kubeconfig")
        found.append(Cluster(folder, server))
        yield found[0]


def _live(kubeconfig: Path, state: Path, run: Run) -> None:
    asyncio.run(_serve(kubeconfig, state, run))


async def _serve(kubeconfig: Path, state: Path, run: Run) -> None:
    aftermath.LATER = SETTLED
    app = App(Settings.load({}, kubeconfig=kubeconfig, state_dir=state, autonomy=2))
    if run.fault and run.fault.recovering:
        _arm(run.fault)
    app.take_up()
    await taken_up(app.gate)
    if run.calls:
        action = await app.gate.propose(run.change, ALICE, dry_run=False, idempotency_key=run.key)
        assert action.status == "pending_approval", action.verdicts
        if not run.decided:
            os.kill(os.getpid(), signal.SIGKILL)
        action = await app.gate.decide(
            action.id, approve=True, approver=ALICE.principal, channel="elicitation", digest=action.digest
        )
        if run.fault:
            _arm(run.fault)
        await app.gate.execute(action.id)
    await app.close()


def _replay(kubeconfig: Path, state: Path, action_id: str, times: int, ready: Any) -> None:
    asyncio.run(_execute(kubeconfig, state, action_id, times, ready))


async def _execute(kubeconfig: Path, state: Path, action_id: str, times: int, ready: Any) -> None:
    app = App(Settings.load({}, kubeconfig=kubeconfig, state_dir=state, autonomy=2))
    await app.clusters.world()
    ready.wait()
    found = await asyncio.gather(*(app.gate.execute(action_id) for _ in range(times)))
    assert {item.status for item in found} <= {"executing", "executed"}, found
    await app.close()


async def taken_up(gate: Gate) -> None:
    """Until nothing is left open."""
    for action in gate.actions.newest(3):
        while (await gate.action(action.id, 1.0)).status not in FINAL:
            pass


def _arm(fault: Fault) -> None:
    """From now on this process dies at its fault."""
    numbers, transaction, apply = itertools.count(), Store.transaction, Writer.apply

    def strike(number: int, part: str) -> None:
        if (number, part) == (fault.number, fault.part):
            os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def transacting(store: Store) -> Iterator[sqlite3.Connection]:
        number = -1 if store._depth else next(numbers)
        strike(number, "before")
        with transaction(store) as db:
            yield db
            strike(number, "inside")
        strike(number, "after")

    async def applying(writer: Writer, call: ApiCall, resource_version: str = "") -> dict[str, Any]:
        number = next(numbers)
        strike(number, "before")
        answer = await apply(writer, call, resource_version)
        strike(number, "after")
        return answer

    if fault.where == "transaction":
        Store.transaction = transacting  # type: ignore[method-assign] # this process is the fault's alone
    elif fault.where == "call":
        Writer.apply = applying  # type: ignore[method-assign] # likewise


@contextmanager
def _store(state: Path) -> Iterator[Store]:
    store = Store.open(state)
    try:
        yield store
    finally:
        store.close()
