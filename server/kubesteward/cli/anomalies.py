"""`kubesteward anomalies`: what is strange in a cluster, a bundle or a demonstration, without an agent.

Parsed with argparse, as `check` is: `--embedded` names a scenario or none.
"""

from __future__ import annotations

import asyncio
import json
import time
from argparse import Namespace
from typing import TYPE_CHECKING

from kubesteward.cli.exits import USAGE, one_sentence, write
from kubesteward.cli.options import Parser, add_kubeconfig, add_states

if TYPE_CHECKING:
    from kubesteward_tools.anomalies.asking import Answered

DESCRIPTION = "Find what is unlike its past or its siblings, unsteady, stuck, or new in a log. Nothing is changed."
EPILOG = """\
exit codes: 0 looked through, whatever was found; 1 it could not be; 2 wrong command line; 130 interrupted.

  kubesteward anomalies
  kubesteward anomalies deployment/web -n shop --window 30m
  kubesteward anomalies --bundle ./dump --json
  kubesteward anomalies --embedded incident

What needs samples over time (use against its past and among siblings) is judged by the running server alone."""


def parser() -> Parser:
    made = Parser("kubesteward anomalies", USAGE, description=DESCRIPTION, epilog=EPILOG)
    made.add_argument("target", nargs="?", default="", metavar="TARGET", help="kind/name or a name (everything)")
    made.add_argument("-n", "--namespace", default="", help="only this one, or where the target is")
    made.add_argument("--window", default="1h", metavar="SPAN", help="how far back, such as 30m or 2h (1h)")
    made.add_argument("--json", action="store_true", help="print one JSON object")
    made.add_argument("--limit", type=int, default=20, help="anomalies that are printed (20)")
    made.add_argument("--all", action="store_true", help="list also weak spots, of which nothing fails yet")
    where = made.add_argument_group("where (default: the kubeconfig's current context)").add_mutually_exclusive_group()
    add_states(where)
    add_kubeconfig(made)
    return made


def anomalies(arguments: list[str]) -> None:
    """Exits with a code of `exits`."""
    made = parser()
    options = made.parse_args(arguments)
    if options.limit < 1:
        made.error("argument --limit: at least 1")
    with one_sentence():
        cluster, found = asyncio.run(_asked(options))
        write(_rendered(cluster, found, options) + "\n")


async def _asked(options: Namespace) -> tuple[str, Answered]:
    from kubesteward.cli.states import State
    from kubesteward_tools.anomalies.asking import ask
    from kubesteward_tools.anomalies.report import span

    window = span(options.window)
    async with State(options.context, options.bundle, options.embedded, options.kubeconfig).world() as world:
        found = await ask(world, time.time(), target=options.target, namespace=options.namespace, window=window)
        return world.cluster, found


def _rendered(cluster: str, found: Answered, options: Namespace) -> str:
    from kubesteward_tools.anomalies.report import data, lines

    if options.json:
        return json.dumps(
            {"cluster": cluster, **data(found, options.limit, every=options.all)}, indent=2, ensure_ascii=False
        )
    return "\n".join(lines(found, options.limit, every=options.all))
