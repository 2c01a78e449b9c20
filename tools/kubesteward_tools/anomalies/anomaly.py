"""What a detector says: one object, what is strange about it, and the numbers that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubesteward_tools.overlay.score import Severity
from kubesteward_tools.world.store import Key

Number = float | int | str

RANKS: Mapping[Severity, int] = {"critical": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """`code` is `family.what`. `key` is whom it is held against (a workload rather than its pods), `parts` those of it
    in which it shows. `score` (above 0, at most 100) orders anomalies of one severity. `since` is in epoch seconds,
    None where it is not known. `sentence` begins where the object's name ends.
    """

    code: str
    severity: Severity
    key: Key
    sentence: str
    score: float
    numbers: Mapping[str, Number] = field(default_factory=dict)
    since: float | None = None
    parts: tuple[Key, ...] = ()

    @property
    def rank(self) -> tuple[int, float, str, Key]:
        """The worst first, and always in the same order."""
        return RANKS[self.severity], -self.score, self.code, self.key


def scored(times: float, most: float = 100.0) -> float:
    """How many times over its threshold something is, as a score: 50 at the threshold, towards `most` far beyond."""
    over = max(1.0, times)
    return round(most - (most - 50.0) / over, 1)
