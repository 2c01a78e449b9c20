"""`audit verify`: the code is the verdict, and what is broken has a number."""

from __future__ import annotations

import json
import sqlite3
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
