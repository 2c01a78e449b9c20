"""A diagnosis of one world, live or saved: what to look at is found out, its logs are read, and the rest is rules."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from kubesteward_tools.cluster.bundle import BundleSource
from kubesteward_tools.diagnosis import measuring
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import Verdict, diagnose
from kubesteward_tools.diagnosis.gathering import RESOURCES, live
from kubesteward_tools.diagnosis.past import remembered
from kubesteward_tools.diagnosis.question import Question, understand
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.scope import check_shown, unseen
from kubesteward_tools.lookup.targets import check_namespace, find, parse
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World


async def ask(world: World, now: float, *, target: str = "", namespace: str = "", question: str = "") -> Verdict:
    """What is wrong with `target` (kind/name; "": everything), as far as the question goes.

    Raises:
        SteadyError: the target or its namespace is not there, pods may not be seen, or the cluster does not answer.
    """
    await world.ensure(*RESOURCES, namespace=namespace)
    check_shown(world, "pods", namespace)
    keys = await _named(world, target, namespace)
    source = world.source
    if isinstance(source, BundleSource):
        scene = scene_of(world, source, question, now)
        scene.question = _about(scene.question, keys, namespace)
        return await asyncio.to_thread(diagnose, scene, world.cluster)
    asked = _about(understand(question, world.store) if question else Question(), keys, namespace)
    scene = Scene(world.store, world.graph, moment(world, now), {}, asked)
    wanted = {scene.owner(key) for key in asked.named | asked.hinted}
    scene.logs, scene.usage = await asyncio.gather(
        live(world, scene, wanted), measuring.live(world, scene, wanted, now)
    )
    scene.unseen = tuple(unseen(world, RESOURCES, namespace))
    scene.past = remembered(world, [item.pod_key for item in scene.ailing], now)
    return await asyncio.to_thread(diagnose, scene, world.cluster)


async def _named(world: World, target: str, namespace: str) -> list[Key]:
    if not target:
        await check_namespace(world, namespace)
        return []
    kind, name = parse(target, "")
    if kind:
        return [(await find(world, kind, name, namespace)).key]
    found = understand(f"'{name}'", world.store)
    keys = sorted(key for key in found.named | found.hinted if namespace in {"", key.namespace})
    return keys or [(await find(world, "Pod", name, namespace)).key]


def _about(question: Question, keys: list[Key], namespace: str) -> Question:
    spaces = {key.name for key in keys if key.resource == "namespaces"} | ({namespace} - {""})
    named = [key for key in keys if key.resource != "namespaces"]
    return question.about(*named, namespaces=spaces)
