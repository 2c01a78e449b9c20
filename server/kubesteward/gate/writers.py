"""Hands out the writing client of a cluster, one each, and closes them all."""

from __future__ import annotations

from collections.abc import Callable

from kubesteward.execution.apply import Writer, Writing
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.errors import Refused
from kubesteward_tools.world.world import World

Open = Callable[[Connection], Writing]


class Writers:
    def __init__(self, open_writer: Open = Writer) -> None:
        self._open = open_writer
        self._writers: dict[str, Writing] = {}

    def find(self, world: World) -> Writing | None:
        """None for a bundle."""
        if world.connection is None:
            return None
        if world.cluster not in self._writers:
            self._writers[world.cluster] = self._open(world.connection)
        return self._writers[world.cluster]

    def get(self, world: World) -> Writing:
        """Raises Refused for a bundle."""
        writer = self.find(world)
        if writer is None:
            raise Refused(f"{world.cluster!r} is a bundle of files and cannot be changed.")
        return writer

    async def close(self) -> None:
        for writer in self._writers.values():
            await writer.close()
        self._writers.clear()
