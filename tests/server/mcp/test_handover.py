"""What a caller is told and asked when a change runs alone, or needs two."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.server.gate.lab import ALICE, Lab, patch, scale
from tests.server.gate.test_guardrails import rules
from tests.server.gate.test_two_persons import CONFIG

from kubesteward.middleware.call import Answered, Call, Reply
from kubesteward.middleware.handover import Handover

pytestmark = pytest.mark.anyio

TERMS = {"dry_run": False, "justification": "", "idempotency_key": ""}


class Person:
    """Says yes to every form, and remembers them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, message: str) -> Answered:
        self.asked.append(message)
        return Answered("accept", approve=True)


async def hand(lab: Lab, change: Any, person: Person, **terms: Any) -> Reply:
    app: Any = SimpleNamespace(gate=lab.gate, settings=lab.settings, background=asyncio.ensure_future)
    call = Call("scale", None, {}, ALICE, ask=person)
    return await Handover(app).propose(call, change, {**TERMS, **terms})


async def test_what_runs_alone_is_executed_at_once_and_asks_nobody(tmp_path: Path) -> None:
    lab, person = Lab(tmp_path, autonomy=4), Person()
    reply = await hand(lab, scale(4), person)

    assert reply.text.startswith("EXECUTED")
    assert person.asked == []


async def test_the_default_is_a_preview_for_whoever_cannot_be_asked_at_any_level(tmp_path: Path) -> None:
    lab = Lab(tmp_path, autonomy=4)
    app: Any = SimpleNamespace(gate=lab.gate, settings=lab.settings, background=asyncio.ensure_future)
    caller = type(ALICE)("token:robot", channel="http")
    reply = await Handover(app).propose(Call("scale", None, {}, caller), scale(4), {**TERMS, "dry_run": None})

    assert reply.text.startswith("PREVIEWED")


async def test_a_form_takes_the_first_yes_of_two_and_says_that_it_is_the_first(tmp_path: Path) -> None:
    lab, person = Lab(tmp_path, policies=rules(tmp_path, ("two", "require_two", "true"))), Person()
    reply = await hand(lab, scale(4), person)

    assert "Two persons have to agree: a yes here is the first, and somebody else gives the second." in person.asked[0]
    assert reply.text.startswith("APPROVAL_REQUIRED")
    assert "1 of 2 persons have agreed, local:alice first: it waits for a second person" in reply.text
    assert reply.data is not None
    assert reply.data["waiting"].endswith("a second person")
    assert lab.writer.writes == []


async def test_what_is_protected_is_never_put_into_a_form(tmp_path: Path) -> None:
    lab, person = Lab(tmp_path), Person()
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt"
    reply = await hand(lab, patch({"metadata": {"labels": {"x": "y"}}}, path, CONFIG), person)

    assert person.asked == []
    assert "Two persons have to agree, and the second is not local:alice" in reply.text


async def test_a_denial_by_a_guardrail_names_the_way_to_an_exception(tmp_path: Path) -> None:
    lab = Lab(tmp_path, policies=rules(tmp_path, ("many", "deny", "true")))
    reply = await hand(lab, scale(4), Person())

    assert "Somebody other than local:alice can grant an exception: `kubesteward policy except many" in reply.text
