"""What is asked of a source of metrics and what it answers, whichever source it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kubesteward_tools.world.metrics.samples import Points

LEVELS = ("pods", "containers", "nodes", "namespaces", "persistentvolumeclaims")

Name = tuple[str, str]
"""Namespace ("" for nodes and namespaces) and name; a container's is `pod/container`."""


@dataclass(frozen=True, slots=True)
class Question:
    """`query` is one of get_metrics' words, `level` one of LEVELS: of what one value each is wanted.

    `names` are those wanted (None: all; of containers their pods'), in `namespace` ("": in all). `start` and
    `end` are epoch seconds; equal, they mean the newest value. `nodes` maps what a monitoring system may call a node
    (address, host name) to its name.
    """

    query: str
    level: str
    end: float
    start: float
    namespace: str = ""
    names: frozenset[str] | None = None
    nodes: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> bool:
        return self.start >= self.end

    def wants(self, name: Name) -> bool:
        own = name[1].partition("/")[0] if self.level == "containers" else name[1]
        return self.namespace in {"", name[0]} and (self.names is None or own in self.names)


@dataclass(frozen=True, slots=True)
class Reading:
    """`as_of` is the epoch second of the newest sample behind it; `notes` are sentences for whoever reads it."""

    source: str
    as_of: float
    series: Mapping[Name, Points]
    notes: tuple[str, ...] = ()


class Monitor(Protocol):
    """A monitoring system of one cluster."""

    async def read(self, question: Question) -> Reading:
        """At least one series.

        Raises:
            AskDifferently: it does not measure that; says what would have to be scraped. AskAgain: it does not answer.
        """
        ...

    async def close(self) -> None: ...
