"""`kubesteward correlate`: what failures have in common, of a live cluster or several, a bundle, or a demonstration."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kubesteward.cli.exits import OK, one_sentence

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters


def parser() -> ArgumentParser:
    made = ArgumentParser(
        prog="kubesteward correlate",
        description="Find what failures have in common: one cause of many, in one or several clusters.",
        epilog="Exits with 0 whatever it finds, 1 if it could not look, 2 for a wrong command line.",
    )
    made.add_argument("-n", "--namespace", default="", help="only failures in it; the default is all")
    made.add_argument("--window", default="30m", help="how far back, 1m to 6h (30m)")
    made.add_argument("--context", default="", help="the kubeconfig's context, if not the current one")
    made.add_argument(
        "--clusters", action="append", default=[], metavar="NAME", help="contexts, globs, @set, '*' for all; repeatable"
    )
    made.add_argument("--bundle", type=Path, metavar="PATH", help="saved output of kubectl, instead of a live cluster")
    made.add_argument("--embedded", metavar="SCENARIO", nargs="?", const="incident", help="a demonstration cluster")
    made.add_argument("--kubeconfig", type=Path, help="path ($KUBECONFIG, then ~/.kube/config)")
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

    if sum([options.bundle is not None, options.embedded is not None, bool(options.context)]) > 1:
        raise ValueError("--context, --bundle and --embedded name three states. Give one.")
    if options.context and options.clusters:
        raise ValueError("--context and --clusters exclude each other. Give one.")
    return State(options.context or None, options.bundle, options.embedded, options.kubeconfig).clusters()


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
