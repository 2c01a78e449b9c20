"""A question instead of a plan: what would be left if a node or a zone failed?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.plans.gaps import filled
from kubesteward_tools.world.store import Store

if TYPE_CHECKING:
    from kubesteward_tools.twin.hypothetical import Hypothetical
    from kubesteward_tools.world.world import World

What = Literal["node", "zone"]


@dataclass(frozen=True, slots=True)
class Supposed:
    """All that the answer needs, so that it can be worked out without the cluster."""

    what: What
    name: str
    store: Store
    now: float
    unseen: tuple[str, ...]
    gaps: tuple[str, ...] = ()

    @property
    def summary(self) -> str:
        return f"Failure of {self.what} {self.name}"

    def rehearse(self) -> Hypothetical:
        """Raises InvalidArguments: there is none of that name."""
        from kubesteward_tools.twin.hypothetical import fail

        nodes, zone = ((self.name,), "") if self.what == "node" and self.name else ((), self.name)
        try:
            found = fail(self.store, nodes=nodes, zone=zone, now=self.now, unseen=self.unseen)
        except ValueError as error:
            raise InvalidArguments(f"{error}.", todo=f"Name the {self.what}.") from None
        return found.model_copy(update={"assumptions": (*found.assumptions, *self.gaps)})


async def suppose(world: World, what: What, name: str, now: float, *, whole: bool = False) -> Supposed:
    """See all that the twin has to know, on a fork that nobody else writes to. `now` is in epoch seconds; `whole` says
    that nothing was left out of what the world was made from.

    Raises:
        InvalidArguments: a bundle lacks what a rehearsal cannot do without.
    """
    from kubesteward_tools.world.world import TWIN_RESOURCES

    await world.ensure_for_rehearsal()
    unseen = tuple(kind for kind in world.forbidden if kind in TWIN_RESOURCES)
    fork = world.store.fork()
    gaps = () if whole or world.writable else tuple(filled(fork))
    return Supposed(what, name, fork, moment(world, now), unseen, gaps)
