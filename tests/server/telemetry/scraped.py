"""What a scraper reads, by the parsers of prometheus_client."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


class Scraped:
    """Samples by name and labels."""

    def __init__(self, text: str, *, open_metrics: bool = False) -> None:
        self.families = list(openmetrics(text) if open_metrics else plain(text))
        samples = [sample for family in self.families for sample in family.samples]
        self._samples = {(item.name, frozenset(item.labels.items())): item.value for item in samples}
        assert len(self._samples) == len(samples)

    def value(self, name: str, **labels: str) -> float | None:
        return self._samples.get((f"kubesteward_{name}", frozenset(labels.items())))

    def labels(self) -> set[str]:
        """All values of all labels."""
        return {value for _, labels in self._samples for _, value in labels}
