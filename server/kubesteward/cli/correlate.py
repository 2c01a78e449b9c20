"""`kubesteward correlate`: what failures have in common, of a live cluster or several, a bundle, or a demonstration."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from argparse import Namespace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kubesteward.cli.exits import OK, one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_places

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters


DESCRIPTION = """\
Find what failures have in common: one cause of many, in one or several
clusters. Nothing is changed."""
EPILOG = """\
exit codes: 0 looked at, whatever was found; 1 it could not be; 2 wrong command
line; 130 interrupted.

  kubesteward correlate -n shop --window 2h
  kubesteward correlate --clusters 'prod-*' --json
  kubesteward correlate --embedded node-down"""


def parser() -> Parser:
    made = Parser("correlate", DESCRIPTION, EPILOG)
    made.add_argument("-n", "--namespace", default="", help="only failures in it; the default is all")
    made.add_argument("--window", default="30m", metavar="SPAN", help="how far back, 1m to 6h (30m)")
    made.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
    add_places(made, several=True)
    return made


def correlate(arguments: list[str]) -> None:
    """Exits with 0, or with a code of `exits`."""
    options = parser().parse_args(arguments)
    with one_sentence():
        answer = asyncio.run(_answer(options))
        if options.as_json:
            write(answer)
        else:
            show(answer.split("\n"))
    raise SystemExit(OK)


def _clusters(options: Namespace) -> Clusters:
    from kubesteward.cli.states import State

    return State(options.context, options.bundle, options.embedded, options.kubeconfig).clusters()


async def _answer(options: Namespace) -> str:
    from kubesteward_tools.correlation import asking, report
    from kubesteward_tools.correlation.bursts import bursts
    from kubesteward_tools.lookup.scope import scoped, shortly

    window = asking.span(options.window)
    clusters = _clusters(options)
    try:
        desk: Any = SimpleNamespace(clusters=clusters)  # all of a desk that a scope asks for
        scope = await scoped(desk, "", options.clusters, options.namespace)
        seen = await asking.look(scope, time.time(), window)
    finally:
        await clusters.close()
    found = bursts(seen, window)
    if options.as_json:
        record: dict[str, Any] = {"scope": scope.data(), "window_seconds": window, **report.records(seen, found)}
        return json.dumps(record, indent=2)
    told = report.messages(seen)
    heads = [f"NOT SEEN {line}" for line in shortly(scope.not_seen)]
    print(*heads, sep="\n", end="\n" if heads else "", file=sys.stderr)  # noqa: T201 - beside the report
    return "\n".join([*report.lines(seen, found, options.window), *(["", "They say:", told] if told else [])])
