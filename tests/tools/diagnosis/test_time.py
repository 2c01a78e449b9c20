"""Whoever can write to a log, an event or a status cannot keep the server busy with it: time grows with the text."""

from __future__ import annotations

import time

import pytest
from tests.tools.diagnosis import lab

from kubesteward_tools.diagnosis.question import understand
from kubesteward_tools.diagnosis.signs import signs
from kubesteward_tools.world.store import Store

SEEDS = ("a", "1", "A_", "a.", "  ", "/a", "x:", "a@", "at a(", "dial tcp ", "lookup a ", "connection ", "a=b,")
LINES = 26
"""Of 1,500 characters: 40 KB."""


@pytest.mark.parametrize("seed", SEEDS)
def test_the_signs_of_a_hostile_log_are_read_in_time(seed: str) -> None:
    line = f"error: {seed * 2000}"[:1490]
    began = time.process_time()

    signs("\n".join(f"{line}{number}" for number in range(LINES)))

    assert time.process_time() - began < 4.0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_diagnosis_of_hostile_texts_is_made_in_time(seed: str) -> None:
    hostile = seed * (1_000_000 // len(seed))
    objects = [
        *lab.deployment("web", None, [lab.waiting("RunContainerError", hostile)], phase="Pending"),
        *lab.deployment("cart", None, [lab.crashing(1, message=hostile)]),
        *lab.deployment("mail", None, unschedulable=hostile),
    ]
    pods = [one for one in objects if one["kind"] == "Pod"]
    told = [lab.event(pod, reason, hostile) for pod in pods for reason in ("Unhealthy", "Failed", "FailedMount")]
    began = time.process_time()

    found = lab.verdict([*objects, *told], "web does not work", {f"{pods[1]['metadata']['name']}/app": hostile})

    assert time.process_time() - began < 15.0
    assert found.best.culprit is not None


@pytest.mark.parametrize("seed", [*SEEDS, "a shop "])
def test_a_hostile_question_is_understood_in_time(seed: str) -> None:
    began = time.process_time()

    understand(seed * (200_000 // len(seed)), Store())

    assert time.process_time() - began < 4.0


def test_long_words_hide_no_failure_beside_them() -> None:
    [sign] = signs(f"ERROR {'a' * 400} dial tcp 10.0.0.7:5432: connect: connection refused")

    assert (sign.kind, sign.peer, sign.port) == ("connection", "10.0.0.7", "5432")
