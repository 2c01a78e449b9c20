"""The embedded incident with an App over it, and investigations of it with any brain."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from kubesteward.app import App
from kubesteward.cli.states import State
from kubesteward.mcp.loopback import Loopback, connect
from kubesteward.reasoning.brains.base import Brain
from kubesteward.reasoning.brains.builtin import BuiltIn
from kubesteward.reasoning.loop.case import Case, Tell
from kubesteward.reasoning.loop.state import Budget, Investigation
from kubesteward.reasoning.running import Asked
from kubesteward.settings import Settings
from kubesteward.store.investigations import Investigations

QUESTION = "Why is checkout not well?"
ME = "local:me"


def app_in(folder: Path, **settings: Any) -> App:
    """Over a new incident, with its store in the folder."""
    found = Settings.load({}, state_dir=folder, principal=ME, rate_reads_per_minute=0, **settings)
    return App(found, clusters=State(scenario="incident").clusters())


def asked(question: str = QUESTION, brain: str = "builtin", **more: Any) -> Asked:
    return Asked(question, ME, brain=brain, who={"channel": "stdio"}, **more)


@asynccontextmanager
async def hands(folder: Path) -> AsyncIterator[Loopback]:
    app = app_in(folder)
    try:
        async with connect(app) as client:
            yield client
    finally:
        await app.close()


async def pod_of(client: Loopback, status: str = "CrashLoopBackOff") -> str:
    """The name of a pod of checkout with that status."""
    answer = await client.call("list_resources", kind="pods", namespace="shop")
    found = [item["name"] for item in answer.data["items"] if item["name"].startswith("checkout-")]
    broken = {item["name"] for item in answer.data["items"] if item["status"] == "CrashLoopBackOff"}
    return next(name for name in found if (name in broken) == (status == "CrashLoopBackOff"))


def case_of(
    app: App, client: Any, brain: Brain, tell: Tell = lambda _step, _text: None, budget: Budget | None = None, **more: Any
) -> Case:
    state = Investigation(
        id="inv-test",
        principal=ME,
        question=QUESTION,
        brain=brain.name,
        budget=budget or Budget(),
        created=time.time(),
        **more,
    )
    kept = Investigations(app.store)
    kept.begin(state.model_dump(mode="json"), "")
    return Case(state, client, brain, kept, tell=tell, fallback=BuiltIn())


async def investigated(app: App, question: str = QUESTION, **more: Any) -> Mapping[str, Any]:
    """To the end; the record."""
    name = app.investigator.begin(asked(question, **more))
    await app.investigator.wait(name)
    return app.investigator.record(name)
