"""`audit verify`: the code is the verdict, and what is broken has a number."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command, Said

from kubesteward.audit.log import AuditLog
from kubesteward.cli.exits import BROKEN_AUDIT, FAILED, OK, USAGE
from kubesteward.store.store import FILE, Store


@pytest.fixture
def log(home: Path) -> Path:
    """A log of five records."""
    with closing(Store.open(home / "state")) as store:
        for number in range(5):
            AuditLog(store).append({"type": "test", "number": number})
    return home / "state" / FILE


def change(log: Path, statement: str) -> None:
    with closing(sqlite3.connect(log)) as db, db:
        db.execute(statement)


SIGNED = "Signed up to record 5, anchored up to record 0.\n"


def test_an_unbroken_log_is_told_with_its_head(kubesteward: Command, log: Path) -> None:
    said, told = kubesteward("audit", "verify"), json.loads(kubesteward("audit", "verify", "--json").out)

    assert said == Said(OK, f"5 records, the chain is unbroken. Head: {told['head']}\n{SIGNED}", "")
    assert told == {"ok": True, "records": 5, "head": told["head"], "broken": None, "reason": ""} | {
        "field": "",
        "root": told["root"],
        "signed": 5,
        "anchored": 0,
    }


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET record = replace(record, '2', '7') WHERE seq = 3", 3),
        ("UPDATE audit SET record = '' WHERE seq = 1", 1),
        ("UPDATE audit SET hash = 'f' WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 2", 2),
        ("DELETE FROM audit WHERE seq = 5", 5),
    ],
)
@pytest.mark.requirement("audit.chain")
def test_a_record_that_was_altered_is_named(kubesteward: Command, log: Path, statement: str, broken: int) -> None:
    change(log, statement)
    said, as_json = kubesteward("audit", "verify"), kubesteward("audit", "verify", "--json")
    told = json.loads(as_json.out)

    assert (said.code, said.out, as_json.code, as_json.err) == (BROKEN_AUDIT, "", BROKEN_AUDIT, "")
    assert said.err == f"The audit log does not verify: {told['reason']} [{told['field']}]\n"
    assert (told["ok"], told["records"], told["broken"]) == (False, broken - 1, broken)
    assert f"record {broken}: " in told["reason"] or f"ends at record {broken - 1}" in told["reason"]


def test_a_broken_log_fails_the_doctor_too(kubesteward: Command, log: Path) -> None:
    change(log, "UPDATE audit SET record = '{}' WHERE seq = 2")
    said = kubesteward("doctor")

    assert said.code == FAILED
    assert "fail  audit log: record 2: its content does not fit its hash\n      Stop all servers" in said.out


@pytest.mark.parametrize("content", [b"", b"this is no database at all" * 100])
def test_a_file_that_is_no_log_does_not_verify(kubesteward: Command, home: Path, content: bytes) -> None:
    (home / "state").mkdir()
    (home / "state" / FILE).write_bytes(content)
    said = kubesteward("audit", "verify")

    assert said.code == BROKEN_AUDIT
    assert said.err.startswith("The audit log does not verify: the file cannot be read as a database: ")
    assert (home / "state" / FILE).read_bytes() == content


def test_where_there_is_no_log_none_is_made(kubesteward: Command, home: Path) -> None:
    said = kubesteward("audit", "verify", "--state-dir", "elsewhere")

    assert said == Said(
        FAILED, "", "kubesteward: there is no audit log in elsewhere; --state-dir names another folder\n"
    )
    assert not (home / "elsewhere").exists()


def test_audit_alone_asks_for_more(kubesteward: Command) -> None:
    said = kubesteward("audit")

    assert said.code == USAGE
    assert "verify" in said.err


@pytest.fixture
def calls(home: Path) -> Path:
    """A log of calls by two people; the folder it is in."""
    with closing(Store.open(home / "state")) as store:
        for number in range(4):
            record = {"type": "tool_call", "principal": ("ann", "bob")[number % 2], "tool": "scale", "outcome": "ok"}
            AuditLog(store).append({**record, "arguments": {"cluster": "prod", "note": f"a\x1b[31m{number}"}})
    return home / "state"


def test_a_query_prints_a_table(kubesteward: Command, calls: Path) -> None:
    said = kubesteward("audit", "query", "--principal", "b*", "--cluster", "prod", "--since", "1h")
    heading, *lines = said.out.splitlines()

    assert (said.code, said.err) == (OK, "")
    assert heading.split() == ["seq", "time", "type", "principal", "tool", "cluster", "action", "outcome"]
    assert [[*line.split()[:1], *line.split()[2:]] for line in lines] == [
        [seq, "tool_call", "bob", "scale", "prod", "-", "ok"] for seq in ("2", "4")
    ]


def test_a_query_prints_json_of_the_newest(kubesteward: Command, calls: Path) -> None:
    said = kubesteward("audit", "query", "--limit", "3", "--format", "json")

    assert [record["seq"] for record in json.loads(said.out)] == [2, 3, 4]


def test_a_query_prints_csv(kubesteward: Command, calls: Path) -> None:
    said = kubesteward("audit", "query", "--until", "1h", "--format", "csv")

    assert said == Said(OK, "seq,time,type,principal,tool,cluster,action,outcome,correlation,record\n", "")


def test_a_query_for_no_time_is_refused(kubesteward: Command, calls: Path) -> None:
    said = kubesteward("audit", "query", "--since", "yesterday")

    assert (said.code, said.out) == (FAILED, "")
    assert said.err.startswith("kubesteward: 'yesterday' is no time: use ")


def test_evidence_is_written_and_verifies(kubesteward: Command, calls: Path, home: Path) -> None:
    said = kubesteward("audit", "export", "evidence", "--principal", "ann")
    command = [sys.executable, "-I", "-S", str(home / "evidence" / "verify.py")]
    checked = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)

    assert said == Said(OK, "2 of 4 records are in evidence; `python -I -S verify.py` in it checks them.\n", "")
    assert checked.stdout.startswith("OK  2 of the 4 records of this log")
    assert kubesteward("audit", "export", "evidence").err == "kubesteward: evidence: File exists.\n"


def test_a_broken_log_is_no_evidence(kubesteward: Command, calls: Path, home: Path) -> None:
    change(calls / FILE, "UPDATE audit SET record = '{}' WHERE seq = 2")
    said = kubesteward("audit", "export", "evidence")

    assert (said.code, said.out) == (BROKEN_AUDIT, "")
    assert said.err.endswith("record 2: its content does not fit its hash [record]\n")
    assert not (home / "evidence").exists()


@pytest.mark.requirement("audit.anchor")
def test_the_anchor_of_the_settings_is_verified(
    kubesteward: Command, calls: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Store.open(home / "other")) as store:
        AuditLog(store, home / "anchor.jsonl").append({"type": "other"})
    monkeypatch.setenv("KUBESTEWARD_AUDIT_ANCHOR", str(home / "anchor.jsonl"))
    said = kubesteward("audit", "verify")

    assert said.code == BROKEN_AUDIT
    assert "line 1 of the anchor is no checkpoint of this log" in said.err
    assert kubesteward("audit", "verify", "--state-dir", "other").code == OK


@pytest.mark.parametrize("command", [("verify",), ("export", "evidence")])
def test_an_anchor_that_is_named_and_not_there_is_no_anchor(
    kubesteward: Command, calls: Path, home: Path, command: tuple[str, ...]
) -> None:
    said = kubesteward("audit", *command, "--anchor", "nowhere.jsonl")

    assert (said.code, said.out) == (USAGE, "")
    assert "'nowhere.jsonl' does not exist" in said.err
    assert not (home / "evidence").exists()


def test_a_log_signed_by_another_key_is_not_trusted(kubesteward: Command, calls: Path) -> None:
    key = (calls / "audit.pub").read_text().strip()

    assert kubesteward("audit", "verify", "--key", key).code == OK
    assert "not signed by the key you trust" in kubesteward("audit", "verify", "--key", f"{key}A").err
