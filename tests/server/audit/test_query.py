"""Looking for records: by time and by what the columns say."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kubesteward.audit.log import AuditLog
from kubesteward.audit.query import Filter, moment, select
from kubesteward.store.store import FILE, Store

NOW = 1_800_000_000.0
RECORD = {
    "seq": 1,
    "at": NOW,
    "type": "tool_call",
    "tool": "scale",
    "principal": "local:ann",
    "arguments": {"cluster": "prod-eu"},
    "outcome": "ok",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90s", NOW - 90),
        ("24h", NOW - 86400),
        ("2w", NOW - 14 * 86400),
        ("2026-11-21", 1795219200.0),
        ("2026-11-21T10:00:00Z", 1795255200.0),
        ("2026-11-21T10:00:00+02:00", 1795248000.0),
    ],
)
def test_a_time_is_a_date_or_so_long_ago(text: str, expected: float) -> None:
    assert moment(text, NOW) == expected


def test_what_is_no_time_is_refused_with_examples() -> None:
    with pytest.raises(ValueError, match="'yesterday' is no time: use 2026"):
        moment("yesterday", NOW)


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (Filter(), True),
        (Filter(since=NOW, until=NOW + 1), True),
        (Filter(since=NOW + 1), False),
        (Filter(until=NOW), False),
        (Filter(principal="local:*", tool="scale", outcome="ok"), True),
        (Filter(principal="local:bob"), False),
        (Filter(cluster="prod-*"), True),
        (Filter(cluster="stage"), False),
        (Filter(action="act-1"), False),
        (Filter(type="action_*"), False),
    ],
)
def test_a_record_fits_when_everything_given_does(wanted: Filter, fits: bool) -> None:
    assert wanted.fits(RECORD) == fits


def test_the_status_of_an_action_is_its_outcome_until_there_is_one() -> None:
    action = {"seq": 2, "at": NOW, "type": "action_decided", "action": "act-1", "status": "approved", "cluster": "prod"}

    assert Filter(outcome="approved", action="act-1", cluster="prod").fits(action)
    assert not Filter(outcome="approved").fits({**action, "outcome": "done"})


def test_records_come_with_their_canonical_text_oldest_first(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path)) as store:
        for tool in ("a", "b", "a"):
            AuditLog(store).append({"tool": tool})
    found = list(select(tmp_path, Filter(tool="a")))

    assert [record["seq"] for record, _ in found] == [1, 3]
    assert all(text.startswith('{"at":') for _, text in found)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"at": "now"}', '{"at": 1e99}'])
def test_a_record_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    with closing(Store.open(tmp_path)) as store:
        AuditLog(store).append({"tool": "a"})
    with closing(sqlite3.connect(tmp_path / FILE)) as db, db:
        db.execute("UPDATE audit SET record = ?", (content,))
    with pytest.raises(ValueError, match="record 1 cannot be read"):
        list(select(tmp_path, Filter()))


def test_where_there_is_no_log_it_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no audit log"):
        list(select(tmp_path, Filter()))
