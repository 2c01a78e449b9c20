"""Very many objects, read in slices: reading unpacks them, and others who wait for the event loop must not notice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

from kubesteward_tools.world.store import Key, Object, Store

Item = TypeVar("Item")

SLICE = 0.01
"""Seconds after which others have their turn."""


async def each(store: Store, resource: str, namespace: str | None = None) -> AsyncIterator[tuple[Key, Object]]:
    """Every object of a resource that is still there when its turn comes, sorted by namespace and name."""
    async for key in turns(list(store.keys(resource, namespace))):
        obj = store.get(key)
        if obj is not None:
            yield key, obj


async def turns(items: Iterable[Item]) -> AsyncIterator[Item]:
    """The same items; others have their turn in between as soon as a slice of time is used up."""
    began = time.perf_counter()
    for item in items:
        yield item
        if time.perf_counter() - began > SLICE:
            await asyncio.sleep(0)
            began = time.perf_counter()
