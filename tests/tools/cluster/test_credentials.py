"""Credentials are renewed once when they are refused, come from wherever a kubeconfig says, and never leak."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.config import incluster_config
from tests.tools.cluster import kubeconfigs
from tests.tools.cluster.apiserver import PATIENCE, ApiServer
from tests.tools.cluster.conftest import Seen

from kubesteward.embedded.server import EmbeddedCluster
from kubesteward_tools.cluster.clusters import IN_CLUSTER, Clusters
from kubesteward_tools.cluster.connection import connect
from kubesteward_tools.cluster.credentials import in_background
from kubesteward_tools.cluster.transport import ReadTransport
from kubesteward_tools.errors import ClusterUnreachable, Unauthorized

pytestmark = pytest.mark.anyio

PLUGIN = """
import json, pathlib, sys
runs = pathlib.Path(sys.argv[1])
runs.write_text(runs.read_text() + "." if runs.exists() else ".")
token = f"token-{len(runs.read_text())}"
kind = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
print(json.dumps({**kind, "status": {"token": token}}))
"""


def plugin(folder: Path, source: str) -> dict[str, Any]:
    """The user of a kubeconfig who runs a Python program to log in; it is told the path of a file of its own."""
    program = folder / "plugin.py"
    program.write_text(source)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(program), str(folder / "runs")],
            "interactiveMode": "Never",
        }
    }


async def opened(path: Path) -> ReadTransport:
    return ReadTransport(await connect("lab", str(path), "lab"))


@pytest.fixture
async def reading(server: ApiServer, tmp_path: Path) -> AsyncIterator[tuple[ReadTransport, Path]]:
    """A transport whose token is in a file, and that file."""
    file = tmp_path / "token"
    file.write_text("old\n")
    server.tokens = {"old"}
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, tokenFile=str(file))
    transport = await opened(path)
    yield transport, file
    await transport.close()


async def test_a_token_file_is_read_again_when_its_token_is_refused(
    server: ApiServer, reading: tuple[ReadTransport, Path]
) -> None:
    transport, file = reading
    await transport.get("/version")
    server.tokens = {"new"}
    file.write_text("new")
    await transport.get("/version")

    assert [item.authorization for item in server.asked] == ["Bearer old", "Bearer old", "Bearer new"]


async def test_credentials_are_renewed_once_and_not_for_every_refusal(
    server: ApiServer, reading: tuple[ReadTransport, Path]
) -> None:
    transport, _ = reading
    server.tokens = set()
    refused = await asyncio.gather(*(transport.get("/version") for _ in range(5)), return_exceptions=True)
    refused += await asyncio.gather(transport.get("/version"), return_exceptions=True)

    assert [Unauthorized] * 6 == [type(item) for item in refused]
    assert len(server.asked) == 11


async def test_an_exec_plugin_runs_again_when_its_token_is_refused(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, **plugin(tmp_path, PLUGIN))
    server.tokens = {"token-1"}
    transport = await opened(path)
    await transport.get("/version")
    await transport.get("/version")
    server.tokens = {"token-2"}
    await transport.get("/version")
    await transport.close()

    assert (
        " ".join(item.authorization.removeprefix("Bearer ") for item in server.asked)
        == "token-1 token-1 token-1 token-2"
    )


async def test_a_watch_goes_on_with_renewed_credentials(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, **plugin(tmp_path, PLUGIN))
    clusters = Clusters.from_kubeconfig(path)
    world = await clusters.world()
    await world.ensure("pods")
    await server.watched("pods")
    server.tokens = {"token-2"}
    server.cut("pods")
    server.put("pods", "late")
    await Seen(world).holds("pods", "late")
    await clusters.close()

    assert len(server.requests("pods", watches=False)) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import sys; sys.exit('the session has expired, token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIi')", "session has expired"),
        ("print('not json')", "failed to decode"),
        ("print('{}')", "missing key"),
    ],
)
async def test_a_plugin_that_fails_is_quoted_without_credentials(
    server: ApiServer, tmp_path: Path, source: str, reason: str
) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, **plugin(tmp_path, source))
    with pytest.raises(ClusterUnreachable, match=rf"credential plugin of 'lab' failed .*{reason}") as caught:
        await Clusters.from_kubeconfig(path).world()

    assert "Log in again in a terminal" in caught.value.todo
    assert "eyJhbGci" not in str(caught.value)
    assert server.asked == []


async def test_a_plugin_that_is_not_installed_is_named(server: ApiServer, tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login-program"}}
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, **user)

    with pytest.raises(ClusterUnreachable, match="no-such-login-program"):
        await Clusters.from_kubeconfig(path).world()


async def test_a_token_that_can_be_no_header_is_said_to_be_none(server: ApiServer, tmp_path: Path) -> None:
    path = kubeconfigs.write(tmp_path / "kubeconfig", {"lab": server.url}, token="one\nX-Remote-User: two")
    with pytest.raises(ClusterUnreachable, match="its token has lines or control characters") as caught:
        await Clusters.from_kubeconfig(path).world()

    assert "two" not in str(caught.value)
    assert server.asked == []


async def test_a_cancellation_that_meets_an_answer_is_not_lost() -> None:
    loop, asked, answering = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def answer() -> None:
        threads.append(threading.current_thread())
        loop.call_soon_threadsafe(asked.set)
        answering.wait(PATIENCE)

    task = asyncio.create_task(in_background(answer, "lab", PATIENCE))
    await asked.wait()
    answering.set()
    threads[0].join()
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE)

    assert task.cancelled()


async def test_credentials_that_do_not_come_are_given_up() -> None:
    never = threading.Event()
    with pytest.raises(ClusterUnreachable, match=r"credentials of 'lab' did not come within 0 s"):
        await in_background(lambda: never.wait(PATIENCE), "lab", 0.01)
    never.set()


async def test_a_pod_uses_its_service_account_and_its_rotated_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the files are mounted is told to the loader; the rest is as in a pod."""
    async with EmbeddedCluster(nodes=1) as embedded:
        (tmp_path / "token").write_text("expired")
        (tmp_path / "ca.crt").write_bytes(embedded.certificate)
        monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
        monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("KUBECONFIG", raising=False)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", embedded.url.rpartition(":")[2])
        clusters = Clusters.from_kubeconfig()
        with pytest.raises(Unauthorized, match="'in-cluster' does not accept the credentials"):
            await clusters.world()
        (tmp_path / "token").write_text(f"{embedded.token}\n")
        world = await clusters.world()
        await world.ensure("nodes")

        assert clusters.names() == [IN_CLUSTER]
        assert world.store.count("nodes") == 1
        await clusters.close()


async def test_a_certificate_that_is_none_is_said_to_be(tmp_path: Path) -> None:
    async with EmbeddedCluster(nodes=1) as embedded:
        config = embedded.kubeconfig()
        config["clusters"][0]["cluster"]["certificate-authority-data"] = "bm90IGEgY2VydGlmaWNhdGU="
        path = tmp_path / "kubeconfig"
        path.write_text(json.dumps(config))
        with pytest.raises(ClusterUnreachable, match=r"a certificate in the configuration of .* cannot be used"):
            await Clusters.from_kubeconfig(path).world()
        del config["clusters"][0]["cluster"]["certificate-authority-data"]
        path.write_text(json.dumps(config))
        with pytest.raises(ClusterUnreachable, match=r"does not answer .*certificate verify failed"):
            await Clusters.from_kubeconfig(path).world()
