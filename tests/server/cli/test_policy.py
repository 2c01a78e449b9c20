"""`kubesteward policy`: the guardrails without a server."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command

from kubesteward.audit.log import AuditLog
from kubesteward.audit.verify import verify
from kubesteward.guardrails.history import History
from kubesteward.guardrails.sources import gathered
from kubesteward.store.store import Store

EXAMPLES = Path(__file__).parents[3] / "examples" / "policies"
RULE = "rules: [{id: mine.r, effect: deny, message: %s, remediation: d}]\n"


@pytest.fixture
def mine(home: Path) -> Path:
    path = home / "mine.yaml"
    path.write_text(RULE % "old")
    return path


def load(home: Path, path: Path) -> str:
    """As a server does with the first change it is asked for; the digest's beginning."""
    store = Store.open(home / "state")
    found = History(store, AuditLog(store)).in_force(gathered([str(path)]), "local:alice")
    store.close()
    return found.digest[7:19]


def test_list_names_the_rules_with_their_places(kubesteward: Command) -> None:
    said = kubesteward("policy", "list")

    assert said.code == 0
    assert "deny              default.protected" in said.out
    assert "Packs: default, freeze-window, production, strict." in said.out


def test_list_gives_json(kubesteward: Command) -> None:
    found = json.loads(kubesteward("policy", "list", "--json", "--policies", "strict,freeze-window").out)

    assert found["rules"][0] == {"id": "strict.safe-only", "effect": "deny", "source": "strict", "line": 3}
    assert len(found["rules"]) == 7


def test_show_explains_a_rule_and_prints_a_pack(kubesteward: Command) -> None:
    said = kubesteward("policy", "show", "payments.office-hours", "--policies", str(EXAMPLES / "team.yaml"))
    pack = kubesteward("policy", "show", "strict")

    assert "payments.office-hours (deny), " in said.out
    assert "remedy  Preview it now" in said.out
    assert "except  until 2027-01-01T00:00:00+00:00 by payments-lead@example.com: PAY-314" in said.out
    assert pack.out.startswith("description: For clusters where nothing may happen")


def test_show_of_what_there_is_not_says_what_is_near(kubesteward: Command) -> None:
    said = kubesteward("policy", "show", "default.protect")

    assert (said.code, said.out) == (1, "")
    assert "Did you mean default.protected?" in said.err


def test_doctor_tells_of_rules_that_cannot_be_used(
    kubesteward: Command, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = kubesteward("doctor").out
    monkeypatch.setenv("KUBESTEWARD_POLICIES", f"default,{mine}x")
    bad = kubesteward("doctor").out

    assert "ok    guardrails: 4 rules of default can be used" in good
    assert "fail  guardrails: the rules" in bad
    assert "Every change is denied." in bad


def test_check_names_the_line_that_cannot_be_used(kubesteward: Command, mine: Path) -> None:
    good = kubesteward("policy", "check", "--policies", f"default,{mine}")
    mine.write_text(RULE.replace("effect", "efect") % "x")
    bad = kubesteward("policy", "check", "--policies", f"default,{mine}")

    assert good.out.startswith("5 rules in 2 files can be used.")
    assert (bad.code, bad.out) == (1, "")
    assert f"{mine}:1: a rule has no 'efect'; did you mean 'effect'?" in bad.err


@pytest.mark.requirement("examples.run")
def test_the_examples_do_what_their_cases_say(kubesteward: Command) -> None:
    said = kubesteward("policy", "test", str(EXAMPLES / "cases"), "--policies", str(EXAMPLES / "team.yaml"))

    assert (said.code, said.out.splitlines()[-1]) == (0, "5 cases, 0 failed.")


def test_a_case_that_fails_is_told_with_its_reason(kubesteward: Command, home: Path) -> None:
    shutil.copy(EXAMPLES / "cases" / "deny.payments.night.yaml", home / "allow.payments.night.yaml")
    (home / "deny.nothing.yaml").write_text("{}")
    said = kubesteward("policy", "test", str(home), "--policies", str(EXAMPLES / "team.yaml"))

    assert said.code == 1
    assert "allow.payments.night.yaml: payments.office-hours denies it: payments are changed" in said.out
    assert "deny.nothing.yaml: `rule` is missing" in said.out
    assert said.out.splitlines()[-1] == "2 cases, 2 failed."


def test_a_folder_without_cases_is_no_success(kubesteward: Command, home: Path) -> None:
    assert kubesteward("policy", "test", str(home)).code == 1
    assert kubesteward("policy", "test", str(home / "allow.gone.yaml")).code == 1


@pytest.mark.requirement("guardrails.versions")
def test_history_diff_and_rollback_are_the_way_back(kubesteward: Command, home: Path, mine: Path) -> None:
    old = load(home, mine)
    mine.write_text(RULE % "new")
    new = load(home, mine)
    before = kubesteward("policy", "history").out.splitlines()
    diff = kubesteward("policy", "diff", old, new).out
    same = kubesteward("policy", "diff", new, "--policies", str(mine)).out
    back = kubesteward("policy", "rollback", old, "--comment", "OPS-2")

    assert [line.split()[3:5] for line in before] == [[new, "loaded"], [old, "loaded"]]
    assert "-rules: [{id: mine.r, effect: deny, message: old, remediation: d}]" in diff
    assert "+rules: [{id: mine.r, effect: deny, message: new, remediation: d}]" in diff
    assert same == ""
    assert back.out == f"{old} is in force instead of {new}, while that is configured.\n"
    assert json.loads(kubesteward("policy", "history", "--json").out)[0]["comment"] == "OPS-2"
    assert load(home, mine) == old
    assert verify(home / "state").records == 3


def test_history_of_nothing_says_so_and_an_unknown_digest_is_refused(kubesteward: Command) -> None:
    said = kubesteward("policy", "history")
    refused = kubesteward("policy", "rollback", "abcdef123", "--comment", "c")

    assert said.out == "No rules were in force yet: the first proposed change loads them.\n"
    assert (refused.code, refused.out) == (1, "")
    assert "0 sets of rules begin with 'abcdef123'." in refused.err
