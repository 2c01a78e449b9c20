"""`kubesteward correlate` as a command: demonstrations, bundles, JSON, and wrong command lines in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command
from tests.tools.diagnosis import lab


def test_a_demonstration_is_told_with_its_numbers(kubesteward: Command) -> None:
    said = kubesteward("correlate", "--embedded", "node-down")

    assert (said.code, said.err) == (0, "")
    assert "1. Node node-2 (NotReady" in said.out
    assert "specificity 100% (5 of 5 pods that hang on it)" in said.out


def test_a_healthy_cluster_is_said_to_be_so_with_what_was_looked_at(kubesteward: Command) -> None:
    said = kubesteward("correlate", "--embedded", "healthy", "--json")
    data = json.loads(said.out)

    assert said.code == 0
    assert (data["incidents"], data["alone"]) == ([], [])
    assert data["looked_at"]["embedded healthy"]["pods"] == 14


def test_a_bundle_is_judged_at_its_own_time(kubesteward: Command, home: Path) -> None:
    lab.written(home / "case", lab.deployment("checkout", None, [lab.crashing(137, "OOMKilled")]), "")

    said = kubesteward("correlate", "--bundle", str(home / "case"), "-n", "shop")

    assert said.code == 0
    assert "- Deployment shop/checkout: OOMKilled x1" in said.out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--embedded", "nope"), "there is no scenario 'nope'"),
        (("--embedded", "healthy", "--window", "3y"), "is no span of time"),
        (("--embedded", "healthy", "--window", "9d"), "Give one from 1m to 6h"),
        (("--embedded", "healthy", "-n", "shap"), "Did you mean 'shop'?"),
        ((), "no kubeconfig was found"),
    ],
)
def test_wrong_input_is_answered_in_one_sentence(kubesteward: Command, words: tuple[str, ...], sentence: str) -> None:
    said = kubesteward("correlate", *words)

    assert said.code == 1
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
