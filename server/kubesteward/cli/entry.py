"""Where the console script starts. Hosts time their first probe: `serve` is reached without loading other commands."""

import os
import signal
import sys


def main() -> None:
    """Run the command line. Without arguments and with a pipe on standard input it serves MCP, as hosts expect."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell wants it ignored
        signal.signal(signal.SIGINT, _leave)
    from kubesteward.cli.exits import FAILED, INTERRUPTED, complain

    arguments = sys.argv[1:]
    if not arguments and not sys.stdin.isatty():
        arguments = ["serve"]
    try:
        _run(arguments)
    except KeyboardInterrupt:  # before a command was even loaded
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:  # of printing what came of it, as to a full disk
        complain(error)
        raise SystemExit(FAILED) from None


def _run(arguments: list[str]) -> None:
    if arguments[:1] == ["serve"]:
        from kubesteward.cli.serve import serve

        serve(arguments[1:])
    else:
        from kubesteward.cli.commands import app

        app(prog_name="kubesteward")


def _leave(*_: object) -> None:
    """Ctrl-C while modules are loaded: raised there, it would be lost or show how. There is nothing to tidy up yet."""
    os._exit(130)  # `exits.INTERRUPTED`, which is not loaded before this is in place
