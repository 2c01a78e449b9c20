"""Wishes, resumptions and deaths that meet: whatever the order, nothing is worked on twice and no wish is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import ME, app_in, asked
from tests.server.reasoning.loop.scripted import IDEAS, Scripted, says
from tests.server.reasoning.loop.test_resume import begun

from kubesteward.app import App
from kubesteward.reasoning.brains.base import Ask, Message
from kubesteward.store.investigations import Investigations
from kubesteward_tools.errors import Refused

pytestmark = pytest.mark.anyio


@pytest.fixture
async def apps(tmp_path: Path) -> AsyncIterator[tuple[App, App]]:
    """Two processes on one store, as far as ownership goes."""
    made = app_in(tmp_path), app_in(tmp_path)
    yield made
    for app in made:
        await app.close()


async def test_four_run_at_once_also_when_they_are_begun_in_one_breath(apps: tuple[App, App]) -> None:
    for _ in range(4):
        apps[0].investigator.begin(asked())

    with pytest.raises(Refused, match="4 investigations are under way"):
        apps[0].investigator.begin(asked())


async def test_resuming_is_no_way_round_that_limit(apps: tuple[App, App]) -> None:
    name = await begun(apps[0])
    apps[0].investigator.wish(name, "pause")
    await apps[0].investigator.wait(name)
    for _ in range(4):
        apps[0].investigator.begin(asked())

    with pytest.raises(Refused, match="4 investigations are under way"):
        apps[0].investigator.resume(name, ME)


@pytest.mark.parametrize("order", ["resume", "pause", "cancel"])
async def test_an_order_that_comes_as_it_ends_does_not_bring_it_back(
    apps: tuple[App, App], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    mine, theirs = apps
    name = await begun(mine)
    before = theirs.investigator.state(name)  # as another process read it, before it ended
    await mine.investigator.wait(name)
    monkeypatch.setattr(theirs.investigator, "state", lambda *_given: before)
    monkeypatch.setattr(theirs.investigator, "adopt", lambda *_given: None)

    act = theirs.investigator.resume if order == "resume" else partial(theirs.investigator.wish, what=order)
    with pytest.raises(Refused):
        act(name)
    assert mine.investigator.record(name)["run"] == "done"
    assert mine.investigator.record(name)["answer"]


@pytest.mark.parametrize(("wish", "status"), [("cancel", "cancelled"), ("pause", "paused")])
@pytest.mark.parametrize("kill", [True, False])
async def test_a_wish_outlives_the_process_that_should_have_read_it(
    tmp_path: Path, wish: str, status: str, kill: bool
) -> None:
    app, other = app_in(tmp_path), app_in(tmp_path)
    name = await begun(app)
    kept = Investigations(app.store)
    kept.wish(name, wish)
    if kill:
        body = kept.load(name)
        await app.close()
        Investigations(other.store).save({**(body or {}), "status": "running"}, "")  # as it stood when it was killed
        Investigations(other.store).wish(name, wish)
    else:
        await app.close()
    try:
        other.investigator.take_up()
        await other.investigator.wait(name, 20)

        assert other.investigator.record(name)["run"] == status
    finally:
        await other.close()


async def test_who_cancels_what_was_just_paused_has_it_cancelled(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:

        def tell(step: str, _text: str) -> None:
            if step == "context":
                app.investigator.wish(name, "pause")
            elif step == "end":
                return

        name = app.investigator.begin(asked(), tell)
        kept = Investigations(app.store)
        save = kept.wished

        def later(_self: Any, one: str) -> str:
            found = save(one)
            if found == "pause":
                kept.wish(one, "cancel")
            return found

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Investigations, "wished", later)
            await app.investigator.wait(name)

        assert app.investigator.record(name)["run"] == "cancelled"
    finally:
        await app.close()


async def test_of_many_that_resume_at_once_one_does(tmp_path: Path) -> None:
    apps = [app_in(tmp_path) for _ in range(4)]
    try:
        name = await begun(apps[0])
        apps[0].investigator.wish(name, "pause")
        await apps[0].investigator.wait(name)
        won = 0
        for app in apps:
            try:
                app.investigator.resume(name, ME)
                won += 1
            except Refused:
                continue

        assert won == 1
    finally:
        for app in apps:
            await app.close()


async def test_what_a_closed_process_had_half_done_is_done_again_and_not_taken_for_done(tmp_path: Path) -> None:
    two = says("I look twice.", ("get_events", {"namespace": "shop"}), ("what_changed", {"namespace": "shop"}))
    seen: list[str] = []

    def remember(ask: Ask) -> Message:
        seen.append(ask.messages[-1].parts[0].text)  # type: ignore[union-attr]  # results have a text
        return says("I suppose.", ("hypothesise", IDEAS))

    reached = asyncio.Event()
    app = app_in(tmp_path, Scripted(two))

    def tell(step: str, detail: str) -> None:
        if step == "evidence" and detail.startswith("get_events"):
            reached.set()

    name = app.investigator.begin(asked(brain="scripted"), tell)
    async with asyncio.timeout(30):
        await reached.wait()
    await app.close()
    app = app_in(tmp_path, Scripted(remember, says("Done.")))
    try:
        app.investigator.take_up()
        await app.investigator.wait(name, 30)
    finally:
        await app.close()

    assert seen[0].startswith("[call 1]")


async def test_who_takes_up_says_only_what_it_took(tmp_path: Path) -> None:
    app, *others = [app_in(tmp_path) for _ in range(3)]
    try:
        name = await begun(app)
        await app.close()
        first, second = others
        left = Investigations(app_in(tmp_path).store).unfinished(lambda _owner: True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Investigations, "unfinished", lambda *_given: left)  # both looked before either took it

            assert (first.investigator.take_up(), second.investigator.take_up()) == ([name], [])
    finally:
        for one in others:
            await one.close()


async def test_a_clock_that_was_set_back_makes_no_old_answer_fresh(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        first = app.investigator.begin(asked())
        await app.investigator.wait(first)
        kept = Investigations(app.store)
        body = kept.load(first) or {}
        kept.save({**body, "created": body["created"] + 86_400}, "")
        second = app.investigator.begin(asked())
        await app.investigator.wait(second)

        assert app.investigator.state(second).reused == ""
    finally:
        await app.close()


async def test_whose_rights_have_changed_is_told_nothing_of_before(tmp_path: Path) -> None:
    from dataclasses import replace

    app = app_in(tmp_path)
    try:
        first = app.investigator.begin(asked())
        await app.investigator.wait(first)
        less = replace(asked(), who={"channel": "stdio", "tiers": "1,2,3"})
        second = app.investigator.begin(less)
        await app.investigator.wait(second)

        assert app.investigator.state(second).reused == ""
    finally:
        await app.close()
