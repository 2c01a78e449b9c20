"""A Prometheus of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from tests.tools.prometheus.server import Server, serving

from kubesteward_tools.prometheus.client import Prometheus


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        yield running


@pytest.fixture
async def prometheus(server: Server) -> AsyncIterator[Prometheus]:
    made = Prometheus(server.url, "hunter2")
    yield made
    await made.close()
