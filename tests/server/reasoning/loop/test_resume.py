"""Whatever ends a process in the middle of an investigation, another one goes on, and nothing is paid twice."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import app_in, asked, investigated
from tests.server.reasoning.loop.plot import TRUE, WHOLE
from tests.server.reasoning.providers import asked as served

from kubesteward.app import App

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[4]


async def begun(app: App) -> str:
    """One that is at work."""
    works = asyncio.Event()
    name = app.investigator.begin(asked(), lambda _step, _text: works.set())
    async with asyncio.timeout(30):
        await works.wait()
    return name


async def killed(folder: Path, url: str, key: str, dies_at: int) -> int:
    """Run the worker until it kills itself; how it ended."""
    words = (str(folder), "openai", url, key, str(dies_at))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.server.reasoning.loop.worker", *words, cwd=ROOT
    )
    async with asyncio.timeout(60):
        return await process.wait()


@pytest.mark.requirement("loop.resumes")
@pytest.mark.parametrize(
    "dies_at", [3, pytest.param(1, marks=pytest.mark.slow), pytest.param(5, marks=pytest.mark.slow)]
)
async def test_after_kill_9_another_process_goes_on_without_paying_twice(tmp_path: Path, dies_at: int) -> None:
    async with served("openai", *WHOLE) as made:
        server = made.server
        assert await killed(tmp_path, server.url, server.key, dies_at) == -9
        left = server.script.left
        app = app_in(tmp_path, made.brain)
        try:
            [name] = app.investigator.take_up()
            await app.investigator.wait(name)
            record = app.investigator.record(name)
        finally:
            await app.close()

        assert left == len(WHOLE) - dies_at
        assert server.script.left == 0
        assert (record["run"], record["answer"]) == ("done", TRUE)
        assert record["usage"]["turns"] == len(WHOLE)


async def test_nobody_takes_up_what_a_living_process_works_on(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    other = app_in(tmp_path)
    try:
        name = await begun(app)

        assert other.investigator.take_up() == []
        await app.investigator.wait(name)
    finally:
        await app.close()
        await other.close()


async def test_what_a_server_left_when_it_was_closed_is_taken_up(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    name = await begun(app)
    await app.close()
    app = app_in(tmp_path)
    try:
        assert app.investigator.take_up() == [name]
        await app.investigator.wait(name)

        assert app.investigator.record(name)["status"] == "ANSWERED"
    finally:
        await app.close()


async def test_a_paused_investigation_goes_on_when_it_is_told_to(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        heard = list[str]()

        def pause(step: str, _text: str) -> None:
            heard.append(step)
            if heard.count("context") == 1 and step == "context":
                app.investigator.wish(name, "pause")

        name = app.investigator.begin(asked(), pause)
        await app.investigator.wait(name)
        assert app.investigator.record(name)["run"] == "paused"
        assert not app.investigator.state(name).hypotheses

        app.investigator.resume(name)
        await app.investigator.wait(name)
        assert app.investigator.record(name)["status"] == "ANSWERED"
    finally:
        await app.close()


async def test_a_cancelled_investigation_ends_after_its_step(tmp_path: Path) -> None:
    app, other = app_in(tmp_path), app_in(tmp_path)
    try:
        name = app.investigator.begin(asked())
        other.investigator.wish(name, "cancel")
        await app.investigator.wait(name)

        assert app.investigator.record(name)["run"] == "cancelled"
    finally:
        await app.close()
        await other.close()


async def test_the_same_question_about_an_unchanged_world_costs_nothing_the_second_time(tmp_path: Path) -> None:
    async with served("openai", *WHOLE) as made:
        app = app_in(tmp_path, made.brain)
        app.measuring = True
        try:
            first = await investigated(app, brain="main")
            second = await investigated(app, brain="main")
            worlds = [row[0] for row in app.store.db.execute("SELECT DISTINCT world FROM answers")]
            figures = list(app.metrics.registry.collect())
        finally:
            await app.close()

        assert (first["usage"]["input"], second["usage"].get("input", 0)) == (500, 0)
        assert (second["usage"]["reused"], second["answer"]) == (first["id"], TRUE)
        assert second["usage"]["claims_checked"] > 0
        assert worlds == [first["context"]["digest"]]  # what the ledger keeps its answers by
        [reused] = [item for item in figures if item.name == "kubesteward_investigations_reused"]
        assert reused.samples[0].value == 1


async def test_what_nobody_works_on_is_cancelled_at_once(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    name = await begun(app)
    await app.close()
    app = app_in(tmp_path)
    try:
        app.investigator.wish(name, "cancel")

        assert app.investigator.record(name)["run"] == "cancelled"
        assert app.investigator.take_up() == []
    finally:
        await app.close()
