"""What a scenario's pods have used so far, computed and not waited for."""

from __future__ import annotations

import pytest

from kubesteward.embedded.past import SOURCE, Past
from kubesteward.embedded.scenarios import build
from kubesteward_tools.errors import AskDifferently
from kubesteward_tools.world.metrics.readings import Question

pytestmark = pytest.mark.anyio

NOW = 1795222800.0
MI = 2.0**20


@pytest.fixture(scope="module")
def past() -> Past:
    return Past(build("leak", 3, NOW).store)


async def test_memory_grows_from_the_start_of_the_container(past: Past) -> None:
    found = await past.read(Question("memory_usage", "containers", NOW, NOW - 7200, "shop"))
    leaking = [points for (_, name), points in found.series.items() if name.startswith("cart-")]
    steady = [points for (_, name), points in found.series.items() if name.startswith("web-")]

    assert found.source == SOURCE
    assert len(leaking) == 2
    for points in leaking:
        assert points[-1][1] - points[0][1] == pytest.approx(48 * MI, rel=0.02)
    assert all(points[0][1] == points[-1][1] for points in steady)


async def test_nothing_is_told_of_the_time_before_the_pods_ran(past: Past) -> None:
    for level in ("pods", "nodes", "namespaces"):
        found = await past.read(Question("memory_usage", level, NOW, NOW - 86400))
        first = min(points[0][0] for points in found.series.values())

        assert NOW - 11000 < first < NOW


async def test_the_present_is_one_value_and_a_namespace_the_sum_of_its_pods(past: Past) -> None:
    pods = await past.read(Question("cpu_usage", "pods", NOW, NOW, "shop"))
    spaces = await past.read(Question("cpu_usage", "namespaces", NOW, NOW, names=frozenset({"shop"})))
    (whole,) = spaces.series.values()

    assert whole[0][1] == pytest.approx(sum(points[0][1] for points in pods.series.values()))


@pytest.mark.parametrize(
    "question",
    [
        Question("disk_usage", "nodes", NOW, NOW),
        Question("memory_usage", "persistentvolumeclaims", NOW, NOW),
        Question("memory_usage", "pods", NOW, NOW, "nowhere"),
    ],
)
async def test_what_is_not_simulated_is_not_made_up(past: Past, question: Question) -> None:
    with pytest.raises(AskDifferently):
        await past.read(question)
    await past.close()
