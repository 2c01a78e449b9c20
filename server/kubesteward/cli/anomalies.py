"""`kubesteward anomalies`: what is strange in a cluster, a bundle or a demonstration, without an agent."""

from __future__ import annotations

import asyncio
import json
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_places, positive

if TYPE_CHECKING:
    from kubesteward_tools.anomalies.asking import Answered
    from kubesteward_tools.lookup.scope import Scope

DESCRIPTION = """\
Find what is unlike its past or its siblings, unsteady, stuck, or new in a log.
Nothing is changed."""
EPILOG = """\
exit codes: 0 looked through, whatever was found; 1 it could not be; 2 wrong
command line; 130 interrupted.

  kubesteward anomalies
  kubesteward anomalies deployment/web -n shop --window 30m
  kubesteward anomalies --bundle ./dump --json
  kubesteward anomalies --embedded incident

What needs samples over time (use against its past and among siblings) is judged
by the running server alone."""


def parser() -> Parser:
    made = Parser("anomalies", DESCRIPTION, EPILOG)
    made.add_argument("target", nargs="?", default="", metavar="TARGET", help="kind/name or a name (everything)")
    made.add_argument("-n", "--namespace", default="", help="only this one, or where the target is")
    made.add_argument("--window", default="1h", metavar="SPAN", help="how far back, such as 30m or 2h (1h)")
    made.add_argument("--json", action="store_true", help="print one JSON object")
    positive(made, "--limit", 20, "anomalies that are printed")
    made.add_argument("--all", action="store_true", help="list also weak spots, of which nothing fails yet")
    add_places(made)
    return made


def anomalies(arguments: list[str]) -> None:
    """Exits with a code of `exits`."""
    options = parser().parse_args(arguments)
    with one_sentence():
        scope, found = asyncio.run(_asked(options))
        _print(scope, found, options)


async def _asked(options: Namespace) -> tuple[Scope, Answered]:
    from kubesteward.cli.states import State
    from kubesteward_tools.anomalies.asking import ask
    from kubesteward_tools.anomalies.report import span
    from kubesteward_tools.lookup.scope import alone

    window = span(options.window)
    async with State(options.context, options.bundle, options.embedded, options.kubeconfig).world() as world:
        found = await ask(world, time.time(), target=options.target, namespace=options.namespace, window=window)
        return alone(world, found.subject.namespace), found


def _print(scope: Scope, found: Answered, options: Namespace) -> None:
    from kubesteward_tools.anomalies.report import data, lines
    from kubesteward_tools.lookup.scope import shortly

    if options.json:
        told = data(found, options.limit, every=options.all)
        record = {"cluster": scope.worlds[0].cluster, **told, "not_seen": scope.not_seen}
        write(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        listed = lines(found, options.limit, every=options.all)
        show([*listed, *(f"NOT SEEN {line}" for line in shortly(scope.not_seen))])
