"""Secrets are planted wherever one may stand, everything that can be asked is asked, and none may come out anywhere."""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult
from tests.e2e import planted
from tests.e2e.canaries import Aviary
from tests.e2e.desk import YES
from tests.e2e.eavesdropping import Ear, ask_what_changed, look_around, propose, read_the_rest, stumble
from tests.tools.world.objects import Object, obj

from kubesteward.app import App
from kubesteward.cli.actions import actions
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.resources import of
from kubesteward_tools.world.store import Key

TOLD = (
    "stringData", "stringData in JSON text", "stringData in YAML text", "json operation", "data", "apply", "ConfigMap key",
    "ConfigMap json operation", "ConfigMap file", "env", "annotation", "wrong type", "unknown field", "broken YAML",
    "broken JSON", "manifest", "reasoning", "reasoning header", "title", "justification",
)  # fmt: skip


@dataclass
class Heard:
    """What was planted, and by canary the calls that gave it away."""

    aviary: Aviary
    leaks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    labels: list[str] = field(default_factory=list)

    def listen(self, heard: list[tuple[str, str]]) -> None:
        for label, text in heard:
            self.labels.append(label)
            for name in self.aviary.found(text):
                self.leaks[name].append(label)


@pytest.fixture(scope="module", params=["embedded", "bundle"])
def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Heard:
    listen = {"embedded": _over_a_live_cluster, "bundle": _over_a_bundle}[request.param]
    found = Heard(Aviary())
    folder = tmp_path_factory.mktemp(request.param)
    with _logged() as log:
        anyio.run(listen, found, folder)
    found.listen([(f"log of {name}", text) for name, text in log.items()])
    found.listen(list(_kept(folder / "state")))
    return found


@contextmanager
def _logged() -> Iterator[dict[str, str]]:
    """Whatever is logged at debug level, by logger."""
    stream, found = StringIO(), dict[str, str]()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield found
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
        found["the server"] = stream.getvalue()


def _kept(state: Path) -> Iterator[tuple[str, str]]:
    """The bytes of all files that are left, and what the operator is shown of them."""
    for file in sorted(state.rglob("*")):
        if file.is_file():
            yield f"file {file.name}", file.read_bytes().decode("latin-1")
    shown = StringIO()
    with redirect_stdout(shown):
        actions(state_dir=state, as_json=True)
    yield "kubesteward actions", shown.getvalue()


def _plants(aviary: Aviary, when: str) -> planted.Plant:
    return lambda where, shape: aviary.plant(f"{when}: {where}", shape)


def _dated(value: Any, stamp: str) -> Any:
    """With times where the objects leave them open."""
    if isinstance(value, dict):
        return {key: stamp if key.endswith(("Timestamp", "At")) else _dated(item, stamp) for key, item in value.items()}
    return [_dated(item, stamp) for item in value] if isinstance(value, list) else value


async def _over_a_live_cluster(found: Heard, folder: Path) -> None:
    async with EmbeddedCluster(nodes=1) as cluster:
        cluster.write_kubeconfig(folder / "kubeconfig")
        old, new = (_plants(found.aviary, when) for when in ("before", "after"))
        write = _writer(cluster)
        write([obj("Namespace", "shop", namespace="", status={"phase": "Active"})])
        write([*planted.objects(old), *planted.rollout(old, new)])
        settings = Settings.load({}, kubeconfig=folder / "kubeconfig", state_dir=folder / "state", autonomy=2)
        app = App(settings)
        try:
            async with _ear(app, found) as ear:
                await look_around(ear, planted.objects(old)[:1])
                await ask_what_changed(ear)
                now = planted.objects(new)
                async with _noticed(app, now[-1]):
                    write(now)
                await ask_what_changed(ear)
                await _everything(ear, found, [*now, *planted.rollout(old, new)])
        finally:
            await app.close()


async def _over_a_bundle(found: Heard, folder: Path) -> None:
    old, new = (_plants(found.aviary, when) for when in ("before", "after"))
    now = [*planted.objects(new), *planted.customs(new), *planted.rollout(old, new)]
    saved = folder / "bundle"
    saved.mkdir()
    stamp = timestamp(time.time() - 60)
    (saved / "cluster.json").write_text(json.dumps({"items": _dated(now, stamp)}))
    (saved / "logs.json").write_text(json.dumps(planted.logs(new)))
    app = App.build(Settings.load({}, bundle=saved, state_dir=folder / "state", autonomy=2))
    try:
        async with _ear(app, found) as ear:
            await ask_what_changed(ear)
            await _everything(ear, found, now)
    finally:
        await app.close()


def _writer(cluster: EmbeddedCluster) -> Callable[[list[Object]], None]:
    """Writes past admission: what is there came from somewhere."""

    def write(items: list[Object]) -> None:
        for item in _dated(items, timestamp(time.time() - 60)):
            kind = of(item["apiVersion"], item["kind"])
            assert kind is not None, item["kind"]
            metadata = item["metadata"]
            cluster.simulated.api.replace(Key(kind.resource, metadata.get("namespace", ""), metadata["name"]), item)
        cluster.wake()

    return write


@asynccontextmanager
async def _noticed(app: App, last: Object) -> AsyncIterator[None]:
    """To be left when the world has heard of every write up to the last one."""
    heard = anyio.Event()
    store = (await app.clusters.world(None)).store
    end = store.subscribe(lambda event: heard.set() if event.key.name == last["metadata"]["name"] else None)
    yield
    with anyio.fail_after(10):
        await heard.wait()
    end()


@asynccontextmanager
async def _ear(app: App, found: Heard) -> AsyncIterator[Ear]:
    forms: list[tuple[str, str]] = []

    async def asked(context: ClientRequestContext, question: ElicitRequestParams) -> ElicitResult:
        forms.append(("form", question.model_dump_json()))
        return YES

    async with Client(build(app), elicitation_callback=asked) as client:
        ear = Ear(client)
        yield ear
    found.listen([*ear.heard, *forms])


async def _everything(ear: Ear, found: Heard, objects: list[Object]) -> None:
    secrets = {where: found.aviary.plant(f"argument: {where}", "token") for where in TOLD}
    await look_around(ear, objects)
    await propose(ear, secrets)
    await stumble(ear, secrets, found.aviary.plant("argument: wrong word", "jwt"))
    await read_the_rest(ear)



@pytest.mark.requirement("secrets.nowhere")
def test_no_secret_comes_out_anywhere(heard: Heard) -> None:
    leaks = [f"{name} <- {'; '.join(sorted(set(labels))[:3])} ({len(set(labels))})" for name, labels in sorted(heard.leaks.items())]

    assert leaks == []
