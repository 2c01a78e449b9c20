"""PodMetrics and NodeMetrics objects (metrics.k8s.io/v1beta1) as numbers. What is malformed is passed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.world.metrics.samples import Samples, Series
from kubesteward_tools.world.store import Key

METRICS = ("cpu", "memory")
"""Cores and bytes of the working set."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One pod or node at one moment; `usage` by container ("" for a node), then by metric."""

    key: Key
    at: float
    usage: Mapping[str, Mapping[str, float]]

    def total(self, metric: str) -> float | None:
        """None where no container was measured."""
        found = [used[metric] for used in self.usage.values() if metric in used]
        return sum(found) if found else None


def measured(plural: str, items: Iterable[Any], now: float) -> Iterator[Measured]:
    """`plural` is "pods" or "nodes"; `now` is taken for what carries no time of its own, or one that is to come."""
    for item in items:
        try:
            metadata = item["metadata"]
            namespace = metadata.get("namespace", "") if plural == "pods" else ""
            parts = item["containers"] if plural == "pods" else [{"name": "", **item}]
            usage = {part["name"]: _usage(part) for part in parts}
            yield Measured(Key(plural, namespace, metadata["name"]), min(_time(item, now), now), usage)
        except (AttributeError, KeyError, TypeError):
            continue


def _time(item: Mapping[str, Any], now: float) -> float:
    try:
        return parse_timestamp(item["timestamp"])
    except (KeyError, TypeError, ValueError):
        return now


def _usage(part: Mapping[str, Any]) -> dict[str, float]:
    found = {}
    for metric, value in (part.get("usage") or {}).items():
        if metric in METRICS:
            try:
                found[metric] = _number(str(value))
            except ValueError:
                continue
    return found


def _number(text: str) -> float:
    """Exact arithmetic is ten times as slow, and metrics-server writes nearly all its numbers in two ways."""
    if text.endswith("n") and text[:-1].isdecimal():
        return int(text[:-1]) / 1e9
    if text.endswith("Ki") and text[:-2].isdecimal():
        return int(text[:-2]) * 1024.0
    return float(parse(text))


def keep(samples: Samples, found: Measured) -> bool:
    """Add it to the samples; whether it was news."""
    news = False
    for container, used in found.usage.items():
        for metric, value in used.items():
            news |= samples.add(Series(metric, found.key, container), found.at, value)
    return news
