"""`/metrics` tells whoever may scrape how the server does, and nobody else."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from mcp import Client
from tests.server.mcp.fakes import FakeGate, make_app
from tests.server.mcp.test_http import ALICE, served
from tests.server.telemetry.scraped import Scraped

from kubesteward.app import App
from kubesteward.mcp.http import make_application
from kubesteward.mcp.server import build
from kubesteward.telemetry.standing import Standing, look
from kubesteward_tools.errors import InvalidArguments

pytestmark = pytest.mark.anyio

SCRAPER = "scraper-" + "s" * 20


def metrics_of(url: str) -> str:
    return url.removesuffix("/mcp") + "/metrics"


async def get(url: str, **headers: str) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=10) as client:
        return await client.get(metrics_of(url), headers=headers)


async def scrape(url: str, **headers: str) -> Scraped:
    found = await get(url, **headers)
    assert found.status_code == 200, found.text
    return Scraped(found.text, open_metrics="openmetrics" in found.headers["content-type"])


@pytest.mark.requirement("telemetry.silent")
@pytest.mark.parametrize("accept", ["", "application/openmetrics-text; version=1.0.0"])
async def test_tool_calls_are_counted_by_outcome_and_timed(tmp_path: Path, accept: str) -> None:
    with served(tmp_path, FakeGate()) as url:
        async with Client(url) as client:
            for _ in range(3):
                await client.call_tool("look", {})
            await client.call_tool("look", {"limit": 1000})
            await client.call_tool("crash", {"how": "bug"})
            await client.call_tool("made-up by a client", {})
        found = await scrape(url, accept=accept)

    assert found.value("tool_calls_total", tool="look", outcome="ok") == 3
    assert found.value("tool_calls_total", tool="look", outcome="INVALID_ARGUMENTS") == 1
    assert found.value("tool_calls_total", tool="crash", outcome="INTERNAL") == 1
    assert found.value("tool_calls_total", tool="unknown", outcome="UNKNOWN_TOOL") == 1
    assert found.value("tool_call_seconds_count", tool="look") == 4
    assert found.value("tool_call_seconds_bucket", tool="look", le="+Inf") == 4
    assert found.value("store_up") == 1
    assert not any("made-up" in value or "http:" in value for value in found.labels())


async def test_what_is_refused_for_its_rate_is_counted_though_not_written_down(tmp_path: Path) -> None:
    with served(tmp_path, FakeGate(), rate_reads_per_minute=1) as url:
        async with Client(url) as client:
            await client.call_tool("look", {})
            await client.call_tool("look", {})
        found = await scrape(url)

    assert found.value("tool_calls_total", tool="look", outcome="RATE_LIMITED") == 1


async def test_a_page_that_calls_itself_by_another_name_reads_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as url:
        refused = await get(url, host="evil.example")
        without = await get(url, host="localhost")

    assert (refused.status_code, without.status_code) == (421, 200)


@pytest.mark.requirement("telemetry.scraping")
async def test_where_clients_need_a_token_scrapers_need_their_own(tmp_path: Path) -> None:
    with served(tmp_path, http_token=ALICE, metrics_token=SCRAPER) as url:
        answers = [
            (await get(url, **headers)).status_code
            for headers in (
                {},
                {"authorization": f"Bearer {ALICE}"},
                {"authorization": f"Basic {SCRAPER}"},
                {"authorization": f"Bearer {SCRAPER}"},
                {"authorization": f"bearer {SCRAPER}", "host": "10.0.0.7:8765"},
            )
        ]
        async with httpx2.AsyncClient(timeout=10) as client:
            posted = await client.post(url, headers={"authorization": f"Bearer {SCRAPER}"}, json={})

    assert posted.status_code == 401
    assert answers == [401, 401, 401, 200, 200]


async def test_where_clients_need_a_token_and_scrapers_have_none_there_is_nothing_to_scrape(tmp_path: Path) -> None:
    with served(tmp_path, http_token=ALICE) as url:
        answers = [await get(url), await get(url, authorization=f"Bearer {ALICE}")]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_guessing_the_scrapers_token_is_slowed_down(tmp_path: Path) -> None:
    with served(tmp_path, metrics_token=SCRAPER) as url:
        answers = [(await get(url, authorization=f"Bearer guess-{number}")).status_code for number in range(22)]
        right = await get(url, authorization=f"Bearer {SCRAPER}")

    assert answers[:20] == [401] * 20
    assert answers[-1] == 429
    assert right.status_code == 429


@pytest.mark.parametrize(
    ("token", "why"), [("short", "shorter than 16 characters"), (ALICE, "is a client's token too")]
)
def test_a_token_that_is_weak_or_a_clients_is_refused(tmp_path: Path, token: str, why: str) -> None:
    app = make_app(tmp_path, http_token=ALICE, metrics_token=token)

    with pytest.raises(InvalidArguments, match=why):
        make_application(build(app), app.settings, app)


async def test_a_server_that_nobody_scrapes_counts_nothing(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    async with Client(build(app)) as client:
        await client.call_tool("look", {})

    assert "metrics" not in vars(app)


async def test_scraping_opens_no_store_and_connects_to_no_cluster(tmp_path: Path) -> None:
    app = App(make_app(tmp_path).settings)

    assert await look(app) == Standing()
    assert {"store", "clusters", "people", "gate"} & set(vars(app)) == set()
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a test has nobody to hold up
