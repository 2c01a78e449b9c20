"""What models write about incidents is looked up in their words too: bullets, tables, code, several claims at once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.answers_in_markdown import LIES, TRUTHS
from tests.server.reasoning.loop.test_statements import Looker

from kubesteward.app import App
from kubesteward.cli.states import _logs
from kubesteward.embedded.scenarios import build
from kubesteward.mcp.loopback import connect
from kubesteward.reasoning.facts.read import is_ready
from kubesteward.reasoning.loop.factcheck import looked_up
from kubesteward.reasoning.loop.state import Culprit, Draft
from kubesteward.settings import Settings
from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.twin.resources import BUILT_IN

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
ABOUT = {
    "incident": Culprit(kind="Deployment", namespace="shop", name="checkout"),
    "missing-config": Culprit(kind="Deployment", namespace="shop", name="cart"),
    "node-down": Culprit(kind="Node", name="node-2"),
    "quota": Culprit(kind="Deployment", namespace="shop", name="web"),
}
Judge = Callable[[str], Any]


def words(pods: list[dict[str, Any]], app: str) -> dict[str, str]:
    mine = [pod for pod in pods if pod["metadata"]["name"].startswith(f"{app}-")]
    good = next(pod for pod in mine if is_ready(pod))
    bad = next((pod for pod in mine if not is_ready(pod)), good)
    node = bad["spec"]["nodeName"]
    other = next(name for name in ("node-1", "node-2", "node-3") if name != node)
    return {"bad": bad["metadata"]["name"], "good": good["metadata"]["name"], "node": node, "other": other}


@pytest.fixture(params=sorted(LIES))
async def judged(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[str, Judge]]:
    store = build(request.param, 3, time.time()).store
    found = Settings.load({}, state_dir=tmp_path, principal="local:me", rate_reads_per_minute=0)
    app = App(found, clusters=Clusters.of({"incident": BundleSource(store, Kinds(BUILT_IN), _logs(store))}))
    about = ABOUT[request.param]
    named = words(store.objects("pods", "shop"), "checkout" if about.kind == "Node" else about.name)
    try:
        async with connect(app) as client:
            looker = Looker(client, named)

            async def judge(statement: str) -> list[str]:
                draft = Draft(status="ANSWERED", answer=statement.format(**named), culprit=about)
                claims = await looked_up(draft, looker)  # type: ignore[arg-type]  # as much of Calls as it needs
                return [f"{claim.kind}: {claim.why}" for claim in claims if claim.verdict == "false"]

            yield request.param, judge
    finally:
        await app.close()


@pytest.mark.requirement("loop.lies")
async def test_lies_in_the_words_of_answers_are_found_out(judged: tuple[str, Judge]) -> None:
    scenario, judge = judged

    assert [lie for lie in LIES[scenario] if not await judge(lie)] == []


@pytest.mark.requirement("loop.lies")
async def test_truths_in_the_words_of_answers_are_let_pass(judged: tuple[str, Judge]) -> None:
    scenario, judge = judged
    called = {statement: why for statement in TRUTHS[scenario] if (why := await judge(statement))}

    assert called == {}
