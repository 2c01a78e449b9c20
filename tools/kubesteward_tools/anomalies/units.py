"""Use as people write it."""

from __future__ import annotations

FLOORS = {"cpu": 0.05, "memory": 64 * 2**20}
"""Cores and bytes: what differs by less is the noise of something idle."""


UNITS = {"cpu": "cores", "memory": "bytes"}


def shown(metric: str, value: float) -> str:
    """`250m` of cpu, `512Mi` of memory."""
    if metric == "cpu":
        return f"{value:.2f} cores" if value >= 10 else f"{value * 1000:.0f}m"
    return f"{value / 2**30:.1f}Gi" if value >= 10 * 2**30 else f"{value / 2**20:.0f}Mi"
