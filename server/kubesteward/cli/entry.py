"""Where the console script starts. Hosts time their first probe: `serve` is reached without loading other commands."""

from __future__ import annotations

import sys

from kubesteward.cli.exits import INTERRUPTED


def main() -> None:
    """Run the command line. Without arguments and with a pipe on standard input it serves MCP, as hosts expect."""
    arguments = sys.argv[1:]
    if not arguments and not sys.stdin.isatty():
        arguments = ["serve"]
    try:
        _run(arguments)
    except KeyboardInterrupt:  # before a command was even loaded
        raise SystemExit(INTERRUPTED) from None


def _run(arguments: list[str]) -> None:
    if arguments[:1] == ["serve"]:
        from kubesteward.cli.serve import serve

        serve(arguments[1:])
    else:
        from kubesteward.cli.commands import app

        app()
