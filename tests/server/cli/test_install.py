"""`install`: one entry in a client's configuration, and nothing else that is different afterwards."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.server.cli.conftest import Command

from kubesteward.cli.exits import FAILED, OK

PLACES = {
    "claude-desktop": ".config/Claude/claude_desktop_config.json",
    "claude-code": ".mcp.json",
    "cursor": ".cursor/mcp.json",
    "vscode": ".vscode/mcp.json",
}
SECTIONS = {client: "servers" if client == "vscode" else "mcpServers" for client in PLACES}
OTHERS: dict[str, Any] = {
    "théme": {"dark": True, "size": 1.5},
    "mcpServers": {"other": {"command": "other", "env": {"TOKEN": "t0ken"}}, "kubesteward": {"command": "old"}},
    "last": [None, 1, ""],
}


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubesteward.cli.install.sys.platform", "linux")


@pytest.fixture
def config(home: Path) -> Path:
    """What somebody has, with a token in it."""
    path = home / "config.json"
    path.write_text(json.dumps(OTHERS, ensure_ascii=False), "utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("client", PLACES)
def test_every_client_gets_an_entry_where_it_looks_for_one(kubesteward: Command, home: Path, client: str) -> None:
    said = kubesteward("install", client)
    entry = json.loads((home / PLACES[client]).read_text())[SECTIONS[client]]["kubesteward"]

    assert (said.code, said.err) == (OK, "")
    assert said.out == f"Wrote 'kubesteward' to {home / PLACES[client]}. Restart {client} to load it.\n"
    assert Path(entry["command"]).is_absolute()
    assert entry["args"][-1] == "serve"
    assert entry["env"] == {"PATH": os.environ["PATH"]}
    assert entry.get("type") == ("stdio" if client == "vscode" else None)


@pytest.mark.parametrize("client", PLACES)
def test_what_is_printed_is_what_would_be_written(kubesteward: Command, home: Path, client: str) -> None:
    printed = kubesteward("install", client, "--print")
    written = (home / PLACES[client]).exists()
    kubesteward("install", client)

    assert (printed.code, written) == (OK, False)
    assert json.loads(printed.out) == json.loads((home / PLACES[client]).read_text())


def test_everything_else_in_the_file_stays_as_it_is(kubesteward: Command, config: Path) -> None:
    said = kubesteward("install", "cursor", "--path", str(config))
    found = json.loads(config.read_text("utf-8"))
    entry = found["mcpServers"].pop("kubesteward")

    assert said.code == OK
    assert entry["args"][-1] == "serve"
    assert found == {**OTHERS, "mcpServers": {"other": OTHERS["mcpServers"]["other"]}}
    assert list(found) == list(OTHERS)
    assert "théme" in config.read_text("utf-8")
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert [item.name for item in config.parent.iterdir() if item.name.startswith(".")] == []


def test_the_second_time_changes_nothing_more(kubesteward: Command, config: Path) -> None:
    kubesteward("install", "cursor", "--path", str(config))
    before = config.read_bytes()
    kubesteward("install", "cursor", "--path", str(config))

    assert config.read_bytes() == before


def test_another_name_is_another_entry(kubesteward: Command, config: Path) -> None:
    kubesteward("install", "cursor", "--path", str(config), "--name", "staging")

    assert list(json.loads(config.read_text())["mcpServers"]) == ["other", "kubesteward", "staging"]


def test_a_link_is_followed_and_stays_a_link(kubesteward: Command, home: Path, config: Path) -> None:
    (home / "dotfiles").symlink_to(config)
    kubesteward("install", "cursor", "--path", "dotfiles")

    assert (home / "dotfiles").is_symlink()
    assert json.loads(config.read_text())["mcpServers"]["kubesteward"]["args"][-1] == "serve"


def test_a_link_to_a_file_that_is_yet_to_come_is_followed(kubesteward: Command, home: Path) -> None:
    (home / "link").symlink_to(home / "new" / "mcp.json")

    assert kubesteward("install", "cursor", "--path", "link").code == OK
    assert (home / "link").is_symlink()
    assert (home / "new" / "mcp.json").is_file()


@pytest.mark.parametrize("content", ["", " \n", "{}", "\ufeff{}"])
def test_a_file_that_says_nothing_yet_is_filled(kubesteward: Command, config: Path, content: str) -> None:
    config.write_text(content, "utf-8")

    assert kubesteward("install", "cursor", "--path", str(config)).code == OK
    assert list(json.loads(config.read_text("utf-8"))) == ["mcpServers"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"mcpServers": {', "is not JSON (Expecting property name"),
        (b'// mine\n{"mcpServers": {}}', "is not JSON (Expecting value"),
        (b"\xff\xfe{\x00}\x00", "is not JSON ("),
        (b"[" * 100_000, "is not JSON ("),
        (b"[]", "has no object under 'mcpServers'"),
        (b"null", "has no object under 'mcpServers'"),
        (b'{"mcpServers": []}', "has no object under 'mcpServers'"),
        (b'{"mcpServers": null}', "has no object under 'mcpServers'"),
    ],
    ids=["cut off", "commented", "UTF-16", "deep", "a list", "null", "a section that is a list", "a null section"],
)
def test_what_cannot_be_merged_is_refused_and_left_alone(
    kubesteward: Command, config: Path, content: bytes, why: str
) -> None:
    config.write_bytes(content)
    said = kubesteward("install", "cursor", "--path", str(config))

    assert (said.code, said.out) == (FAILED, "")
    assert said.err.startswith(f"kubesteward: {config} {why}")
    assert said.err.endswith("nothing was written. Mend it, or use --print.\n")
    assert said.err.count("\n") == 1
    assert config.read_bytes() == content


@pytest.mark.parametrize("place", ["tmp", "config.json/mcp.json", "loop"], ids=["folder", "below a file", "loop"])
def test_a_place_where_no_file_can_be_is_named(kubesteward: Command, home: Path, config: Path, place: str) -> None:
    (home / "loop").symlink_to("loop")
    before = sorted(home.iterdir())
    said = kubesteward("install", "cursor", "--path", place)

    assert (said.code, said.out) == (FAILED, "")
    assert said.err.startswith("kubesteward: ")
    assert place.partition("/")[0] in said.err
    assert said.err.count("\n") == 1
    assert sorted(home.iterdir()) == before
    assert json.loads(config.read_text("utf-8")) == OTHERS


def test_an_interrupted_write_leaves_the_old_file(
    kubesteward: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    said = kubesteward("install", "cursor", "--path", str(config))

    assert (said.code, said.err) == (130, "")
    assert json.loads(config.read_text("utf-8")) == OTHERS
    assert sorted(item.name for item in config.parent.iterdir()) == ["config.json", "tmp"]


def test_a_file_with_tokens_is_readable_by_nobody_else_at_any_time(
    kubesteward: Command, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even before its mode is set."""
    seen = []

    def watched(_: object, beside: Path) -> None:
        seen.append(stat.S_IMODE(beside.stat().st_mode))

    monkeypatch.setattr("kubesteward.cli.install.shutil.copymode", watched)
    kubesteward("install", "cursor", "--path", str(config))

    assert seen == [0o600]


def test_the_kubeconfig_is_named_in_full_and_must_be_there(kubesteward: Command, home: Path) -> None:
    (home / "kc").touch()
    there, gone = (kubesteward("install", "cursor", "--print", "--kubeconfig", name) for name in ("kc", "gone"))

    assert json.loads(there.out)["mcpServers"]["kubesteward"]["env"]["KUBECONFIG"] == str(home / "kc")
    assert (gone.code, gone.out, gone.err) == (FAILED, "", "kubesteward: gone: No such file or directory.\n")
