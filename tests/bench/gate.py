"""What the gate adds to a change in a world of 1,000 nodes and 30,000 pods, and what proposals cost those who read.

Prints a table, or one JSON object with --json. The store is on the disk; the API server's answers are there at once,
and the time that it takes to make them up is not counted. Times are in milliseconds.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.fleet.command import run
from tests.bench.fleet.measures import quantiles
from tests.bench.fleet.objects import Fleet
from tests.bench.twin import stored

from kubesteward.app import App
from kubesteward.gate.case import Caller
from kubesteward.gate.gate import Gate
from kubesteward.mcp.registry import Registry
from kubesteward.middleware.call import Call
from kubesteward.middleware.endpoint import Endpoint
from kubesteward.middleware.stack import compose, stack
from kubesteward.settings import Settings
from kubesteward_policies.change import ApiCall, Change
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.lookup.targets import find
from kubesteward_tools.proposals import nodes, objects, workloads
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.world import World

CALLER = Caller("local:bench", "bench 1.0", "session", "stdio", can_be_asked=True)
AT_ONCE = 50
ROUNDS, LONGEST = 4, 60.0
"""How often each is measured, and the seconds within which so many have to be judged."""
LABEL = {"metadata": {"labels": {"team": "blue"}}}
Ask = Callable[..., Awaitable[Any]]


@dataclass
class Fixed:
    """A source: the fleet as it is, in which everybody may do everything."""

    store: Any
    namespaces: tuple[str, ...] = ()

    @property
    def connection(self) -> Any:
        return SimpleNamespace(cluster="fleet", url="https://fleet.example")

    async def kinds(self, *, again: bool = False) -> Kinds:
        return Kinds(BUILT_IN)

    def feed(self, *_: Any) -> None:
        return None

    async def version(self) -> str:
        return "v1.36.0"

    async def can_i(self, _: Mapping[str, str]) -> tuple[bool, str]:
        return True, ""

    async def close(self) -> None:
        return None


class Server:
    """A writer whose dry runs bring the object back, changed in one value; `spent` counts the seconds that takes."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.spent = 0.0
        self.world: World | None = None

    async def dry_run(self, call: ApiCall) -> dict[str, Any]:
        began = time.perf_counter()
        try:
            return self._answer(call)
        finally:
            self.spent += time.perf_counter() - began

    def _answer(self, call: ApiCall) -> dict[str, Any]:
        if call.path.endswith("/scale"):
            return {"kind": "Scale", "spec": call.body["spec"]}
        if call.verb == "create":
            return {"kind": "Status", "status": "Success"}
        assert self.world is not None
        answer: dict[str, Any] = json.loads(json.dumps(self._store.get(self.world.key(call.target))))
        answer["metadata"].setdefault("labels", {})["team"] = "blue"
        return answer

    async def close(self) -> None:
        return None


@dataclass
class Bench:
    app: App
    world: World
    server: Server
    fleet: Fleet
    ask: Ask
    judged: int = 0


@asynccontextmanager
async def opened(fleet: Fleet, store: Any, folder: Path) -> AsyncIterator[Bench]:
    server = Server(store)
    settings = Settings.load({}, state_dir=folder, autonomy=2)
    app = App(settings, clusters=Clusters.of({"fleet": cast("Any", Fixed(store))}))
    app.gate = Gate(app.clusters, app.store, app.audit, settings, open_writer=lambda _: cast("Any", server))
    registry = Registry(app.tools)
    handler = compose(stack(app), Endpoint(app, registry.arguments))

    async def ask(name: str, /, **arguments: Any) -> Any:
        reply = await handler(Call(name, registry.tools[name], arguments, CALLER))
        assert reply.code in {"", "BLOCKED"}, reply.text
        return reply

    server.world = await app.clusters.world("fleet")
    try:
        yield Bench(app, server.world, server, fleet, ask)
    finally:
        await app.close()


# -- what the stages take ------------------------------------------------------------------------------------------


async def scaled(bench: Bench, number: int) -> Change:
    app = bench.fleet.apps[number]
    return workloads.scale(await find(bench.world, "deployments.apps", app.name, app.namespace), number % 8)


async def patched(bench: Bench, number: int) -> Change:
    app = bench.fleet.apps[number]
    return objects.patch(await find(bench.world, "deployments.apps", app.name, app.namespace), LABEL, "strategic")


async def restarted(bench: Bench, number: int) -> Change:
    app = bench.fleet.apps[number]
    return workloads.restart(await find(bench.world, "deployments.apps", app.name, app.namespace), time.time())


async def drained(bench: Bench, number: int) -> Change:
    return nodes.drain(await find(bench.world, "nodes", f"node-{number % bench.fleet.nodes:04}"))


KINDS = {"scale": scaled, "patch": patched, "restart": restarted, "drain": drained}


