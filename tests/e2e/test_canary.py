"""Secrets are planted wherever one may stand, everything that can be asked is asked, and none may come out anywhere."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import logging
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

import anyio
import pytest
import yaml
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import ClientRequestContext
from mcp.types import ElicitRequestParams, ElicitResult
from tests.e2e import planted, planted_texts
from tests.e2e.canaries import SHAPES, Aviary
from tests.e2e.desk import YES
from tests.e2e.eavesdropping import Ear, ask_what_changed, look_around, propose, read_the_rest, stumble
from tests.e2e.serving import COMMAND
from tests.tools.world.objects import Object, obj

from kubesteward.app import App
from kubesteward.cli.actions import actions
from kubesteward.embedded.server import EmbeddedCluster
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.catalog import load_tools
from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.twin.resources import of
from kubesteward_tools.world.store import Key

MANY: dict[str, Any] = {"autonomy": 2, "rate_proposals_per_minute": 0, "rate_reads_per_minute": 0}
"""Everything is asked and proposed at once here."""
TOLD = (
    "stringData", "stringData in JSON text", "stringData in YAML text", "json operation", "data", "apply",
    "ConfigMap key", "ConfigMap json operation", "ConfigMap file", "env", "annotation", "wrong type",
    "unknown field", "broken YAML", "broken JSON", "manifest", "reasoning",
    "reasoning header", "title", "justification",
)  # fmt: skip


@dataclass
class Heard:
    """What was planted, by canary the calls that gave it away, and all that was said."""

    aviary: Aviary
    leaks: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    said: str = ""
    own: str = ""
    """The token by which the server itself is let in."""

    def listen(self, heard: list[tuple[str, str]]) -> None:
        self.said += "\n".join(part for pair in heard for part in pair)
        for label, text in heard:
            for name in self.aviary.found(text):
                self.leaks[name].append(label)


@pytest.fixture(scope="module", params=["embedded", pytest.param("bundle", marks=pytest.mark.slow)])
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


def _plants(aviary: Aviary, when: str) -> planted_texts.Plant:
    return lambda where, shape: aviary.plant(f"{when}: {where}", shape)


def _dated(value: Any, stamp: str) -> Any:
    """With times where the objects leave them open."""
    if isinstance(value, dict):
        return {key: stamp if key.endswith(("Timestamp", "At")) else _dated(item, stamp) for key, item in value.items()}
    return [_dated(item, stamp) for item in value] if isinstance(value, list) else value


async def _over_a_live_cluster(found: Heard, folder: Path) -> None:
    async with EmbeddedCluster(nodes=1) as cluster:
        cluster.write_kubeconfig(folder / "kubeconfig")
        found.own = cluster.token
        old, new = (_plants(found.aviary, when) for when in ("before", "after"))
        write = _writer(cluster)
        write([obj("Namespace", "shop", namespace="", status={"phase": "Active"})])
        write([*planted.objects(old), *planted.rollout(old, new)])
        terms = {"state_dir": folder / "state", **MANY}
        settings = Settings.load({}, kubeconfig=folder / "kubeconfig", **terms)
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
    app = App.build(Settings.load({}, bundle=_saved(folder, now, new), state_dir=folder / "state", **MANY))
    try:
        async with _ear(app, found) as ear:
            await ask_what_changed(ear)
            await _everything(ear, found, now)
    finally:
        await app.close()


def _saved(folder: Path, objects: list[Object], plant: planted_texts.Plant) -> Path:
    saved = folder / "bundle"
    saved.mkdir()
    (saved / "cluster.json").write_text(json.dumps({"items": _dated(objects, timestamp(time.time() - 60))}))
    (saved / "logs.json").write_text(json.dumps(planted_texts.logs(plant)))
    return saved


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

    async def asked(_: ClientRequestContext, question: ElicitRequestParams) -> ElicitResult:
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


def _kinds() -> list[str]:
    """What the places of canaries begin with."""
    aviary = Aviary()
    old = new = _plants(aviary, "")
    for make in (planted.objects, planted.customs, planted_texts.logs):
        list(make(old))
    planted.rollout(old, new)
    return sorted({_kind(name) for name in aviary.canaries} | {"argument"})


def _kind(name: str) -> str:
    """`Pod` of `after: Pod env DB_PASSWORD [token]`; `argument` of those that a caller brings."""
    when, _, place = name.partition(": ")
    return when if when == "argument" else place.split(" ")[0].split("(")[0]


@pytest.mark.requirement("secrets.nowhere")
@pytest.mark.parametrize("kind", _kinds())
def test_no_secret_comes_out_anywhere(heard: Heard, kind: str) -> None:
    leaks = [
        f"{name}: {'; '.join(sorted(set(labels))[:3])}"
        for name, labels in sorted(heard.leaks.items())
        if _kind(name) == kind
    ]

    assert leaks == []


def test_everything_was_asked_and_shown(heard: Heard) -> None:
    """Otherwise the silence would prove nothing."""
    there = {item["metadata"]["name"] for item in planted.objects(_plants(Aviary(), ""))}

    assert sorted(name for name in load_tools() if f"{name}(" not in heard.said) == []
    assert sorted(name for name in there if name not in heard.said) == []
    assert heard.said.count(REDACTED) > 1000


def test_the_servers_own_token_comes_out_nowhere(heard: Heard) -> None:
    assert not heard.own or heard.own not in heard.said


def test_no_hash_of_a_secret_comes_out(heard: Heard) -> None:
    """They are for comparing within the process; `Aviary.found` looks for those that anybody can make."""
    assert "hmac:" not in heard.said


def test_a_hash_of_a_secret_means_nothing_to_another_process() -> None:
    code = (
        "from kubesteward_tools.cluster.intake import trimmed; "
        "print(trimmed({'metadata': {'name': 'a'}, 'data': {'k': 'YQ=='}}, 'Secret', 'v1')['data']['k'])"
    )
    made = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in "ab"
    ]

    assert all(item.startswith("hmac:") for item in made)
    assert made[0] != made[1]


def test_the_process_that_a_host_starts_says_nothing_on_stderr(tmp_path: Path) -> None:
    """At debug level, over stdio, with a bundle that is full of secrets."""
    found = Heard(Aviary())
    with (tmp_path / "stderr").open("w") as stderr:
        anyio.run(_as_a_host, found, tmp_path, stderr)
    found.listen([("stderr", (tmp_path / "stderr").read_text()), *_kept(tmp_path / "state")])

    assert found.leaks == {}
    assert "DEBUG" in found.said


async def _as_a_host(found: Heard, folder: Path, stderr: TextIO) -> None:
    plant = _plants(found.aviary, "saved")
    now = [*planted.objects(plant), *planted.customs(plant)]
    options = ["--bundle", str(_saved(folder, now, plant)), "--state-dir", str(folder / "state"), "--autonomy", "2"]
    environment = {**os.environ, "KUBESTEWARD_LOG_LEVEL": "debug"}
    command = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], *options], env=environment)
    async with Client(stdio_client(command, errlog=stderr)) as client:
        ear = Ear(client)
        secrets = {where: found.aviary.plant(f"argument: {where}", "token") for where in TOLD}
        await propose(ear, secrets)
        await stumble(ear, secrets, found.aviary.plant("argument: wrong word", "jwt"))
        await read_the_rest(ear)
    found.listen(ear.heard)


@pytest.mark.slow
def test_no_name_and_no_shape_comes_out_in_any_format(tmp_path: Path) -> None:
    found = Heard(Aviary())
    anyio.run(_crossed, found, tmp_path)

    assert sorted(found.leaks) == []


async def _crossed(found: Heard, folder: Path) -> None:
    plant = _plants(found.aviary, "crossed")
    now = list(planted.crossed(plant))
    app = App.build(Settings.load({}, bundle=_saved(folder, now, plant), state_dir=folder / "state"))
    try:
        async with _ear(app, found) as ear:
            for item in now:
                metadata = item["metadata"]
                await ear.call(
                    "get_resource_yaml",
                    kind=item["kind"],
                    name=metadata["name"],
                    namespace="shop",
                    response_format="detailed",
                )
    finally:
        await app.close()


def test_canaries_are_found_in_every_disguise() -> None:
    aviary = Aviary()
    for shape in SHAPES:
        text = aviary.plant("here", shape)
        raw = text.encode()
        forms = [
            text,
            json.dumps(json.dumps(text)),
            yaml.safe_dump({"a": text}),
            quote(text),
            html.escape(text),
            f"x{base64.b64encode(b'ab' + raw).decode()}",
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            aviary.canaries[f"here [{shape}]"].cores[-1].encode().hex(),
            aviary.canaries[f"here [{shape}]"].cores[-1][5:17],
            hashlib.sha256(raw).hexdigest(),
            base64.b64encode(gzip.compress(raw)).decode(),
        ]

        assert [f"here [{shape}]" in aviary.found(form) for form in forms] == [True] * len(forms), shape
    assert aviary.found("nothing to see") == set()
