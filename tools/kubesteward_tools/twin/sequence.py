"""What a change leaves behind when all goes well: the world for the next step of a plan."""

from __future__ import annotations

from collections.abc import Sequence

from kubesteward_policies.change import ApiCall
from kubesteward_tools.twin.identity import ADMIN
from kubesteward_tools.twin.kubelet.outlook import Best
from kubesteward_tools.twin.play import Play
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Store


def left_by(
    store: Store, calls: Sequence[ApiCall], *, now: float, seed: int | str = 0, kinds: tuple[ResourceType, ...] = ()
) -> tuple[Store, float]:
    """A fork of `store` after the calls, come to rest, and the moment of that; up to the first call that is refused."""
    play = Play(store, calls, Best(), now, seed, ADMIN, kinds, paced=True)
    play.run()
    return play.cluster.store, play.cluster.clock.now
