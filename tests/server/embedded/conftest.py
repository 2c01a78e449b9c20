"""An embedded cluster for each test, and a client of it."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator

import aiohttp
import pytest

from kubesteward.embedded.server import EmbeddedCluster


@pytest.fixture
async def cluster() -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster(nodes=3) as running:
        yield running


@pytest.fixture
async def http(cluster: EmbeddedCluster) -> AsyncIterator[aiohttp.ClientSession]:
    """Trusts the cluster's certificate and sends its token."""
    context = ssl.create_default_context(cadata=cluster.certificate.decode())
    headers = {"Authorization": f"Bearer {cluster.token}"}
    connector = aiohttp.TCPConnector(ssl=context)
    async with aiohttp.ClientSession(cluster.url, headers=headers, connector=connector) as session:
        yield session
