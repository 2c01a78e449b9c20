"""A change that needs a person: asked by form in either era, once, for exactly that change and that person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, MCPError
from mcp.client import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, ErrorData, InputRequiredResult
from tests.server.mcp.fakes import FakeGate, make_app

from kubesteward.app import App
from kubesteward.mcp.identity import Context, Identity
from kubesteward.mcp.server import build

pytestmark = pytest.mark.anyio

SCALE = {"name": "web", "replicas": 3}


@pytest.fixture(params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Person:
    """Answers every form alike and remembers what was asked."""

    def __init__(self, action: str = "accept", approve: bool = True) -> None:
        self.asked: list[str] = []
        self._result = ElicitResult(action=action, content={"approve": approve} if action == "accept" else None)

    async def __call__(self, _: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        self.asked.append(params.message)
        return self._result


def text_of(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


async def scale(app: App, mode: str, person: Person | None = None, **arguments: Any) -> CallToolResult:
    async with Client(build(app), mode=mode, elicitation_callback=person) as client:
        return await client.call_tool("scale", {**SCALE, **arguments})


async def test_an_approved_change_is_executed_once(tmp_path: Path, mode: str) -> None:
    gate, person = FakeGate(), Person()
    result = await scale(make_app(tmp_path, gate), mode, person)

    assert not result.is_error
    assert text_of(result).startswith("EXECUTED: Scale Deployment default/web to 3 replicas")
    assert gate.executed == ["act-1"]
    assert gate.decisions == [("act-1", True, "local:alice", "elicitation")]


async def test_the_form_shows_the_exact_calls(tmp_path: Path, mode: str) -> None:
    person = Person()
    await scale(make_app(tmp_path), mode, person)

    assert len(person.asked) == 1
    assert "Scale Deployment default/web to 3 replicas" in person.asked[0]
    assert 'PATCH /apis/apps/v1/namespaces/default/deployments/web/scale {"spec": {"replicas": 3}}' in person.asked[0]


async def test_the_form_shows_a_change_to_its_end_or_is_not_shown(tmp_path: Path, mode: str) -> None:
    gate, person = FakeGate(), Person()
    async with Client(build(make_app(tmp_path, gate)), mode=mode, elicitation_callback=person) as client:
        await client.call_tool("patch", {"patch": {"a": "x" * 2000, "image": "evil"}})
        result = await client.call_tool("patch", {"patch": {"a": "x" * 5000, "image": "evil"}})

    assert ['"image": "evil"' in message for message in person.asked] == [True]
    assert gate.executed == ["act-1"]
    assert text_of(result).startswith("APPROVAL_REQUIRED")
    assert "`kubesteward approve act-2`" in text_of(result)


@pytest.mark.parametrize("person", [Person("decline"), Person("accept", approve=False)], ids=["declined", "unticked"])
async def test_a_refusal_rejects_the_action(tmp_path: Path, mode: str, person: Person) -> None:
    gate = FakeGate()
    result = await scale(make_app(tmp_path, gate), mode, person)

    assert result.is_error
    assert text_of(result).startswith("REJECTED")
    assert gate.executed == []


async def test_a_closed_form_decides_nothing(tmp_path: Path, mode: str) -> None:
    gate = FakeGate()
    result = await scale(make_app(tmp_path, gate), mode, Person("cancel"))

    assert text_of(result).startswith("APPROVAL_REQUIRED")
    assert gate.decisions == []


async def test_a_client_that_fails_to_ask_decides_nothing(tmp_path: Path) -> None:
    async def broken(_: ClientRequestContext, __: ElicitRequestParams) -> ErrorData:
        return ErrorData(code=-32603, message="no screen")

    gate = FakeGate()
    async with Client(build(make_app(tmp_path, gate)), mode="legacy", elicitation_callback=broken) as client:
        result = await client.call_tool("scale", SCALE)

    assert text_of(result).startswith("APPROVAL_REQUIRED")
    assert gate.decisions == []


async def test_a_client_that_shows_no_forms_previews_unless_told_otherwise(tmp_path: Path, mode: str) -> None:
    gate = FakeGate()
    app = make_app(tmp_path, gate)
    preview = await scale(app, mode)
    pending = await scale(app, mode, dry_run=False)

    assert [terms["dry_run"] for terms in gate.proposals] == [True, False]
    assert text_of(preview).startswith("PREVIEWED")
    assert text_of(pending).startswith("APPROVAL_REQUIRED")
    assert "`kubesteward approve act-2`" in text_of(pending)
    assert gate.executed == []


async def test_a_blocked_change_asks_nobody(tmp_path: Path, mode: str) -> None:
    person = Person()
    result = await scale(make_app(tmp_path), mode, person, name="blocked")

    assert result.is_error
    assert "Blocked by Safety: the budget allows no disruption [rehearsal pdb.exhausted]" in text_of(result)
    assert person.asked == []


async def test_a_misspelt_term_changes_nothing(tmp_path: Path, mode: str) -> None:
    gate = FakeGate()
    result = await scale(make_app(tmp_path, gate), mode, Person(), dryrun=True)

    assert result.is_error
    assert gate.proposals == []


class Turnstile(Identity):
    """Lets a test say who calls."""

    who = "local:alice"

    def principal(self, ctx: Context) -> str:
        return self.who


async def _asked(client: Client, **arguments: Any) -> str:
    asked = await client.session.call_tool("scale", {**SCALE, **arguments}, allow_input_required=True)
    assert isinstance(asked, InputRequiredResult)
    assert asked.request_state
    return asked.request_state


async def _answer(client: Client, state: str, **arguments: Any) -> CallToolResult:
    answer = {"approval": ElicitResult(action="accept", content={"approve": True})}
    result = await client.session.call_tool(
        "scale", {**SCALE, **arguments}, input_responses=answer, request_state=state, allow_input_required=True
    )
    assert isinstance(result, CallToolResult)
    return result


async def test_an_approval_is_good_for_one_answer_however_many_come_at_once(tmp_path: Path) -> None:
    gate = FakeGate()
    results: list[CallToolResult] = []
    async with Client(build(make_app(tmp_path, gate)), mode="auto", elicitation_callback=Person()) as client:
        state = await _asked(client)

        async def answer() -> None:
            results.append(await _answer(client, state))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(answer)

    assert gate.executed == ["act-1"]
    assert sum(text_of(result).startswith("APPROVAL_INVALID") for result in results) == 19


async def test_an_approval_does_not_fit_other_arguments(tmp_path: Path) -> None:
    gate = FakeGate()
    async with Client(build(make_app(tmp_path, gate)), mode="auto", elicitation_callback=Person()) as client:
        state = await _asked(client)
        with pytest.raises(MCPError, match="requestState"):
            await _answer(client, state, replicas=0)

    assert gate.executed == []


@pytest.mark.parametrize("forged", ["v1.AAAA", "act-1", "v1." + "A" * 80])
async def test_a_forged_approval_is_refused(tmp_path: Path, forged: str) -> None:
    gate = FakeGate()
    async with Client(build(make_app(tmp_path, gate)), mode="auto", elicitation_callback=Person()) as client:
        await _asked(client)
        with pytest.raises(MCPError, match="requestState"):
            await _answer(client, forged)

    assert gate.executed == []


async def test_somebody_elses_approval_is_refused(tmp_path: Path) -> None:
    gate = FakeGate()
    app = make_app(tmp_path, gate)
    identity = Turnstile(app.settings)
    async with Client(build(app, identity), mode="auto", elicitation_callback=Person()) as client:
        state = await _asked(client)
        identity.who = "local:mallory"
        with pytest.raises(MCPError, match="requestState"):
            await _answer(client, state)

    assert gate.executed == []


async def test_another_server_accepts_no_approval_of_this_one(tmp_path: Path) -> None:
    gate = FakeGate()
    app = make_app(tmp_path, gate)
    async with Client(build(app), mode="auto", elicitation_callback=Person()) as first:
        state = await _asked(first)
    async with Client(build(app), mode="auto", elicitation_callback=Person()) as second:
        with pytest.raises(MCPError, match="requestState"):
            await _answer(second, state)

    assert gate.executed == []


@pytest.mark.requirement("mcp.cancel")
async def test_a_client_that_gives_up_stops_no_execution_half_way(tmp_path: Path, mode: str) -> None:
    gate = FakeGate(hold=anyio.Event())
    assert gate.hold is not None
    app = make_app(tmp_path, gate)
    async with Client(build(app), mode=mode, elicitation_callback=Person()) as client:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "scale", SCALE)
            with anyio.fail_after(5):
                await gate.started.wait()
            group.cancel_scope.cancel()
        gate.hold.set()
    await app.close()

    assert gate.executed == ["act-1"]


async def test_a_long_execution_is_answered_with_a_handle(tmp_path: Path, mode: str) -> None:
    gate = FakeGate(hold=anyio.Event())
    assert gate.hold is not None
    app = make_app(tmp_path, gate, approval_wait=0.05)
    result = await scale(app, mode, Person())
    gate.hold.set()
    await app.close()

    assert text_of(result).startswith("EXECUTING")
    assert "call get_action" in text_of(result)
    assert gate.executed == ["act-1"]
