"""A server that is killed at any step of an execution: nothing unrecorded, nothing twice, and the truth afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from tests.e2e.crashing import PARTS, Cluster, Fault, Run, Where, outliving

from kubesteward.audit.verify import verify

pytestmark = pytest.mark.anyio

KILLED = -9
STEPS: dict[Where, int] = {"transaction": 12, "call": 4, "request": 4}
"""How many there are at the most while a change of four calls is executed."""
RECOVERY = 4
"""Transactions at least while an interrupted change is looked up."""


def faults() -> Iterator[Fault]:
    for where, count in STEPS.items():
        for number in range(count):
            for part in PARTS[where]:
                yield Fault(where, number, part)


def lives(count: int) -> list[Run]:
    """So many that end in the middle of an execution, over all points; every eighth time the next one dies as well."""
    found: list[Run] = []
    recoveries = cycle(
        Fault("transaction", n, part, recovering=True) for n in range(RECOVERY) for part in PARTS["transaction"]
    )
    points = list(faults())
    for number in range(count):
        fault = points[number % len(points) if count > len(points) else number * len(points) // count]
        calls, steps = 4 if number % 3 else 1 + number % 4, number % 5 == 4
        found.append(Run(len(found), calls, fault, steps))
        if number % 8 == 7:
            found.append(Run(len(found), 0, next(recoveries)))
    return [*found, Run(len(found))]


def check(cluster: Cluster, run: Run) -> None:
    """What the record says is what the API server saw."""
    action = cluster.action(run)
    made = [number for key, number in cluster.applied if key == run.key]
    calls = len(run.change.calls)

    assert made == list(range(len(made))), run
    assert action.status == ("executed" if len(made) == calls else "failed"), (run, made, action.outcome)
    assert action.done == len(made), (run, made, action.outcome)
    if action.status == "failed":
        said = f"{len(made)} of {calls} calls were made" if made else "nothing was changed"
        assert said in action.outcome, (run, action.outcome)


@pytest.mark.requirement("gate.crash")
@pytest.mark.parametrize("count", [4, pytest.param(200, marks=pytest.mark.slow)])
async def test_a_killed_server_leaves_nothing_unrecorded_nothing_twice_and_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    async with outliving(tmp_path, monkeypatch) as cluster:
        runs = lives(count)
        codes = {run: await cluster.live(run) for run in runs}
        for run in runs:
            if run.calls:
                check(cluster, run)

    assert cluster.unrecorded == []
    assert set(codes.values()) <= {KILLED, 0}
    assert list(codes.values()).count(KILLED) >= count * 0.8, "most faults lie on the way"
    assert verify(cluster.state).ok


@pytest.mark.requirement("gate.approval-replayed")
async def test_an_approval_that_four_servers_replay_a_hundred_times_is_one_execution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outliving(tmp_path, monkeypatch) as cluster:
        run = Run(0, calls=4, decided=False)
        await cluster.live(run)
        codes = await cluster.replay(cluster.action(run), processes=4, times=25)
        check(cluster, run)

    assert codes == [0, 0, 0, 0]
    assert cluster.applied == [(run.key, number) for number in range(4)]
    assert verify(cluster.state).ok
