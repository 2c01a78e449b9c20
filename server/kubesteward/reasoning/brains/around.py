"""A brain round another one: the same in all that it does not do otherwise. The meter and the premises are such."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kubesteward.reasoning.brains.base import Ask, Brain, Event, Health


class Around:
    def __init__(self, brain: Brain) -> None:
        self._brain = brain

    @property
    def name(self) -> str:
        return self._brain.name

    @property
    def provider(self) -> str:
        return self._brain.provider

    @property
    def model(self) -> str:
        return self._brain.model

    @property
    def local(self) -> bool:
        return self._brain.local

    def stream(self, ask: Ask) -> AsyncGenerator[Event, None]:
        return self._brain.stream(ask)

    def count(self, ask: Ask) -> int:
        return self._brain.count(ask)

    async def check(self) -> Health:
        return await self._brain.check()

    async def close(self) -> None:
        await self._brain.close()
