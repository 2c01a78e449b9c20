"""The correlation of a live or saved cluster: objects are listed, logs of what fails are read, the rest is rules."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.correlation.correlate import LONGEST, Correlation, correlate
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.gathering import RESOURCES, live
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.scope import Scope, each, seen
from kubesteward_tools.lookup.targets import check_namespace
from kubesteward_tools.text.ages import seconds

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_SHORTEST = 60.0
_LOGS = 6.0
"""Seconds that reading logs may take."""


@dataclass(frozen=True)
class Seen:
    """One cluster, and what its failures have in common."""

    cluster: str
    scene: Scene
    correlation: Correlation


def span(window: str) -> float:
    """Seconds of a window such as 30m. Raises InvalidArguments where it is none, too short or too long."""
    found = seconds(window)
    if not _SHORTEST <= found <= LONGEST:
        raise InvalidArguments(
            f"a window of {window} cannot be looked at.", todo="Give one from 1m to 6h: events are not kept longer."
        )
    return found


async def look(scope: Scope, now: float, window: float) -> list[Seen]:
    """Every cluster of the scope; one that does not answer is noted there while another one does.

    Raises:
        Forbidden: pods may be listed in none. SteadyError: none answers, or the namespace is nowhere.
    """
    await seen(scope, RESOURCES, required="pods")
    found = await each(scope, lambda world: _look(world, now, window, scope.namespace))
    return [one for _, one in found]


async def _look(world: World, now: float, window: float, namespace: str) -> Seen:
    await check_namespace(world, namespace)
    source = world.source
    if isinstance(source, BundleSource):
        scene = await asyncio.to_thread(scene_of, world, source, "", now)
    else:
        scene = Scene(world.store, world.graph, moment(world, now))
        with suppress(TimeoutError):  # slow logs must not cost what is known without them
            async with asyncio.timeout(_LOGS):
                scene.logs = await live(world, scene, ())
    return Seen(world.cluster, scene, await asyncio.to_thread(correlate, scene, window, namespace))
