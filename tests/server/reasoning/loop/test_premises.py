"""What is to stay on the premises does not leave: looked for in everything that a brain elsewhere is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.incident import app_in, asked, investigated
from tests.server.reasoning.loop.plot import WHOLE
from tests.server.reasoning.loop.scripted import END, IDEAS, WEIGHED, Scripted, says
from tests.server.reasoning.providers import asked as served

from kubesteward.reasoning.brains.base import BrainForbidden, Done, Switched
from kubesteward.reasoning.brains.chain import Chain
from kubesteward.reasoning.estimates import question_before

pytestmark = pytest.mark.anyio


class Elsewhere(Scripted):
    local = False


def told(brain: Scripted) -> str:
    return "\n".join(str(ask.messages) for ask in brain.asks)


async def record_of(tmp_path: Path, brain: Any, places: str, **more: Any) -> Any:
    app = app_in(tmp_path, brain, local_brains_only=places)
    try:
        return await investigated(app, brain=brain.name, **more)
    finally:
        await app.close()


@pytest.mark.requirement("brains.kept-back")
@pytest.mark.parametrize("places", ["incident/shop", "inc*/sh?p", "incident", "*"])
async def test_nothing_is_sent_about_a_namespace_that_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, places: str
) -> None:
    async with served("openai", *WHOLE) as made:
        monkeypatch.setattr(type(made.brain), "local", property(lambda _brain: False))
        record = await record_of(tmp_path, made.brain, places)
        assert made.server.script.left == len(WHOLE)

    assert (record["brain"]["name"], record["status"]) == ("builtin", "ANSWERED")
    assert record["brain"]["status"].startswith("brain not asked: main: ")
    assert "KUBESTEWARD_LOCAL_BRAINS_ONLY" in record["brain"]["status"]
    assert "offline" not in record["brain"]["status"]


async def test_a_question_about_the_whole_cluster_is_about_what_stays_here_too(tmp_path: Path) -> None:
    brain = Elsewhere(says("I end.", ("conclude", END)))
    record = await record_of(tmp_path, brain, "incident/kube-system", target="node/node-1")

    assert not brain.asks
    assert "namespace kube-system of incident" in record["brain"]["status"]


async def test_other_namespaces_are_told_without_what_stays_here(tmp_path: Path) -> None:
    brain = Elsewhere(
        says("I look there.", ("list_resources", {"kind": "pods", "namespace": "kube-system"})),
        says("I look at all.", ("list_resources", {"kind": "namespaces"})),
        says("I look at mine.", ("get_events", {"namespace": "shop"})),
        says("Three.", ("hypothesise", IDEAS)),
        says("I weigh.", ("weigh", WEIGHED)),
        says("I end.", ("conclude", END)),
    )
    record = await record_of(tmp_path, brain, "incident/kube-system", target="deployment/checkout", namespace="shop")

    assert record["brain"]["name"] == "scripted"
    assert "Kept back" in told(brain)
    assert "kube-root-ca" not in told(brain)
    assert "checkout" in told(brain)
    kept = [item["detail"] for item in record["explanation_trace"] if item["step"] == "policy"]
    assert any(item.startswith("list_resources(") and "Kept back" in item for item in kept)


async def test_a_look_up_tells_no_brain_elsewhere_of_what_stays_here(tmp_path: Path) -> None:
    guess = {**END, "answer": "checkout is at 33% capacity.", "status": "ANSWERED", "category": "", "culprit": None}
    brain = Elsewhere(
        says("I look.", ("diagnose", {"namespace": "kube-system"})),
        says("I suppose.", ("hypothesise", IDEAS)),
        says("So.", ("weigh", WEIGHED)),
        says("I guess.", ("conclude", guess)),
    )
    await record_of(tmp_path, brain, "incident/shop", target="deployment/coredns", namespace="kube-system")

    assert "was looked up" not in told(brain)
    assert "2 of 3" not in told(brain)


async def test_a_brain_on_the_premises_is_told_everything(tmp_path: Path) -> None:
    brain = Scripted(says("Three.", ("hypothesise", IDEAS)), says("I end.", ("conclude", END)))
    record = await record_of(tmp_path, brain, "*")

    assert record["brain"] == {"name": "scripted", "model": "model", "status": "online"}


class Forbidden(Elsewhere):
    name = "cloud"


async def test_the_next_brain_of_a_chain_goes_on_where_the_first_may_not_be_told() -> None:
    from tests.server.reasoning.providers import ask

    first = Forbidden(BrainForbidden("it stays here"))
    events = [event async for event in Chain([first, Scripted(says("Here."))]).stream(ask())]

    assert Switched("cloud", "scripted", "it stays here", offline=False) in events
    assert isinstance(events[-1], Done)
    with pytest.raises(BrainForbidden, match="cloud: it stays here"):
        _ = [event async for event in Chain([first]).stream(ask())]


async def test_nobody_is_asked_to_agree_to_a_cost_that_cannot_arise(tmp_path: Path) -> None:
    app = app_in(tmp_path, Elsewhere(says("Hm.")), local_brains_only="incident/shop")
    try:
        stays, leaves = (
            question_before(app, asked(brain="scripted", namespace=namespace)) for namespace in ("shop", "other")
        )
    finally:
        await app.close()

    assert stays == ""
    assert "Go on?" in leaves
