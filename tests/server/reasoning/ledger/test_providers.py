"""What the real SDKs report over their real wire is what the ledger counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.ledger.purse import ALICE, Purse
from tests.server.reasoning.loopback.script import Fail, Turn, Use
from tests.server.reasoning.loopback.server import MODEL
from tests.server.reasoning.providers import EVERY, ask, asked

from kubesteward.reasoning.brains.base import CallMade, Done, Usage
from kubesteward.reasoning.ledger.ledger import Ledger
from kubesteward.reasoning.ledger.metered import Metered
from kubesteward.reasoning.ledger.prices import Prices, parse

pytestmark = pytest.mark.anyio

TURN = Turn(say="I look.", calls=(Use("diagnose", {"namespace": "shop"}),), input=1000, output=50)


@pytest.mark.requirement("cost.unchanged")
@pytest.mark.parametrize("provider", EVERY)
async def test_a_second_question_is_not_sent_and_the_first_has_its_price(tmp_path: Path, provider: str) -> None:
    purse = Purse(tmp_path)
    ledger = Ledger(purse.store, purse.audit, Prices(parse(f"{MODEL}=2/10")), clock=purse.clock)
    async with asked(provider, Fail(429, retry_after="1"), TURN) as it:
        brain = Metered(it.brain, ledger, ALICE, world=lambda: "w-1")
        first = [event async for event in brain.stream(ask())]
        again = [event async for event in brain.stream(ask())]
        requests = len(it.server.heard)

    assert requests == 2  # the refusal, and one answer
    assert isinstance(first[-1], Done)
    assert isinstance(again[-1], Done)
    assert (again[-1].message, again[-1].usage) == (first[-1].message, Usage())
    assert again[0] == CallMade(first[-1].message.calls[0])
    assert [tuple(row) for row in purse.store.db.execute("SELECT model, input, output, money, cached FROM usage")] == [
        (MODEL, 1000, 50, 2_500, 0),
        (MODEL, 0, 0, 0, 1),
    ]
    assert purse.sum("SELECT COUNT(*) FROM holds") == 0
