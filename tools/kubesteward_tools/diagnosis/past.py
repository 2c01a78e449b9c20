"""What changed before it went wrong: the writes of the last hours that people and pipelines make."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward_tools.lookup.recalled import Moment
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.changes import TEMPLATED, told
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

WINDOW = 2 * 3600.0
_WRITTEN = TEMPLATED | {
    "configmaps",
    "secrets",
    "services",
    "ingresses.networking.k8s.io",
    "networkpolicies.networking.k8s.io",
    "resourcequotas",
    "limitranges",
    "serviceaccounts",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "namespaces",
}
"""What people and pipelines write."""
_FAILS = frozenset({"container", "status"})
_MOST = 400
"""Versions that are compared: an election in a ConfigMap would cost too much otherwise."""


@dataclass(frozen=True, slots=True)
class Past:
    """`moments`, the newest first, of which all since `begins` (epoch seconds) are known; None: nobody watched."""

    moments: tuple[Moment, ...] = ()
    begins: float | None = None

    def written(self, keys: Collection[Key], since: float, until: float) -> list[Moment]:
        """Grave changes that somebody made to these objects, the newest first."""
        return [
            item
            for item in self.moments
            if item.key in keys and since <= item.at <= until and item.told.grave and item.told.kind not in _FAILS
        ]

    def failed(self, keys: Collection[Key]) -> float | None:
        """When one of these first stopped to work in the time that was watched."""
        times = [item.at for item in self.moments if item.key in keys and item.told.kind in _FAILS and item.told.grave]
        return min(times, default=None)


def remembered(world: World, pods: Iterable[Key], now: float) -> Past:
    """The world's own history, of what people write and of these pods."""
    left, sick = _MOST, set(pods)

    def wanted(key: Key) -> bool:
        nonlocal left
        if left <= 0 or (key.resource not in _WRITTEN and key not in sick):
            return False
        left -= 1
        return True

    changes = world.history.changes(now - WINDOW, now, wanted)
    moments = tuple(Moment(one.at, one.key, told(one), one.author) for one in changes)
    return Past(moments, max(now - WINDOW, world.history.begins))


def before(at: float, effect: float) -> str:
    """`6m before the first failure`."""
    return f"{ago(effect - at)} before the first failure" if effect > at else "at the moment of the first failure"