async def overhead(bench: Bench, make: Callable[[Bench, int], Awaitable[Change]], count: int) -> dict[str, Any]:
    """p50 and p99 of `propose` without the API server's part, and of each stage.

    Where others use the machine too, processor time tells what would be waited for if they did not.
    """
    chance, whole, stages = random.Random(7), list[float](), defaultdict[str, list[float]](list)
    processor: list[float] = []
    ends: defaultdict[str, int] = defaultdict(int)
    for turn in range(count + 3):
        change = await make(bench, chance.randrange(len(bench.fleet.apps)))
        spent, began, busy = bench.server.spent, time.perf_counter(), time.process_time()
        action = await bench.app.gate.propose(change, CALLER, dry_run=False)
        answering = bench.server.spent - spent
        took = time.perf_counter() - began - answering
        if turn < 3:
            continue
        whole.append(took)
        processor.append(time.process_time() - busy - answering)
        ends[action.verdicts[-1].rule_id] += 1
        by_stage: defaultdict[str, float] = defaultdict(float)
        for verdict in action.verdicts:
            by_stage[verdict.stage] = max(by_stage[verdict.stage], verdict.took_ms / 1000)
        by_stage["the rest"] = took - sum(by_stage.values())
        for stage, seconds in by_stage.items():
            stages[stage].append(seconds)
    heads = {"all": rounded(whole), "all, processor time": rounded(processor)}
    return {**heads, **{name: rounded(times) for name, times in stages.items()}, "ended": dict(ends)}


def rounded(times: list[float]) -> dict[str, float]:
    p50, p99 = quantiles(times)
    return {"p50": round(p50, 1), "p99": round(p99, 1)}


# -- what those wait who read --------------------------------------------------------------------------------------


async def read(bench: Bench, number: int) -> tuple[float, float]:
    """Seconds of a list and of one object, through the whole stack."""
    app = bench.fleet.apps[number % len(bench.fleet.apps)]
    began = time.perf_counter()
    await bench.ask("list_resources", kind="pods", namespace=app.namespace, limit=50)
    between = time.perf_counter()
    await bench.ask("get_resource_yaml", kind="Deployment", name=app.name, namespace=app.namespace)
    return between - began, time.perf_counter() - between


async def reads(bench: Bench, count: int) -> list[float]:
    """One after another, as one client asks."""
    return [took for number in range(count) for took in await read(bench, number * 37)]


async def proposals(bench: Bench) -> None:
    """So many at once, again and again until cancelled."""
    for turn in itertools.count():
        apps = random.Random(turn).sample(bench.fleet.apps, AT_ONCE)
        await asyncio.gather(*(propose(bench, app.name, app.namespace, number) for number, app in enumerate(apps)))


async def propose(bench: Bench, name: str, namespace: str, number: int) -> None:
    target = {"kind": "Deployment", "name": name, "namespace": namespace, "dry_run": False}
    if number % 3 == 0:
        await bench.ask("scale_workload", **target, replicas=number % 8)
    elif number % 3 == 1:
        await bench.ask("restart_rollout", **target)
    else:
        await bench.ask("patch_resource", **target, patch=LABEL)
    bench.judged += 1


async def disturbed(bench: Bench, count: int) -> dict[str, Any]:
    """The reader alone and the reader while proposals are judged, in turns: the machine has moods of its own."""
    await beside(bench)
    alone, during, took, judged = list[float](), list[float](), 0.0, bench.judged
    for _ in range(ROUNDS):
        alone += await reads(bench, count)
        began = time.perf_counter()
        during += await beside(bench)
        took += time.perf_counter() - began
    before, after = rounded(alone), rounded(during)
    return {
        "alone": before,
        "during": after,
        "p99_ratio": round(after["p99"] / before["p99"], 2),
        "reads": len(during),
        "proposals_per_s": round((bench.judged - judged) / took, 1),
    }


async def beside(bench: Bench) -> list[float]:
    """What reads take until as many proposals are judged as are always there."""
    times, enough, late = list[float](), bench.judged + AT_ONCE, time.perf_counter() + LONGEST
    proposing = asyncio.create_task(proposals(bench))
    while bench.judged < enough and time.perf_counter() < late:
        times += await reads(bench, 5)
    proposing.cancel()
    await asyncio.gather(proposing, return_exceptions=True)
    return times


async def measured(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    fleet = Fleet(pods, nodes)
    store = stored(fleet)
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="kubesteward-bench-") as folder:
        async with opened(fleet, store, Path(folder)) as bench:
            found: dict[str, Any] = {name: await overhead(bench, make, repetitions) for name, make in KINDS.items()}
        async with opened(fleet, store, Path(folder) / "reads") as bench:
            found["reads"] = await disturbed(bench, repetitions * 2)
    return found


def measure(pods: int, nodes: int, repetitions: int) -> dict[str, Any]:
    return asyncio.run(measured(pods, nodes, repetitions))


if __name__ == "__main__":
    run(measure, __doc__, repetitions=100)
