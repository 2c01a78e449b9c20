"""The embedded incident with an App over it, and investigations of it with any brain."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from kubesteward.app import App
from kubesteward.cli.states import _logs
from kubesteward.embedded.scenarios import build
from kubesteward.mcp.loopback import Loopback, connect
from kubesteward.reasoning.brains.base import Brain
from kubesteward.reasoning.brains.builtin import BuiltIn
from kubesteward.reasoning.brains.registry import Chosen
from kubesteward.reasoning.brains.setups import Choice
from kubesteward.reasoning.loop.case import Case, Tell
from kubesteward.reasoning.loop.state import Budget, Investigation
from kubesteward.reasoning.running import Asked
from kubesteward.settings import Settings
from kubesteward.store.investigations import Investigations
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.resources import BUILT_IN

QUESTION = "Why is checkout not well?"
ME = "local:me"


def app_in(folder: Path, brain: Brain | None = None, **settings: Any) -> App:
    """Over a new incident, with its store in the folder; `brain` is the one that is set up."""
    found = Settings.load({}, state_dir=folder, principal=ME, rate_reads_per_minute=0, **settings)
    parts = {} if brain is None else {"brains": OneBrain(brain)}
    return App(found, clusters=Clusters.of({"incident": _played()}), **parts)


@cache
def _played() -> BundleSource:
    """The incident as it stands after it was played: nothing changes it any more."""
    store = build("incident", 3, time.time()).store
    return BundleSource(store, Kinds(BUILT_IN), _logs(store))


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
    app: App,
    client: Any,
    brain: Brain,
    tell: Tell = lambda _step, _text: None,
    budget: Budget | None = None,
    **more: Any,
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


class OneBrain:
    """Stands for all that were set up; the built-in one is there as well."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    def chosen(self, _principal: str, _role: str) -> Chosen:
        return Chosen(Choice((self._brain.name,)), "it is the only one")

    def named(self, name: str) -> Brain:
        return BuiltIn() if name == "builtin" else self._brain

    async def close(self) -> None:
        """Whoever made the brain closes it."""


CHECKOUT_SHORT = {"kind": "Deployment", "namespace": "shop", "name": "checkout"}
