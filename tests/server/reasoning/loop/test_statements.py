"""Lies about a cluster are found out, all of them, and nothing true is called a lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.server.reasoning.loop import other_words
from tests.server.reasoning.loop.incident import hands, pod_of
from tests.server.reasoning.loop.statements import LIES, TRUTHS

from kubesteward.reasoning.loop.factcheck import _disputed, looked_up
from kubesteward.reasoning.loop.state import Claim, Culprit, Draft

pytestmark = pytest.mark.anyio
CHECKOUT = Culprit(kind="Deployment", namespace="shop", name="checkout")


def both(own: tuple[str, ...], others: tuple[str, ...]) -> list[Any]:
    """Those in the words of others are among the slow tests: there are many."""
    return [*own, *(pytest.param(one, marks=pytest.mark.slow) for one in others)]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Looker:
    """Looks claims up in the incident."""

    def __init__(self, client: Any, words: dict[str, str]) -> None:
        self._client = client
        self._told: dict[str, Any] = {}  # nothing changes, so that each thing need be asked once
        self.words = words

    async def silent(self, tool: str, /, **arguments: Any) -> Any:
        asked = f"{tool} {sorted(arguments.items())}"
        if asked not in self._told:
            self._told[asked] = await self._client.call(tool, **arguments)
        return self._told[asked]

    async def false(self, statement: str) -> list[Claim]:
        draft = Draft(status="ANSWERED", answer=statement.format(**self.words), culprit=CHECKOUT)
        found = await looked_up(draft, self)  # type: ignore[arg-type]  # as much of Calls as it needs
        return [claim for claim in found if claim.verdict == "false"]


@pytest.fixture(scope="module")
async def incident(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Looker]:
    folder: Path = tmp_path_factory.mktemp("incident")
    async with hands(folder) as client:
        bad, good = await pod_of(client), await pod_of(client, "Running")
        listed = await client.call("list_resources", kind="pods", namespace="shop", columns=["name", "node"])
        nodes = {item["name"]: item["node"] for item in listed.data["items"]}
        other = next(node for node in sorted(set(nodes.values())) if node != nodes[bad])
        yield Looker(client, {"bad": bad, "good": good, "node": nodes[bad], "other": other})


@pytest.mark.requirement("loop.lies")
@pytest.mark.parametrize("lie", both(LIES, other_words.LIES))
async def test_a_lie_is_found_out(incident: Looker, lie: str) -> None:
    assert await incident.false(lie), f"{lie} was believed"


@pytest.mark.requirement("loop.lies")
@pytest.mark.parametrize("statement", both(TRUTHS, other_words.TRUTHS))
async def test_what_is_true_is_not_called_a_lie(incident: Looker, statement: str) -> None:
    assert [f"{claim.kind} of {claim.subject}: {claim.why}" for claim in await incident.false(statement)] == []


def test_where_rules_and_look_up_disagree_neither_is_held_against_the_other() -> None:
    said = Claim(kind="exists", sentence='It is "so".', verdict="false", why="it is not")
    own = said.model_copy(update={"sentence": "It is otherwise."})

    assert [claim.verdict for claim in _disputed([said, own], r'{"diagnosis": "It is \"so\"."}')] == [
        "disputed",
        "false",
    ]
