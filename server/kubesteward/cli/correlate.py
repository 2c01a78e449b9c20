"""`kubesteward correlate`: what failures have in common, of a live cluster or several, a bundle, or a demonstration."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from argparse import Namespace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kubesteward.cli.exits import OK, USAGE, one_sentence
from kubesteward.cli.options import Parser, add_kubeconfig, add_states

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters


def parser() -> Parser:
    made = Parser(
        "kubesteward correlate",
        USAGE,
        description="Find what failures have in common: one cause of many, in one or several clusters.",
        epilog="Exits with 0 whatever it finds, 1 if it could not look, 2 for a wrong command line.",
    )
    made.add_argument("-n", "--namespace", default="", help="only failures in it; the default is all")
    made.add_argument("--window", default="30m", help="how far back, 1m to 6h (30m)")
    add_states(made)
    made.add_argument(
        "--clusters", action="append", default=[], metavar="NAME", help="contexts, globs, @set, '*' for all; repeatable"
    )
    add_kubeconfig(made)
    made.add_argument("--json", action="store_true", dest="as_json", help="print one JSON object")
    return made


def correlate(arguments: list[str]) -> None:
    """Exits with 0, or with a code of `exits`."""
    options = parser().parse_args(arguments)
    with one_sentence():
        print(asyncio.run(_answer(options)))  # noqa: T201 - what the command is for
    raise SystemExit(OK)


def _clusters(options: Namespace) -> Clusters:
    from kubesteward.cli.states import State

    if options.context and options.clusters:
        raise ValueError("--context and --clusters exclude each other. Give one.")
    return State.one_of(options.context or None, options.bundle, options.embedded, options.kubeconfig).clusters()


async def _answer(options: Namespace) -> str:
    from kubesteward_tools.correlation import asking, report
    from kubesteward_tools.correlation.bursts import bursts
    from kubesteward_tools.lookup.scope import scoped

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
    heads = [line for line in scope.lines() if line.startswith("NOT SEEN")]
    print(*heads, sep="\n", end="\n" if heads else "", file=sys.stderr)  # noqa: T201 - beside the report
    return "\n".join([*report.lines(seen, found, options.window), *(["", "They say:", told] if told else [])])
