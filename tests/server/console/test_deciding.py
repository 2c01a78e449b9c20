"""A decision on the page: on what is shown, by who is there, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.server.console.visitor import WHO, Desk, Seen
from tests.server.gate.lab import PATH, label, patch, scale

from kubesteward.console.pages import DECISIONS, FORM_BYTES
from kubesteward_policies.change import STRATEGIC_PATCH

pytestmark = pytest.mark.anyio

SECRET = "hunter2-correct-horse"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Desk(tmp_path) as found:
        await found.enter()
        yield found


async def test_an_action_is_approved_and_then_executed(desk: Desk) -> None:
    action = await desk.lab.propose(scale(4))
    answer = await desk.decide(action.id, comment="looks right")
    (made,) = desk.lab.gate.actions.get(action.id).approvals
    executed = await desk.lab.gate.execute(action.id)
    (audited,) = desk.lab.records("decided")

    assert answer.status_code == 303
    assert (made.approver, made.channel, made.comment, made.digest) == (WHO, "page", "looks right", action.digest)
    assert (audited["approver"], audited["channel"], audited["approved"]) == (WHO, "page", True)
    assert executed.status == "executed"
    assert desk.lab.live()["spec"]["replicas"] == 4


async def test_an_action_is_rejected(desk: Desk) -> None:
    action = await desk.lab.propose(scale(4))
    await desk.decide(action.id, "reject", comment="not today")
    seen = await desk.see(f"/actions/{action.id}")

    assert desk.lab.gate.actions.get(action.id).status == "rejected"
    assert "There is nothing to decide: rejected" in seen.text
    assert "button" not in [tag for tag, names in seen.outline if "value" in names]


@pytest.mark.requirement("page.bound")
async def test_a_form_sent_twice_decides_once(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    seen = await desk.see(f"/actions/{action.id}")
    fields = {**seen.fields, "decision": "approve"}
    answers = [await desk.send(f"/actions/{action.id}", fields) for _ in range(3)]

    assert [item.status_code for item in answers] == [303, 409, 409]
    assert "Its state is now: approved" in answers[1].text
    assert f"“{WHO}” approved it at" in answers[1].text
    assert len(desk.lab.gate.actions.get(action.id).approvals) == 1


async def test_of_many_answers_at_once_one_decides(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    seen = await desk.see(f"/actions/{action.id}")
    forms = [{**seen.fields, "decision": word} for word in ("approve", "reject") * 12]
    answers = await asyncio.gather(*(desk.send(f"/actions/{action.id}", form) for form in forms))

    assert sorted(item.status_code for item in answers) == [303] + [409] * 23
    assert len(desk.lab.gate.actions.get(action.id).approvals) == 1


async def test_decisions_are_bounded(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    answers = [(await desk.send(f"/actions/{action.id}", {})).status_code for _ in range(DECISIONS[0] + 1)]

    assert answers == [403] * DECISIONS[0] + [429]


@pytest.mark.parametrize(
    "change", [{"seal": ""}, {"seal": "0" * 64}, {"seal": "ü"}, {"digest": "sha256:other"}, {"digest": ""}]
)
async def test_a_form_that_the_page_did_not_give_decides_nothing(desk: Desk, change: dict[str, str]) -> None:
    action = await desk.lab.propose(label("x"))
    answer = await desk.decide(action.id, **change)

    assert answer.status_code == 403
    assert desk.lab.gate.actions.get(action.id) == action


async def test_a_form_decides_neither_another_action_nor_in_another_session(desk: Desk, tmp_path: Path) -> None:
    one, other = await desk.lab.propose(label("x")), await desk.lab.propose(label("y"))
    fields = {**(await desk.see(f"/actions/{one.id}")).fields, "decision": "approve"}
    leave = {**(await desk.see("/")).fields, "decision": "approve", "digest": one.digest}
    async with Desk(tmp_path) as elsewhere:
        await elsewhere.enter()
        answers = [
            await desk.send(f"/actions/{other.id}", fields),
            await desk.send(f"/actions/{one.id}", leave),
            await elsewhere.send(f"/actions/{one.id}", fields),
        ]

    assert [item.status_code for item in answers] == [403, 403, 403]
    assert desk.lab.gate.actions.get(one.id) == one


@pytest.mark.requirement("page.bound")
async def test_a_stale_page_is_refused_and_told_what_has_changed(desk: Desk) -> None:
    action = await desk.lab.propose(scale(1))
    if action.status != "pending_approval":
        action = await desk.lab.propose(label("x"))
    seen = await desk.see(f"/actions/{action.id}")
    fields = {**seen.fields, "decision": "approve"}
    table = desk.lab.gate.actions
    worse = action.rehearsal.model_copy(update={"verdict": "unknown"})
    taken = table.move(table.approve(action.id, "somebody"), "executing", "taken")
    versions = dict.fromkeys(action.versions, "999")
    table.move(taken, "pending_approval", "rehearsed_again", rehearsal=worse, versions=versions, digest="sha256:new")
    answer = await desk.send(f"/actions/{action.id}", fields)

    assert answer.status_code == 409
    assert "“somebody” approved it at" in answer.text
    assert "“deployments.apps shop/web” was changed by somebody else in the cluster." in answer.text
    assert f"The rehearsal says unknown; it said {action.rehearsal.verdict}." in answer.text
    assert table.get(action.id).status == "pending_approval"


async def test_an_expired_action_is_not_approved(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    action = await desk.lab.propose(label("x"))
    seen = await desk.see(f"/actions/{action.id}")
    monkeypatch.setattr("kubesteward.gate.actions.time.time", lambda: action.expires + 1)
    answer = await desk.send(f"/actions/{action.id}", {**seen.fields, "decision": "approve"})

    assert answer.status_code == 409
    assert "has expired" in answer.text
    assert desk.lab.gate.actions.get(action.id).status == "expired"


async def test_an_action_whose_time_has_run_out_shows_no_form(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    desk.late = 601.0
    seen = await desk.see(f"/actions/{action.id}")

    assert "its time has run out" in seen.text
    assert "digest" not in seen.fields


@pytest.mark.parametrize("decision", ["", "yes", "APPROVE"])
async def test_anything_but_yes_or_no_decides_nothing(desk: Desk, decision: str) -> None:
    action = await desk.lab.propose(label("x"))
    answer = await desk.decide(action.id, decision)

    assert answer.status_code == 400
    assert desk.lab.gate.actions.get(action.id) == action


async def test_forms_that_are_too_large_or_say_things_twice_are_refused(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    large = await desk.decide(action.id, comment="x" * FORM_BYTES)
    kind = {"Origin": "http://127.0.0.1:4321", "Content-Type": "application/x-www-form-urlencoded"}
    twice = await desk.visitor.post(f"/actions/{action.id}", content=b"decision=reject&decision=approve", headers=kind)

    assert [large.status_code, twice.status_code] == [413, 400]
    assert desk.lab.gate.actions.get(action.id) == action


async def test_an_unknown_action_and_a_blocked_one_have_nothing_to_decide(desk: Desk) -> None:
    blocked = await desk.lab.propose(patch({"spec": {"replicas": -1}}))
    unknown = await desk.visitor.get("/actions/act-00000000")
    seen = await desk.see(f"/actions/{blocked.id}")

    assert unknown.status_code == 404
    assert "There is nothing to decide: blocked by the gate" in seen.text


async def test_the_list_has_what_waits_first(desk: Desk) -> None:
    empty = await desk.see()
    done, waits = await desk.lab.propose(label("x")), await desk.lab.propose(label("y"))
    await desk.decide(done.id, "reject")
    seen = await desk.see()

    assert "Nothing waits for a decision." in empty.text
    ids = [link.rpartition("/")[2] for link in seen.links if "/actions/" in link]
    assert ids == [waits.id, done.id]


async def test_the_page_shows_all_that_a_decision_needs(desk: Desk) -> None:
    action = await desk.lab.propose(scale(4), justification="more load")
    text = (await desk.see(f"/actions/{action.id}")).text

    for part in (
        "Ready pods and endpoints",
        "Best case: new pods become ready",
        "Worst case: they never do",
        "Timeline, if new pods become ready",
        "Blast radius",
        "spec.replicas - 3 + 4",
        "rollout.would_stall",
        "Remedy:",
        "asks for a person approval.person",
        "more load",
        "the client that calls itself test 1.0",
        f"PATCH {PATH}/scale",
        "time left: 9 min",
    ):
        assert part in text


async def test_no_secret_is_shown(desk: Desk) -> None:
    container = {"name": "main", "env": [{"name": "DB_PASSWORD", "value": SECRET}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    action = await desk.lab.propose(patch(body, content_type=STRATEGIC_PATCH), justification=f"password={SECRET}")
    page = (await desk.visitor.get(f"/actions/{action.id}")).text

    assert SECRET not in page
    assert "DB_PASSWORD" in page
    assert SECRET not in str(desk.lab.gate.actions.get(action.id).diff)


@pytest.mark.requirement("page.keyboard")
async def test_everything_works_without_scripts(desk: Desk) -> None:
    """The whole way by links and forms alone, as a browser without scripts follows them."""
    action = await desk.lab.propose(label("x"))
    index = Seen((await desk.visitor.get("/")).text)
    (link,) = [item for item in index.links if action.id in item]
    page = Seen((await desk.visitor.get(link.removeprefix(desk.site.base))).text)
    answer = await desk.send(f"/actions/{action.id}", {**page.fields, "decision": "approve"})
    after = Seen((await desk.visitor.get(answer.headers["location"].removeprefix(desk.site.base))).text)

    assert "approved, not executed yet" in after.text
