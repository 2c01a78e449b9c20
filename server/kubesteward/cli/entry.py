"""Where the console script starts. Hosts time their first probe: `serve` is reached without loading other commands."""

import os
import signal
import sys

from kubesteward.cli.exits import INTERRUPTED


def main() -> None:
    """Run the command line. Without arguments and with a pipe on standard input it serves MCP, as hosts expect."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell wants it ignored
        signal.signal(signal.SIGINT, _leave)
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


def _leave(*_: object) -> None:
    """Ctrl-C while modules are loaded: raised there, it would be lost or show how. There is nothing to tidy up yet."""
    os._exit(130)  # `exits.INTERRUPTED`, which is not loaded before this is in place
