"""`kubesteward diagnose`: root causes by rules alone, of a live cluster, a bundle, or many saved cases at once."""

from __future__ import annotations

import asyncio
import json
import time
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_places, positive

if TYPE_CHECKING:
    from kubesteward_tools.diagnosis.diagnose import Verdict
    from kubesteward_tools.diagnosis.report import Finding
    from kubesteward_tools.lookup.scope import Scope

DESCRIPTION = """\
Find out what is wrong and why: the object to blame, the evidence, the fix.
Nothing is changed."""
EPILOG = """\
exit codes: 0 looked at, whatever was found; 1 it could not be; 2 wrong command
line; 130 interrupted.

  kubesteward diagnose -n shop
  kubesteward diagnose deployment/cart --question "Why does the cart answer 502?"
  kubesteward diagnose --bundle ./dump --json
  kubesteward diagnose --embedded incident"""


def parser() -> Parser:
    made = Parser("diagnose", DESCRIPTION, EPILOG)
    made.add_argument("target", nargs="?", default="", metavar="TARGET", help="kind/name or a name (everything)")
    made.add_argument("-n", "--namespace", default="", help="only this one, or where the target is")
    made.add_argument("--question", default="", metavar="TEXT", help="what is complained about, in words")
    made.add_argument("--json", action="store_true", help="print one JSON object")
    positive(made, "--limit", 5, "root causes that are printed")
    add_places(made)
    group = made.add_argument_group("many saved cases")
    words = "a folder of cases: cluster.json, logs.json, prompt.txt"
    group.add_argument("--bundles", type=Path, metavar="PATH", help=words)
    group.add_argument("--jsonl", action="store_true", help="one JSON line for each case")
    return made


def diagnose(arguments: list[str]) -> None:
    """Exits with a code of `exits`."""
    made = parser()
    options = made.parse_args(arguments)
    if options.jsonl and options.bundles is None:
        made.error("argument --jsonl: it belongs to --bundles")
    with one_sentence():
        if options.bundles is not None:
            _cases(options)
            return
        scope, verdict = asyncio.run(_asked(options))
        _print(scope, verdict, options)


def _cases(options: Namespace) -> None:
    from kubesteward_tools.diagnosis.bundles import records

    for record in records(options.bundles, options.question, time.time()):
        if options.jsonl or options.json:
            write(json.dumps(record, separators=(",", ":")))
        else:
            show([f"{record['id']}: {record['diagnosis']}"])


async def _asked(options: Namespace) -> tuple[Scope, Verdict]:
    from kubesteward.cli.states import State
    from kubesteward_tools.diagnosis.asking import ask
    from kubesteward_tools.lookup.scope import alone

    async with State(options.context, options.bundle, options.embedded, options.kubeconfig).world() as world:
        asked = {"target": options.target, "namespace": options.namespace, "question": options.question}
        verdict = await ask(world, time.time(), **asked)
        return alone(world, options.namespace), verdict


def _print(scope: Scope, verdict: Verdict, options: Namespace) -> None:
    from kubesteward_tools.diagnosis.shown import lines
    from kubesteward_tools.lookup.scope import shortly

    if options.json:
        write(json.dumps(_record(scope, verdict, options.limit), indent=2))
    else:
        show([*lines(verdict, options.limit), *(f"NOT SEEN {line}" for line in shortly(scope.not_seen))])


def _record(scope: Scope, verdict: Verdict, limit: int) -> dict[str, Any]:
    return {
        **verdict.best.as_json(),
        "findings": [one.as_json() | _proposed(one) for one in verdict.findings[:limit]],
        "not_shown": max(len(verdict.findings) - limit, 0),
        "unread": list(verdict.unread),
        "not_seen": scope.not_seen,
        "looked_at": list(verdict.looked),
    }


def _proposed(found: Finding) -> dict[str, Any]:
    return {"proposed": found.proposal.arguments} if found.proposal else {}
