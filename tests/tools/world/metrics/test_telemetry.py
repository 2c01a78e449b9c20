"""Of several sources the first that knows answers, and says which it is, how old it is, and what the others said."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from tests.tools.world.metrics.usage import NOW, MetricsServer, node, pod

from kubesteward_tools.errors import AskAgain, AskDifferently, SteadyError
from kubesteward_tools.world.metrics.readings import Question, Reading
from kubesteward_tools.world.metrics.telemetry import METRICS_SERVER, OWN, Telemetry
from kubesteward_tools.world.store import Store

pytestmark = pytest.mark.anyio


class Watcher:
    """A monitoring system that knows one thing or fails."""

    def __init__(self, failure: SteadyError | None = None) -> None:
        self.failure = failure
        self.closed = False

    async def read(self, question: Question) -> Reading:
        if self.failure:
            raise self.failure
        return Reading("Prometheus at p", question.end - 5, {("shop", "web-1"): [(question.end, 0.5)]})

    async def close(self) -> None:
        self.closed = True


class Still(Telemetry):
    """Whose sampler is moved by hand."""

    def __init__(self, server: MetricsServer | None, monitor: Watcher | None = None, *, live: bool = True) -> None:
        self.now = NOW
        super().__init__("lab", Store(), server, monitor, live=live, now=lambda: self.now)
        if self._sampler is not None:
            self._sampler.begin = lambda: None  # type: ignore[method-assign] # rounds are begun by the test

    async def rounds(self, server: MetricsServer, names: Iterable[str], count: int) -> None:
        assert self._sampler is not None
        for number in range(count):
            server.pods = [pod(name, self.now, f"{100 * (number + 1)}m") for name in names]
            await self._sampler.sample()
            self.now += 30
        self.now -= 30


def question(query: str = "cpu_usage", level: str = "pods", *, span: float = 0, now: float = NOW) -> Question:
    return Question(query, level, end=now, start=now - span)


async def test_a_monitoring_system_is_asked_first() -> None:
    server, watcher = MetricsServer(), Watcher()
    telemetry = Still(server, watcher)
    found = await telemetry.read(question())
    await telemetry.close()

    assert (found.source, found.as_of, server.asked) == ("Prometheus at p", NOW - 5, [])
    assert watcher.closed


async def test_where_it_does_not_answer_metrics_server_does_and_says_so() -> None:
    server = MetricsServer()
    server.pods = [pod("web-1", NOW - 12)]
    found = await Still(server, Watcher(AskAgain("Prometheus at p does not answer (refused)."))).read(question())

    assert (found.source, found.as_of) == (METRICS_SERVER, NOW - 12)
    assert found.series == {("shop", "web-1"): [(NOW - 12, 0.1)]}
    assert found.notes == ("Prometheus at p does not answer (refused).",)


async def test_a_stretch_of_time_comes_from_own_samples_that_say_how_far_they_reach() -> None:
    server = MetricsServer()
    telemetry = Still(server)
    await telemetry.rounds(server, ["web-1", "web-2"], 5)
    found = await telemetry.read(question(span=3600, now=telemetry.now))
    short = await telemetry.read(question(span=60, now=telemetry.now))

    assert (found.source, found.as_of) == (OWN, NOW + 120)
    assert [value for _, value in found.series["shop", "web-2"]] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert found.notes == ("Sampling began when metrics were first asked for: 2m of 60m are known.",)
    assert (len(short.series["shop", "web-1"]), short.notes) == (3, ())


async def test_a_namespace_is_the_sum_of_its_pods_then_and_now() -> None:
    server = MetricsServer()
    telemetry = Still(server)
    await telemetry.rounds(server, ["web-1", "web-2"], 3)
    then = await telemetry.read(question(level="namespaces", span=3600, now=telemetry.now))
    now = await telemetry.read(question(level="namespaces", now=telemetry.now))

    assert [value for _, value in then.series["", "shop"]] == pytest.approx([0.2, 0.4, 0.6])
    assert now.series["", "shop"][-1][1] == pytest.approx(0.6)


async def test_without_history_the_present_is_told_as_such() -> None:
    server = MetricsServer()
    server.nodes = [node("n1", NOW)]
    found = await Still(server).read(question("memory_usage", "nodes", span=3600))

    assert (found.source, found.series) == (METRICS_SERVER, {("", "n1"): [(NOW, 2.0**30)]})
    assert found.notes == ("No history of these is known yet: present values.",)


async def test_samples_that_have_become_old_say_why() -> None:
    server = MetricsServer()
    telemetry = Still(server)
    await telemetry.rounds(server, ["web-1"], 3)
    server.down = True
    assert telemetry._sampler is not None
    await telemetry._sampler.sample()
    found = await telemetry.read(question(span=60, now=NOW + 60))

    assert found.source == OWN
    assert "The last sampling failed: 'lab' answered: the server is currently unable" in found.notes[0]


@pytest.mark.parametrize(
    ("telemetry", "query", "words"),
    [
        (Still(MetricsServer()), "error_rate", "it needs a monitoring system. Configure one: set KUBESTEWARD_PROM"),
        (Still(None), "cpu_usage", "no metrics API. Install metrics-server, or: set KUBESTEWARD_PROMETHEUS_URL"),
        (Still(None), "gpu_usage", "Without it there are: cpu_usage, cpu_saturation, memory_usage"),
        (Still(None, live=False), "cpu_usage", "a bundle holds no metrics. Ask a live cluster."),
        (Still(MetricsServer()), "cpu_usage", "has measured nothing of what was asked in 'lab' yet. Ask again"),
        (Still(None, Watcher(AskDifferently("Prometheus at p holds none of x."))), "gpu_usage", "p holds none of x."),
    ],
)
async def test_if_nobody_knows_what_to_configure_is_said(telemetry: Still, query: str, words: str) -> None:
    with pytest.raises(SteadyError) as caught:
        await telemetry.read(question(query))

    assert words in str(caught.value)


async def test_both_failures_are_told() -> None:
    server = MetricsServer()
    server.down = True
    with pytest.raises(AskAgain) as caught:
        await Still(server, Watcher(AskAgain("Prometheus at p does not answer."))).read(question())

    assert "unable to handle" in str(caught.value)
    assert "Prometheus at p does not answer." in str(caught.value)
