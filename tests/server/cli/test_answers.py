"""What people read at the end of an investigation."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tests.server.cli.test_progress import Terminal

from kubesteward.cli.answers import plain

ANSWER = (
    "OOMKilled: Container 'web' is killed. Fix: Raise the limit. Since 2026-11-21T20:18:23Z. Evidence: exit code 137. "
    "It explains AppError: Deployment shop/api. Against it: nothing was found. On record: web: 21 restarts"
)


def record(**given: Any) -> dict[str, Any]:
    usage = {"usd": 0.0, "turns": 1, "tool_calls": 2, "seconds": 1.0, "claims_checked": 0, "claims_false": 0}
    usage |= {"claims_disputed": 0, "sentences_unchecked": 0}
    found = {"id": "inv-1", "run": "done", "status": "ANSWERED", "answer": ANSWER, "confidence": 0.99}
    found |= {"root_cause": None, "hypotheses": [], "ruled_out": [], "brain": {"name": "builtin", "status": "online"}}
    advice = {"text": "Raise the limit.", "actions": [], "saved": ""}
    return {**found, "recommendation": advice, "usage": usage, **given}


def test_what_the_rules_say_is_a_line_for_each_matter_and_the_fix_is_said_once() -> None:
    assert plain(record()).splitlines()[:8] == [
        "ANSWERED (confidence 99%)",
        "OOMKilled: Container 'web' is killed.",
        "Since 2026-11-21T20:18:23Z.",
        "Evidence: exit code 137.",
        "It explains AppError: Deployment shop/api.",
        "Against it: nothing was found.",
        "On record: web: 21 restarts",
        "",
    ]
    assert plain(record()).count("Raise the limit.") == 1


def test_what_was_not_found_out_is_said_once_and_without_empty_headings() -> None:
    human = "INCONCLUSIVE: recommend human investigation."
    advice = {"text": human, "actions": [], "saved": ""}
    told = plain(record(status="INCONCLUSIVE", answer=f"{human} It ended.", confidence=0.0, recommendation=advice))

    assert told.splitlines()[:3] == ["INCONCLUSIVE", "Recommend human investigation. It ended.", ""]
    assert "Hypotheses" not in told
    assert "Recommendation" not in told


def test_no_word_is_cut_in_two_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "40")
    lines = plain(record(ruled_out=["DNS: " + "names are found " * 4])).splitlines()

    assert max(map(len, lines)) <= 40
    assert "  DNS: names are found names are found" in lines
    assert "    names are found names are found" in lines
