"""Options that several commands have in common: which cluster they look at, and how a wrong command line is told.

Commands whose exit codes are verdicts are parsed with argparse, the others with typer; the words are the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

BUNDLE = "saved output of kubectl, instead of a live cluster"
CONTEXT = "the kubeconfig's context, if not the current one"

Bundle = Annotated[Path | None, typer.Option(help=BUNDLE)]
Context = Annotated[str, typer.Option(help=CONTEXT)]
Embedded = Annotated[str, typer.Option(metavar="SCENARIO", help="a demonstration cluster, such as incident or leak")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="where to look, or where the target is")]


class Parser(argparse.ArgumentParser):
    """One sentence and the exit code `wrong` for a wrong command line; options are written out in full."""

    def __init__(self, prog: str, wrong: int, **more: Any) -> None:
        raw = argparse.RawDescriptionHelpFormatter
        super().__init__(prog, formatter_class=raw, allow_abbrev=False, **more)
        self._wrong = wrong

    def error(self, message: str) -> NoReturn:
        self.exit(self._wrong, f"{self.prog}: {message}. See {self.prog} --help.\n")


def add_states(group: Any) -> None:
    """`--context`, `--bundle` and `--embedded`, of which one may be given."""
    group.add_argument("--context", metavar="NAME", help=CONTEXT)
    group.add_argument("--bundle", type=Path, metavar="PATH", help=BUNDLE)
    add_embedded(group)


def add_embedded(group: Any) -> None:
    group.add_argument("--embedded", metavar="SCENARIO", nargs="?", const="incident", help="a demonstration cluster")


def add_kubeconfig(group: Any) -> None:
    group.add_argument("--kubeconfig", type=Path, help="path ($KUBECONFIG, then ~/.kube/config)")
