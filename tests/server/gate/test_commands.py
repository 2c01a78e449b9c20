"""Commands in containers pass the gate only by the list and a person's word, and are never run twice."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.server.gate.lab import WEB, Lab, scale

from kubesteward.execution.exec import KIND
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.identity import User

pytestmark = pytest.mark.anyio

ANSWER = {"kind": KIND, "command": ["ps"], "exit_code": 0, "error": "", "ended": "exit", "seconds": 0.1}
PRINTED = {"dropped": 0, "stdout": "PID 1\n", "stderr": ""}


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path, exec_commands="ps *", autonomy=4)


def call(lab: Lab, *command: str) -> ApiCall:
    pod = lab.cluster.store.objects("pods", "shop")[0]["metadata"]["name"]
    query = tuple(("command", item) for item in command)
    target = Ref("lab", "", "Pod", "shop", pod)
    return ApiCall("create", f"/api/v1/namespaces/shop/pods/{pod}/exec", target, None, query=query)


def change(*calls: ApiCall) -> Change:
    return Change("exec_in_pod", calls[0].target, calls, "Run a command")


async def test_it_needs_a_person_at_every_level_and_is_never_tried_out(lab: Lab) -> None:
    action = await lab.propose(change(call(lab, "ps")))
    rules = {item.rule_id: str(item.decision) for item in action.verdicts}

    assert action.status == "pending_approval"
    assert (rules["exec.person"], rules["dry_run.command"]) == ("needs_approval", "warn")
    assert rules["rehearsal.unknown"] == "needs_approval"
    assert lab.writer.asked == []


async def test_a_command_comes_alone(lab: Lab) -> None:
    both = Change("exec_in_pod", WEB, (*scale(4).calls, call(lab, "ps")), "Both")
    action = await lab.propose(both)

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "exec.alone")


@pytest.mark.parametrize(
    ("command", "rule"),
    [
        (("df",), "exec.not_listed"),
        (("ps", "/bin/sh"), "exec.not_listed"),
        (("ps", "password=hunter2-hunter2"), "exec.secret"),
    ],
)
async def test_what_is_not_listed_or_tells_a_secret_is_blocked(lab: Lab, command: tuple[str, ...], rule: str) -> None:
    action = await lab.propose(change(call(lab, *command)))

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", rule)


async def test_what_is_taken_off_the_list_after_the_approval_is_not_run(lab: Lab) -> None:
    approved = await lab.approved(change(call(lab, "ps")))
    action = await lab.another_gate(exec_commands=()).execute(approved.id)

    assert (action.status, action.verdicts[-1].rule_id) == ("blocked", "exec.off")
    assert lab.writer.writes == []


async def test_its_transcript_is_kept_and_the_audit_log_names_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async def applied(item: ApiCall, _: str = "") -> dict[str, Any]:
        lab.writer.writes.append(item)
        return {**ANSWER, **PRINTED}

    monkeypatch.setattr(lab.writer, "apply", applied)
    approved = await lab.approved(change(call(lab, "ps")))
    action = await lab.gate.execute(approved.id)
    (kept,) = lab.gate.actions.transcripts(action.id)
    (record,) = lab.records("applied")

    assert (action.status, action.verified) == ("executed", True)
    assert (kept["stdout"], record["transcript"]) == ("PID 1\n", kept["digest"])
    assert len(lab.writer.writes) == 1


async def test_after_a_crash_its_outcome_is_unknown_and_it_is_not_run_again(lab: Lab) -> None:
    approved = await lab.approved(change(call(lab, "ps")))
    taken = lab.gate.actions.move(approved, "executing", "taken", executor=f"{socket.gethostname()}:4194305:1/gone")
    assert taken is not None
    lab.gate.actions.move(taken, "executing", "intent", intended=True)
    action = await lab.another_gate().action(approved.id, wait=10)

    assert action.status == "failed"
    assert "nobody can tell whether the command was run" in action.outcome
    assert lab.writer.writes == []
    assert (await lab.gate.execute(approved.id)).status == "failed"


async def test_both_rights_that_a_websocket_needs_are_asked_for(tmp_path: Path) -> None:
    lab = Lab(tmp_path, user=User("dave", ("system:authenticated",)), exec_commands="ps *")
    rules = [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}]
    kinds = "/apis/rbac.authorization.k8s.io/v1/namespaces/shop"
    lab.create(f"{kinds}/roles", {"metadata": {"name": "runner"}, "rules": rules})
    who = {"kind": "User", "name": "dave", "apiGroup": "rbac.authorization.k8s.io"}
    role = {"kind": "Role", "name": "runner", "apiGroup": "rbac.authorization.k8s.io"}
    lab.create(f"{kinds}/rolebindings", {"metadata": {"name": "runner"}, "subjects": [who], "roleRef": role})
    action = await lab.propose(change(call(lab, "ps")))

    assert action.verdicts[-1].rule_id == "rights.missing"
    assert "may not get pods/exec in namespace shop" in action.verdicts[-1].reason
