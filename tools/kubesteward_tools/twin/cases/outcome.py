"""What was seen of a change, played or recorded: all that a summary is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kubesteward_tools.twin.cases.services import Counts, endpoints
from kubesteward_tools.twin.cases.snapshot import Owners, Snapshot, owners_across
from kubesteward_tools.twin.cases.workloads import Happening, blocked, topmost, workload_summary
from kubesteward_tools.world.store import Object


@dataclass(frozen=True)
class Outcome:
    """`fewest_endpoints` and `fewest_healthy` are by title of a Service and of a budget, over the whole time."""

    before: Snapshot
    after: Snapshot
    responses: tuple[dict[str, Any], ...] = ()
    drains: tuple[dict[str, Any], ...] = ()
    happenings: tuple[Happening, ...] = ()
    fewest_endpoints: Mapping[str, int] = field(default_factory=dict)
    fewest_healthy: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def owners(self) -> Owners:
        return owners_across(self.before, self.after)

    @cached_property
    def unmounted(self) -> frozenset[str]:
        return frozenset(item.name for item in self.happenings if item.reason == "FailedMount")

    @cached_property
    def workloads_before(self) -> dict[str, Object]:
        return topmost(self.before)

    @cached_property
    def workloads_after(self) -> dict[str, Object]:
        return topmost(self.after)

    @cached_property
    def summaries_before(self) -> dict[str, dict[str, Any]]:
        return {key: workload_summary(obj) for key, obj in self.workloads_before.items()}

    @cached_property
    def summaries(self) -> dict[str, dict[str, Any]]:
        return {key: workload_summary(obj) for key, obj in self.workloads_after.items()}

    @cached_property
    def blocked(self) -> list[dict[str, Any]]:
        return blocked(self.after, self.summaries, self.happenings)

    @cached_property
    def endpoints(self) -> dict[str, Counts]:
        return endpoints(self.after)
