"""One weak spot in how things hang together, as every detector of them says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubesteward_policies.check import Severity
from kubesteward_tools.world.store import Key

__all__ = ["Severity", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """`code` is stable, `key` the object to look at, `numbers` all that the sentence was drawn from."""

    code: str
    severity: Severity
    key: Key
    sentence: str
    numbers: Mapping[str, float]
