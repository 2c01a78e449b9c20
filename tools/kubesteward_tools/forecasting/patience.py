"""How long one answer waits for whoever measures: a monitoring system that hangs must not hang it too."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

EACH = 10.0
"""Seconds that one question waits. A week of many pods takes a busy Prometheus some of them."""
WHOLE = 15.0
"""Seconds after which nobody is asked any more; what was sampled here is still looked up."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Of one answer, from the moment that it is made. An answer takes `whole` and `each` together at most."""

    each: float = field(default_factory=lambda: EACH)
    whole: float = field(default_factory=lambda: WHOLE)
    _since: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def left(self) -> float:
        """Seconds for the next question: `each`, or 0.0 when it is too late."""
        return self.each if asyncio.get_running_loop().time() - self._since < self.whole else 0.0
