"""`doctor`: one line for everything the server needs, and what to do where something is missing."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.e2e.embedded import running
from tests.server.cli.conftest import Command

from kubesteward.cli.exits import FAILED, OK

TOKEN = "eyJhbGciOiJIUzI1NiJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl"


def kubeconfig(path: Path, **servers: str) -> Path:
    """Every name is a context, a cluster and a user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": name, "user": {"token": TOKEN}} for name in servers],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name in servers],
        "current-context": next(iter(servers)),
    }
    path.write_text(json.dumps(config))
    return path


@pytest.fixture
def dead() -> Iterator[str]:
    """An address where nobody answers: taken, and not listened on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def checks(kubesteward: Command, code: int) -> dict[str, dict[str, str]]:
    """By name; the page for people must hold the same."""
    page, said = kubesteward("doctor"), kubesteward("doctor", "--json")
    found = {item["name"]: item for item in json.loads(said.out)}
    lines = [f"{item['state']:4}  {name}: {item['found']}" for name, item in found.items()]

    assert (page.code, said.code, page.err, said.err) == (code, code, "", "")
    assert [line for line in lines if line not in page.out] == []
    assert TOKEN not in page.out + said.out
    assert [name for name, item in found.items() if (item["state"] == "ok") == bool(item["todo"])] == []
    return found


def test_without_a_kubeconfig_the_embedded_cluster_is_offered(kubesteward: Command, home: Path) -> None:
    found = checks(kubesteward, OK)

    assert found["clusters"] == {
        "name": "clusters",
        "state": "warn",
        "found": "no kubeconfig was found",
        "todo": "Set KUBECONFIG, or try the embedded cluster: kubesteward demo",
    }
    assert found["store"]["state"] == "ok"
    assert not (home / "state").exists()


@pytest.mark.parametrize("content", [b"a: [b", b"just text", b"\xff\xfe", b"\x00", b"contexts: x"])
def test_a_broken_kubeconfig_is_named(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    broken = home / "broken"
    broken.write_bytes(content)
    monkeypatch.setenv("KUBECONFIG", str(broken))
    said = kubesteward("doctor")

    assert said.err == ""
    assert said.code == FAILED
    assert f"fail  clusters: {broken} " in said.out


@pytest.mark.parametrize("content", ["", "kind: Config\n", "[]", "contexts: []", "clusters: 3"])
def test_a_kubeconfig_without_a_context_is_a_failure(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (home / "config").write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(home / "config"))

    assert checks(kubesteward, FAILED)["clusters"]["found"] == "the kubeconfig names no context that can be used"


@pytest.mark.parametrize("variable", ["KUBECONFIG", "KUBESTEWARD_KUBECONFIG", "KUBESTEWARD_BUNDLE"])
def test_what_was_named_and_is_not_there_is_a_failure(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(home / "gone"))
    clusters = checks(kubesteward, FAILED)["clusters"]

    assert clusters["found"].startswith("there is no ")
    assert str(home / "gone") in clusters["found"]


def test_a_dead_server_is_told_and_no_other_context_suffers(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    with running(home) as alive:
        config = json.loads(alive.read_text())
        other = json.loads(kubeconfig(home / "other", dead=dead).read_text())
        for section in ("clusters", "users", "contexts"):
            config[section] += other[section]
        (home / "both").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(home / "both"))
        found = checks(kubesteward, FAILED)

    assert found["context dead"]["state"] == "fail"
    assert "does not answer" in found["context dead"]["found"]
    assert found["context kubesteward-embedded"]["found"] == "4 namespaces seen"


def test_a_token_that_is_not_let_in_is_told(kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(home) as alive:
        config = json.loads(alive.read_text())
        config["users"][0]["user"]["token"] = TOKEN
        alive.with_name("wrong").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(home / "wrong"))
        found = checks(kubesteward, FAILED)["context kubesteward-embedded"]

    assert found["state"] == "fail"


def test_a_context_without_its_cluster_is_told(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    config = json.loads(kubeconfig(home / "half", half=dead).read_text())
    (home / "half").write_text(json.dumps({**config, "clusters": []}))
    monkeypatch.setenv("KUBECONFIG", str(home / "half"))

    assert "the configuration of 'half' cannot be used" in checks(kubesteward, FAILED)["context half"]["found"]


def test_a_context_that_is_not_in_the_file_lists_those_that_are(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(home / "config", a=dead, b=dead)))
    monkeypatch.setenv("KUBESTEWARD_CONTEXT", "c")
    clusters = checks(kubesteward, FAILED)["clusters"]

    assert (clusters["found"], clusters["todo"]) == ("there is no cluster 'c'.", "There are: a, b.")


def test_a_bundle_is_read(kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in ("shop", "default")]
    (home / "bundle.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": names}))
    monkeypatch.setenv("KUBESTEWARD_BUNDLE", str(home / "bundle.json"))

    assert checks(kubesteward, OK)["context bundle"]["found"] == "2 namespaces seen"


def test_a_state_folder_that_cannot_be_made_is_told(kubesteward: Command, home: Path) -> None:
    (home / "state").touch()
    store = checks(kubesteward, FAILED)["store"]

    assert store["found"] == f"{home / 'state'} is no folder that can be written"
    assert "KUBESTEWARD_STATE_DIR" in store["todo"]


@contextmanager
def prometheus(status: int, body: object) -> Iterator[str]:
    """The address of a server that gives one answer to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


VERSION = {"metric": {"version": "2.42.0"}, "value": [0, "1"]}


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (200, {"status": "success", "data": {"resultType": "vector", "result": [VERSION]}}, "ok", "version 2.42.0"),
        (200, {"status": "success", "data": {"resultType": "vector", "result": []}}, "ok", "answers"),
        (401, {}, "fail", "does not accept the credentials (HTTP 401)"),
        (200, {"login": "please"}, "fail", "does not speak Prometheus' API"),
    ],
)
def test_a_prometheus_that_is_configured_is_asked(
    kubesteward: Command,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    dead: str,
    status: int,
    body: object,
    state: str,
    words: str,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(home / "config", lab=dead)))
    monkeypatch.setenv("KUBESTEWARD_PROMETHEUS_TOKEN", TOKEN)
    with prometheus(status, body) as url:
        monkeypatch.setenv("KUBESTEWARD_PROMETHEUS_URL", f"lab={url}")
        found = checks(kubesteward, FAILED)["prometheus of lab"]

    assert found["state"] == state
    assert words in found["found"]


def test_a_prometheus_of_no_context_is_a_failure(
    kubesteward: Command, home: Path, monkeypatch: pytest.MonkeyPatch, dead: str
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(home / "config", lab=dead)))
    monkeypatch.setenv("KUBESTEWARD_PROMETHEUS_URL", f"lob={dead}")

    assert "names the context 'lob'" in checks(kubesteward, FAILED)["prometheus"]["found"]


@pytest.mark.parametrize(
    ("scopes", "state", "told"),
    [
        ("de*=2;dead/shop=1", "ok", "1, and 2 scopes with other levels"),
        ("deed=2;*/shop=1", "warn", "no context is named deed"),
    ],
)
def test_scopes_of_autonomy_that_fit_no_context_are_told(
    kubesteward: Command,
    home: Path,
    dead: str,
    monkeypatch: pytest.MonkeyPatch,
    scopes: str,
    state: str,
    told: str,
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig(home / "config", dead=dead)))
    monkeypatch.setenv("KUBESTEWARD_AUTONOMY_SCOPES", scopes)
    found = checks(kubesteward, FAILED)

    assert (found["autonomy"]["state"], found["autonomy"]["found"]) == (state, told)
