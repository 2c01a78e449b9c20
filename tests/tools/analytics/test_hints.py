"""A hint in plain words finds the lines that mean it."""

from __future__ import annotations

import pytest

from kubesteward_tools.analytics.hints import select, terms
from kubesteward_tools.analytics.records import Line, records

LOG = """\
INFO listening on :8080
INFO GET /feedback 200
ERROR dial tcp 10.0.0.7:5432: connect: connection refused
java.lang.OutOfMemoryError: Java heap space
WARN certificate expires in 3 days
ERROR getaddrinfo ENOTFOUND api
Environment variable DEPLOY_ENV is undefined
INFO author saved
ERROR FATAL: sorry, too many clients already"""


def picked(hint: str) -> list[int]:
    return select(records(Line(0.0, f"pod-{n}/app", line) for n, line in enumerate(LOG.split("\n"))), hint)


@pytest.mark.parametrize(
    ("hint", "places"),
    [
        ("database", [2, 8]),
        ("out of memory", [3]),
        ("why is it killed for memory?", [3]),
        ("what is wrong with kafka", [2, 3, 5, 6, 8]),
        ("database errors", [2, 8]),
        ("TLS certificates", [4]),
        ("DNS", [5]),
        ("missing configuration", [6]),
        ("errors", [2, 3, 5, 6, 8]),
        ("show me warnings", [2, 3, 4, 5, 6, 8]),
        ("deploy_env", [6]),
        ("kafka", []),
        ("the quick brown fox", []),
        ("???", []),
    ],
)
def test_a_hint_picks_its_lines(hint: str, places: list[int]) -> None:
    assert picked(hint) == places


def test_a_phrase_is_one_term_and_brings_its_subject() -> None:
    found = terms("pod is out of memory")

    assert (found["out of memory"], found["heap"], found["oom"]) == (3, 1, 1)
    assert "out" not in found


def test_signs_in_a_hint_are_no_pattern() -> None:
    assert picked("(a+)+$ [") == []
