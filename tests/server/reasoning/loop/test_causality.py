"""A cause comes before its effect and is connected to it; what is not is sent back once, and then believed less."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop.scripted import Pretend
from tests.server.reasoning.loop.test_conversation import case_of

from kubesteward.reasoning.loop.calls import Calls, Said
from kubesteward.reasoning.loop.case import Case
from kubesteward.reasoning.loop.causality import validate
from kubesteward.reasoning.loop.state import Culprit, Draft

pytestmark = pytest.mark.anyio
NOW = {"clusters": [{"as_of": "2026-11-21T12:00:00Z"}]}
WEB = Culprit(kind="Deployment", namespace="shop", name="web")
SETTINGS = Culprit(kind="ConfigMap", namespace="shop", name="settings")
BEGAN = "2026-11-21T11:00:00Z"


class World(Pretend):
    """A ConfigMap and a Deployment, either of which was made or rolled out at some time."""

    def __init__(self, *, apart: bool = False, made: str = "08:00", rolled_out: str = "") -> None:
        super().__init__()
        self._apart = apart
        self._made = f"2026-11-21T{made}:00Z"
        self._changes = [{"object": "Deployment/web", "kind": "created", "at": self._made}]
        if rolled_out:
            change = {"object": "Deployment/web", "kind": "rollout", "at": f"2026-11-21T{rolled_out}:00Z"}
            self._changes.append(change)

    async def call(self, tool: str, /, **arguments: Any) -> Said:
        if tool == "get_topology":
            names = [arguments["resource"]] if self._apart else ["Deployment/web", "ConfigMap/settings"]
            ids = [{"id": name.replace("/", "/shop/")} for name in names]
            return Said("", {"nodes": ids}, is_error=False)
        obj = {"metadata": {"name": arguments.get("name"), "creationTimestamp": self._made}}
        return Said("", {"scope": NOW, "objects": [obj], "changes": self._changes}, is_error=False)


def doubted(tmp_path: Path, world: Pretend, culprit: Culprit = SETTINGS, **draft: Any) -> tuple[Case, Calls]:
    case = case_of(tmp_path, hands=world)
    case.state.intent.target = WEB
    told = {"status": "ANSWERED", "answer": "That.", "since": BEGAN, "confidence": 0.8, "category": "ConfigMissing"}
    case.state.draft = Draft.model_validate({**told, "culprit": culprit, **draft})
    return case, Calls(case, [])


async def test_a_cause_that_was_there_before_and_is_connected_stands(tmp_path: Path) -> None:
    case, calls = doubted(tmp_path, World())

    assert await validate(case, calls)
    assert case.state.trace[-1].detail == (
        "ConfigMap shop/settings: there is a way in the graph from it to Deployment shop/web; "
        f"it was there when the trouble began ({BEGAN})"
    )


@pytest.mark.parametrize(
    ("world", "draft", "why"),
    [
        (World(apart=True), {}, "no way in the graph"),
        (World(made="11:30"), {}, "was made 30 minutes after"),
        (World(), {"since": "2026-11-21T13:00:00Z"}, "is still to come"),
        (World(rolled_out="11:51"), {"culprit": WEB, "category": "BadRollout"}, "came 51 minutes after"),
    ],
)
async def test_any_other_is_sent_back_once_and_then_believed_less(
    tmp_path: Path, world: World, draft: dict[str, Any], why: str
) -> None:
    case, calls = doubted(tmp_path, world, **draft)
    conclusion = case.state.draft

    assert not await validate(case, calls)
    assert case.state.draft is None
    assert why in case.state.talk[-1].text
    case.state.draft = conclusion
    assert await validate(case, calls)
    assert case.state.draft is not None
    assert case.state.draft.confidence == 0.4


async def test_a_roll_out_before_the_trouble_may_have_caused_it(tmp_path: Path) -> None:
    case, calls = doubted(tmp_path, World(rolled_out="10:59"), WEB, category="BadRollout")

    assert await validate(case, calls)


@pytest.mark.parametrize(
    ("world", "draft", "told"),
    [
        (World(), {"since": ""}, "the order in time was not looked up"),
        (Pretend(), {}, "it is not there"),
        (World(made="11:30"), {"culprit": Culprit(kind="Pod", namespace="shop", name="web")}, "made anew since"),
    ],
)
async def test_what_was_not_looked_up_is_not_told_as_looked_up(
    tmp_path: Path, world: Pretend, draft: dict[str, Any], told: str
) -> None:
    case, calls = doubted(tmp_path, world, **{"culprit": WEB, **draft})

    assert await validate(case, calls)
    assert told in case.state.trace[-1].detail
