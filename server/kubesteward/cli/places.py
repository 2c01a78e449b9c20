"""What commands that look at a cluster have in common: where to look, spelled alike, and wrong words in one line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from kubesteward.cli.exits import USAGE


class Parser(argparse.ArgumentParser):
    """Help as it is written, options in full; `wrong` is the exit code of a wrong command line."""

    def __init__(self, command: str, description: str, epilog: str, *, wrong: int = USAGE) -> None:
        self._wrong = wrong
        super().__init__(
            f"kubesteward {command}",
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(self._wrong, f"{self.prog}: {message}. See {self.prog} --help.\n")


def add_places(made: Parser, *, scenario: str = "incident", several: bool = False) -> None:
    """One of --context, --bundle and --embedded; `scenario` is what --embedded alone means. Beside them --kubeconfig.

    `several`: also --clusters.
    """
    group = made.add_argument_group("where (default: the kubeconfig's current context)")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--context", metavar="NAME", help="the kubeconfig's context")
    if several:
        words = "contexts, globs, @set, '*' for all; repeatable"
        one.add_argument("--clusters", action="append", default=[], metavar="NAME", help=words)
    one.add_argument("--bundle", type=Path, metavar="PATH", help="saved output of kubectl")
    add_embedded(one, scenario)
    add_kubeconfig(group)


def add_embedded(group: Any, scenario: str = "incident") -> None:
    words = f"a demonstration cluster ({scenario})"
    group.add_argument("--embedded", metavar="SCENARIO", nargs="?", const=scenario, help=words)


def add_kubeconfig(group: Any) -> None:
    group.add_argument("--kubeconfig", type=Path, metavar="PATH", help="($KUBECONFIG, then ~/.kube/config)")


def positive(made: Parser, name: str, default: int, words: str) -> None:
    """An option that is a number, 1 at the least."""
    made.add_argument(name, type=_positive, default=default, metavar="N", help=f"{words} ({default})")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


_positive.__name__ = "int"
"""Which argparse names where the text is no number."""
