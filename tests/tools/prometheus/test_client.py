"""Prometheus is only read, with a token that is shown nowhere, and every way of failing is one sentence."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from tests.tools.prometheus.server import Server, matrix, vector

from kubesteward_tools.errors import AskAgain, AskDifferently, InvalidArguments, SteadyError, Unauthorized
from kubesteward_tools.prometheus import client
from kubesteward_tools.prometheus.client import Prometheus
from kubesteward_tools.world.metrics.readings import Question

pytestmark = pytest.mark.anyio

NOW = 1795222800.0
WEB = {"namespace": "shop", "pod": "web-1"}


def question(query: str = "cpu_usage", level: str = "pods", *, hours: float = 0, **more: object) -> Question:
    return Question(query, level, end=NOW, start=NOW - hours * 3600, **more)  # type: ignore[arg-type] # by name


async def test_it_reads_by_get_with_the_token(server: Server, prometheus: Prometheus) -> None:
    server.values, server.newest = lambda _: vector((WEB, 0.25)), NOW - 12
    found = await prometheus.read(question(namespace="shop"))

    assert found.series == {("shop", "web-1"): [(0.0, 0.25)]}
    assert (found.source, found.as_of) == (f"Prometheus at {server.url.removeprefix('http://')}", NOW - 12)
    assert {(item.method, item.path, item.authorization) for item in server.asked} == {
        ("GET", "/api/v1/query", "Bearer hunter2")
    }


async def test_a_stretch_of_time_is_asked_in_a_bounded_number_of_steps(server: Server, prometheus: Prometheus) -> None:
    server.values = lambda _: matrix((WEB, [(NOW - 60, 1.0), (NOW - 30, "NaN"), (NOW, "+Inf"), (NOW, 2.0)]))
    found = await prometheus.read(question(hours=24))
    (asked,) = (item for item in server.asked if item.path == "/api/v1/query_range")

    assert found.series == {("shop", "web-1"): [(NOW - 60, 1.0), (NOW, 2.0)]}
    assert (asked.query["start"], asked.query["end"]) == (f"{NOW - 86400:.3f}", f"{NOW:.3f}")
    assert asked.query["step"] == "720"


async def test_nodes_are_known_by_name_or_address(server: Server, prometheus: Prometheus) -> None:
    by = [{"node": "n1"}, {"instance": "10.0.0.2:10250"}, {"Hostname": "n3"}, {"instance": "[fd00::4]:9100"}]
    server.values = lambda _: vector(*((labels, 1.0) for labels in by), ({"instance": "10.9.9.9:9100"}, 1.0))
    nodes = {"n1": "n1", "10.0.0.2": "n2", "n3": "n3", "fd00::4": "n4"}
    found = await prometheus.read(question(level="nodes", nodes=nodes))

    assert sorted(name for _, name in found.series) == ["n1", "n2", "n3", "n4"]


async def test_another_exporter_is_asked_where_the_first_is_not_scraped(server: Server, prometheus: Prometheus) -> None:
    server.values = lambda asked: vector(({"instance": "n1:9100"}, 2.0)) if "node_cpu" in asked else vector()
    found = await prometheus.read(question(level="nodes", nodes={"n1": "n1"}))

    assert found.series == {("", "n1"): [(0.0, 2.0)]}
    assert len(server.expressions) == 2


async def test_labels_that_an_exporter_had_to_rename_are_understood(server: Server, prometheus: Prometheus) -> None:
    labels = {"namespace": "gpu", "pod": "exporter-1", "exported_namespace": "shop", "exported_pod": "train-1"}
    server.values = lambda _: vector((labels, 0.9))

    assert list((await prometheus.read(question("gpu_usage"))).series) == [("shop", "train-1")]


async def test_what_was_not_asked_for_is_left_out(server: Server, prometheus: Prometheus) -> None:
    server.values = lambda _: vector((WEB, 1.0), ({**WEB, "pod": "other"}, 1.0), ({**WEB, "namespace": "x"}, 1.0))
    found = await prometheus.read(question(namespace="shop", names=frozenset({"web-1"})))

    assert list(found.series) == [("shop", "web-1")]


async def test_warnings_are_passed_on(server: Server, prometheus: Prometheus) -> None:
    server.values, server.warnings = lambda _: vector((WEB, 1.0)), ["a store did not answer\x1b[31m"]
    (note,) = (await prometheus.read(question())).notes

    assert note.endswith("warns: a store did not answer")


async def test_what_is_not_scraped_is_named(prometheus: Prometheus) -> None:
    with pytest.raises(AskDifferently, match="holds none of container_cpu_usage_seconds_total") as caught:
        await prometheus.read(question())

    assert caught.value.todo == "Have it scrape the kubelets' cAdvisor (/metrics/cadvisor)."


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (lambda: web.Response(status=401), Unauthorized, "does not accept the credentials (HTTP 401)"),
        (lambda: web.Response(status=403), Unauthorized, "does not accept the credentials (HTTP 403)"),
        (lambda: web.Response(status=302, headers={"Location": "/login"}), AskDifferently, "a redirection"),
        (lambda: web.Response(status=502, text="<html>"), AskAgain, "answered: HTTP 502"),
        (lambda: web.Response(text="<html>login</html>"), AskDifferently, "does not speak Prometheus' API"),
        (lambda: web.json_response([]), AskDifferently, "does not speak Prometheus' API"),
        (lambda: web.json_response({"status": "success", "data": {}}), AskDifferently, "does not speak"),
        (lambda: error(422, "execution", "too many samples"), AskDifferently, "refused: too many samples"),
        (lambda: error(503, "timeout", "query timed out"), AskAgain, "refused: query timed out"),
        (lambda: web.Response(body=b"x" * 3000), AskDifferently, "is too large"),
    ],
)
async def test_a_failure_is_one_sentence_without_the_token(
    server: Server,
    prometheus: Prometheus,
    monkeypatch: pytest.MonkeyPatch,
    reply: Callable[[], web.Response],
    error: type[SteadyError],
    words: str,
) -> None:
    monkeypatch.setattr(client, "LARGEST", 2000)
    server.reply = reply
    with pytest.raises(error) as caught:
        await prometheus.read(question())

    assert words in caught.value.message
    assert "hunter2" not in str(caught.value)
    assert caught.value.todo
    assert len(server.asked) == 1


def error(status: int, kind: str, why: str) -> web.Response:
    return web.json_response({"status": "error", "errorType": kind, "error": why}, status=status)


@pytest.mark.parametrize(
    "result",
    [
        [None],
        ["x"],
        [{}],
        [{"metric": None, "value": [1, "1"]}],
        [{"metric": WEB}],
        [{"metric": WEB, "value": None}],
        [{"metric": WEB, "value": [1]}],
        [{"metric": WEB, "value": [1, "much"]}],
        [{"metric": WEB, "values": ["ab", [None, None]]}],
        [{"metric": {"pod": 3, "namespace": []}, "value": [1, "1"]}],
    ],
)
async def test_what_is_malformed_counts_as_missing(server: Server, prometheus: Prometheus, result: Any) -> None:
    server.values = lambda _: {"resultType": "vector", "result": result}
    with pytest.raises(AskDifferently, match="holds none of"):
        await prometheus.read(question(namespace="shop"))


async def test_user_and_password_of_the_address_are_sent_and_not_shown(server: Server) -> None:
    server.values = lambda _: vector((WEB, 1.0))
    made = Prometheus(server.url.replace("//", "//me:hunter%402@"))
    found = await made.read(question())
    await made.close()

    assert "hunter" not in found.source
    assert {item.authorization for item in server.asked} == {"Basic bWU6aHVudGVyQDI="}


@pytest.mark.parametrize("token", ["two\nlines", "a\x00b", "schlüssel"])
def test_a_token_that_can_be_no_header_is_refused_unshown(token: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_PROMETHEUS_TOKEN") as caught:
        Prometheus("http://p", token)

    assert token not in str(caught.value)


async def test_a_dead_server_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        dead = Prometheus(f"http://user:hunter2@127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(AskAgain, match="does not answer") as caught:
            await dead.read(question())
        await dead.close()

    assert "hunter2" not in str(caught.value)


async def test_a_server_that_is_too_slow_is_told(
    server: Server, prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT", 1e-6)
    with pytest.raises(AskAgain, match="does not answer"):
        await prometheus.read(question())


async def test_its_version_is_known_by_its_own_metric(server: Server, prometheus: Prometheus) -> None:
    server.values = lambda _: vector(({"version": "2.42.0"}, 1.0))
    first = await prometheus.version()
    server.values = lambda _: vector()

    assert (first, await prometheus.version()) == ("2.42.0", "")
