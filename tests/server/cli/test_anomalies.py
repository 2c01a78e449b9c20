"""`kubesteward anomalies`: demonstrations and bundles looked through, and one sentence for whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.server.cli.conftest import Command
from tests.tools.diagnosis import lab

from kubesteward.cli.exits import FAILED, OK, USAGE


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    lab.written(tmp_path / "dump", lab.deployment("web", None, [lab.crashing(137, "OOMKilled")]), "")
    return str(tmp_path / "dump")


def test_a_demonstration_is_looked_through(kubesteward: Command) -> None:
    said = kubesteward("anomalies", "--embedded", "node-down")

    assert said.code == OK
    assert said.out.startswith("1 anomaly, the last 1h up to ")
    assert "critical health.node_not_ready | Node node-2 | a node is not ready" in said.out
    assert "NOT JUDGED use of cpu and memory" in said.out


def test_a_bundle_is_told_as_text_and_as_json(kubesteward: Command, bundle: str) -> None:
    text = kubesteward("anomalies", "deployment/web", "-n", "shop", "--window", "2h", "--bundle", bundle)
    record = json.loads(kubesteward("anomalies", "--bundle", bundle, "--json").out)

    assert "critical restarts.often | Deployment shop/web" in text.out
    assert [item["code"] for item in record["anomalies"]] == ["restarts.often"]
    assert record["window_seconds"] == 3600.0
    assert record["not_judged"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["deployment/wbe"], FAILED, "Did you mean 'web'?"),
        (["--window", "soon"], FAILED, "no span of time"),
        (["--window", "1s"], FAILED, "Give one from 1m to 7d."),
        (["-n", "nowhere"], FAILED, "there is no namespace 'nowhere'"),
        (["--limit", "0"], USAGE, "at least 1"),
        (["--limit", "many"], USAGE, "invalid int value"),
        (["--embedded", "healthy"], USAGE, "not allowed with"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_one_sentence(
    kubesteward: Command, bundle: str, words: list[str], code: int, said: str
) -> None:
    found = kubesteward("anomalies", "--bundle", bundle, *words)

    assert (found.code, found.out) == (code, "")
    assert said in found.err


def test_a_scenario_that_is_not_there_lists_those_that_are(kubesteward: Command) -> None:
    found = kubesteward("anomalies", "--embedded", "sunny")

    assert found.code == FAILED
    assert "healthy" in found.err


def test_without_a_cluster_it_says_how_to_name_one(kubesteward: Command) -> None:
    found = kubesteward("anomalies")

    assert found.code == FAILED
    assert found.err.count("\n") == 1
