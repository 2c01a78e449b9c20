"""`kubesteward install CLIENT`: write the entry that makes an MCP client start this server, and touch nothing else."""

from __future__ import annotations

import json
import os
import shutil
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from kubesteward.cli.exits import one_sentence


class Client(StrEnum):
    """The MCP clients whose configuration files are known."""

    CLAUDE_DESKTOP = "claude-desktop"
    CLAUDE_CODE = "claude-code"
    CURSOR = "cursor"
    VSCODE = "vscode"


def install(
    client: Client,
    kubeconfig: Annotated[Path | None, typer.Option(help="kubeconfig the server shall use")] = None,
    name: Annotated[str, typer.Option(help="name of the server in the client")] = "kubesteward",
    path: Annotated[
        Path | None, typer.Option(help="configuration file to write, if it is not where it usually is")
    ] = None,
    show: Annotated[bool, typer.Option("--print", help="print the entry and write nothing")] = False,
) -> None:
    """Add this server to an MCP client's configuration; all other entries stay as they are."""
    with one_sentence():
        section, entry = _entry(client, kubeconfig)
        target = path or _location(client)
        if show:
            typer.echo(json.dumps({section: {name: entry}}, indent=2))
            return
        _merge(target, section, name, entry)
        typer.echo(f"Wrote {name!r} to {target}. Restart {client.value} to load it.")


def _entry(client: Client, kubeconfig: Path | None) -> tuple[str, dict[str, Any]]:
    """Absolute paths: hosts start servers with a tiny PATH, and exec plugins of a kubeconfig need one too."""
    command = shutil.which("kubesteward", path=str(Path(sys.executable).parent)) or shutil.which("kubesteward")
    start = [command, "serve"] if command else [sys.executable, "-m", "kubesteward", "serve"]
    environment = {"PATH": os.environ.get("PATH", "")}
    if kubeconfig:
        environment["KUBECONFIG"] = str(kubeconfig.expanduser().resolve(strict=True))
    entry: dict[str, Any] = {"command": start[0], "args": start[1:], "env": environment}
    if client is Client.VSCODE:
        return "servers", {"type": "stdio", **entry}
    return "mcpServers", entry


def _location(client: Client) -> Path:
    """Claude Desktop keeps one file a user; the others keep one in the project, which is the working directory."""
    here, home = Path.cwd(), Path.home()
    if client is not Client.CLAUDE_DESKTOP:
        folder = {Client.CLAUDE_CODE: ".mcp.json", Client.CURSOR: ".cursor/mcp.json", Client.VSCODE: ".vscode/mcp.json"}
        return here / folder[client]
    if sys.platform == "darwin":
        base = home / "Library/Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", str(home / "AppData/Roaming")))
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", str(home / ".config")))
    return base / "Claude/claude_desktop_config.json"


def _followed(path: Path) -> Path:
    """Where the links lead. Raises ValueError when that is nowhere."""
    try:
        found = path.resolve()
    except RuntimeError:  # up to Python 3.12; later ones give back the link
        found = path
    if found.is_symlink():
        raise ValueError(f"{path} is a link that leads back to itself; nothing was written. Mend it, or use --print.")
    return found


def _merge(target: Path, section: str, name: str, entry: dict[str, Any]) -> None:
    """Write beside the file and move it into place: an interrupted write leaves the old configuration.

    Links are followed and the mode is kept: other entries may hold tokens.
    """
    target = _followed(target)
    try:
        old = target.read_text("utf-8-sig") if target.exists() else ""
        config = json.loads(old) if old.strip() else {}
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{target} is not JSON ({error}); nothing was written. Mend it, or use --print.") from None
    if not isinstance(config, dict) or not isinstance(config.setdefault(section, {}), dict):
        raise ValueError(  # noqa: TRY004 - the file's content is wrong, not a type in this program
            f"{target} has no object under {section!r}; nothing was written. Mend it, or use --print."
        )
    config[section][name] = entry
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.touch(0o600 if target.exists() else 0o666)
        beside.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8")
        if target.exists():
            shutil.copymode(target, beside)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
