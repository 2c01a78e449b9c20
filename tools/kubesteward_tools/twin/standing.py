"""How a pod stands in what its neighbours and controllers count, as small as it can be: noted when it is stored.

Each event of a pod makes several controllers count all the pods of its workload; nobody can read ten for every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kubesteward_tools.twin.demand import Demand, demand

_NOBODY = ("", "", "")


class Controller(NamedTuple):
    """The owner that controls an object."""

    kind: str
    name: str
    uid: str


class Standing(NamedTuple):
    """`ready` is the Ready condition, `leaving` whether the pod is being deleted."""

    demand: Demand
    ready: bool
    leaving: bool
    controller: Controller | None

    @property
    def terminal(self) -> bool:
        return self.demand.terminal

    @property
    def healthy(self) -> bool:
        return self.ready and not self.leaving

    @property
    def active(self) -> bool:
        return not self.leaving and not self.demand.terminal


def standing(pod: Mapping[str, Any]) -> Standing:
    """The one Standing of all pods that stand alike. Raises whatever a malformed pod makes it raise."""
    metadata, ready, above = pod["metadata"], False, _NOBODY
    for item in (pod.get("status") or {}).get("conditions") or ():
        if item["type"] == "Ready" and item["status"] == "True":
            ready = True
            break
    for owner in metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            above = owner["kind"], owner["name"], owner["uid"]
            break
    return _shared(demand(pod), ready, "deletionTimestamp" in metadata, *above)


@lru_cache(maxsize=20_000)
def _shared(asked: Demand, ready: bool, leaving: bool, kind: str, name: str, uid: str) -> Standing:  # noqa: PLR0917
    # one by one, for that is what the cache goes by
    return Standing(asked, ready, leaving, Controller(kind, name, uid) if uid else None)
