"""Worlds of saved or simulated objects, and plans made from text."""

from __future__ import annotations

from typing import Any

from tests.tools.desk import NOW, TestDesk

from kubesteward_tools.plans.documents import Document, Reading
from kubesteward_tools.plans.plan import Plan, of_manifests, prepare
from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.rehearsal import Rehearsal


def read(text: str, source: str = "a.yaml") -> list[Document]:
    reading = Reading()
    reading.add(source, text)

    assert reading.problems == []
    return reading.documents


def problems(text: str) -> list[str]:
    reading = Reading()
    reading.add("a.yaml", text)
    return reading.problems


async def plan(cluster: SimulatedCluster, text: str, **options: Any) -> Plan:
    world = await TestDesk(cluster.store).clusters.world()
    return await of_manifests(world, read(text), **options)


async def rehearsed(cluster: SimulatedCluster, text: str) -> Rehearsal:
    world = await TestDesk(cluster.store).clusters.world()
    return (await prepare(world, await of_manifests(world, read(text)), NOW)).rehearse()
