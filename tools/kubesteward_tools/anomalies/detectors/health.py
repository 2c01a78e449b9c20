"""States that no healthy object is in, as the overlay reads them: what strikes without any comparison."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.overlay.score import COSTS
from kubesteward_tools.overlay.signs import signs
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.world.store import Key

_GRAVE = ("node_not_ready", "node_pressure", "crashing", "not_starting")
"""Codes of the overlay that a rollout or a young object does not show in passing."""
_YOUNG = 300.0
"""Seconds for which an object may have trouble to start."""


def find(view: View) -> Iterator[Anomaly]:
    for sign in sorted(set(signs(view.store, view.subject, view.now)), key=lambda sign: (sign.code, sign.object)):
        key = _key(sign.object)
        if sign.code not in _GRAVE or key is None or view.created(key) > timestamp(view.now - _YOUNG):
            continue
        cost = COSTS[sign.code]
        sentence = f"{cost.meaning}: {sign.detail}" if sign.detail else cost.meaning
        score = min(100.0, 50.0 + cost.of_object)
        yield Anomaly(f"health.{sign.code}", cost.severity, key, sentence, score, {"share": sign.share})


def _key(name: str) -> Key | None:
    """Of `Deployment/shop/web` or `Node/a`; None for a kind that is not built in."""
    kind, _, path = name.partition("/")
    namespace, _, plain = path.rpartition("/")
    resource = _resources().get(kind)
    return Key(resource, namespace, plain) if resource else None


@lru_cache(maxsize=1)
def _resources() -> dict[str, str]:
    return {kind.kind: kind.resource for kind in reversed(BUILT_IN)}
