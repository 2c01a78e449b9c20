"""docs/telemetry.md names every metric and docs/cost.md every command and setting there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from tests.server.telemetry.scraped import Scraped

from kubesteward.reasoning.ledger.prices import parse
from kubesteward.settings import Settings
from kubesteward.telemetry.metrics import Metrics

DOCS = Path(__file__).parents[3] / "docs"


def test_every_metric_is_told_with_its_labels() -> None:
    rows = re.findall(r"^\| `(kubesteward_\w+)` \|([^|]*)\|", (DOCS / "telemetry.md").read_text("utf-8"), re.M)
    there = {
        metric.name.removesuffix("_total") for metric in Metrics().registry.collect() if "kubesteward" in metric.name
    }

    assert {name.removesuffix("_total") for name, _ in rows} == there


def test_every_setting_that_is_told_is_one() -> None:
    text = "".join((DOCS / name).read_text("utf-8") for name in ("cost.md", "telemetry.md"))
    told = {name.lower() for name in re.findall(r"KUBESTEWARD_([A-Z_]+)", text)}

    assert told == {"ask_above_usd", "model_prices", "reuse_answers_minutes", "metrics_token"}
    assert told <= set(Settings.model_fields)


def test_the_prices_it_shows_are_prices() -> None:
    [shown] = re.findall(r"KUBESTEWARD_MODEL_PRICES='(.*)'", (DOCS / "cost.md").read_text("utf-8"))

    assert set(parse(shown)) == {"my-model", "qwen3-coder"}
    assert Scraped("").labels() == set()
