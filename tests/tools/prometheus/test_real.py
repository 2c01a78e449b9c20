"""Every word of get_metrics means the same to a real Prometheus as it does here."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import pytest
from tests.tools.prometheus.real import running

from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.observe.get_metrics import Query
from kubesteward_tools.prometheus.client import Prometheus
from kubesteward_tools.prometheus.rules import alternatives
from kubesteward_tools.world.metrics.readings import LEVELS, Question, Reading
from kubesteward_tools.world.metrics.summary import summary

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

NODES = {"node-1": "node-1", "10.0.0.2": "node-2"}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def prometheus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Prometheus]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    async with running(folder) as url:
        made = Prometheus(url)
        yield made
        await made.close()


async def read(
    prometheus: Prometheus, query: str, level: str = "pods", *, hours: float = 0, names: tuple[str, ...] = ()
) -> Reading:
    now = time.time()
    wanted = frozenset(names) if names else None
    space = "" if level in {"nodes", "namespaces"} else "shop"
    return await prometheus.read(Question(query, level, now, now - hours * 3600, space, wanted, NODES))


@pytest.mark.parametrize(
    ("query", "level", "expected"),
    [
        ("cpu_usage", "pods", {("shop", "web-1"): 0.3, ("shop", "api.1"): 0.5}),
        ("cpu_usage", "namespaces", {("", "shop"): 0.8}),
        ("cpu_usage", "nodes", {("", "node-1"): 2.0}),
        ("cpu_saturation", "pods", {("shop", "web-1"): 0.3, ("shop", "api.1"): 0.5}),
        ("memory_usage", "pods", {("shop", "web-1"): 8e7}),
        ("memory_usage", "nodes", {("", "node-2"): 3e9}),
        ("disk_usage", "nodes", {("", "node-2"): 6e10}),
        ("disk_usage", "persistentvolumeclaims", {("shop", "data"): 1e9}),
        ("network_receive", "nodes", {("", "node-2"): 2048.0}),
        ("gpu_usage", "pods", {("shop", "train-1"): 0.9}),
        ("gpu_usage", "nodes", {("", "node-1"): 0.9}),
        ("restarts", "pods", {("shop", "web-1"): 4.0}),
        ("request_rate", "pods", {("shop", "web-1"): 10.0, ("shop", "api.1"): 4.0, ("shop", "java-1"): 3.0}),
        ("request_rate", "namespaces", {("", "shop"): 17.0}),
        ("error_rate", "namespaces", {("", "shop"): 1 / 17}),
        ("error_rate", "pods", {("shop", "web-1"): 0.1, ("shop", "api.1"): 0.0, ("shop", "java-1"): 0.0}),
        ("latency_p99", "pods", {("shop", "web-1"): 0.2}),
    ],
)
async def test_the_values_are_those_that_were_exported(
    prometheus: Prometheus, query: str, level: str, expected: dict[tuple[str, str], float]
) -> None:
    found = await read(prometheus, query, level)

    assert {name: points[-1][1] for name, points in found.series.items()} == pytest.approx(expected, rel=0.05)
    assert 0 <= time.time() - found.as_of < 10


async def test_an_hour_has_its_course(prometheus: Prometheus) -> None:
    memory = summary((await read(prometheus, "memory_usage", hours=0.9)).series["shop", "web-1"])
    cpu = summary((await read(prometheus, "cpu_usage", hours=0.8, names=("web-1",))).series["shop", "web-1"])

    assert memory is not None
    assert cpu is not None
    assert memory.slope == pytest.approx(2e7, rel=0.05)
    assert memory.points > 100
    assert (cpu.least, cpu.mean, cpu.p95) == pytest.approx((0.3, 0.3, 0.3), rel=0.1)


async def test_names_with_dots_match_themselves_only(prometheus: Prometheus) -> None:
    assert list((await read(prometheus, "cpu_usage", names=("api.1", "nobody"))).series) == [("shop", "api.1")]
    with pytest.raises(AskDifferently):
        await read(prometheus, "cpu_usage", names=("apix1", 'no"body\\'))


async def refusal(prometheus: Prometheus, query: str, level: str, hours: float) -> str:
    try:
        await read(prometheus, query, level, hours=hours, names=("web-1", "api.1", "node-1", "shop"))
    except AskDifferently as error:
        return error.message
    return ""


@pytest.mark.parametrize(("query", "level"), [(query, level) for query in get_args(Query) for level in LEVELS])
async def test_every_expression_is_understood(prometheus: Prometheus, query: str, level: str) -> None:
    """Metrics that nobody exports are missing, and no expression is refused."""
    if not alternatives(query, level):
        return
    for hours in (0, 1):
        assert "refused" not in await refusal(prometheus, query, level, hours)


async def test_its_version_is_its_own(prometheus: Prometheus) -> None:
    assert await prometheus.version() == ""
