"""`kubesteward forecast`: what will be used up and when, with a small plot of each course."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_places, positive

if TYPE_CHECKING:
    from kubesteward.cli.looking import Place
    from kubesteward_tools.forecasting.forecast import Outlook

_WAIT = "--sample 15m watches for so long first"
METRICS = ("cpu", "memory", "disk", "pods", "quota", "certificates")
DESCRIPTION = """\
Say what will be used up and when: cpu, memory, disks, pods, quotas,
certificates. Nothing is changed."""
EPILOG = """\
exit codes: 0 looked at, whatever was found; 1 it could not be; 2 wrong command
line; 130 interrupted.

  kubesteward forecast --metric memory --horizon 12h
  kubesteward forecast deployment/cart -n shop --sample 15m
  kubesteward forecast --embedded leak --svg leak.svg"""


def parser() -> Parser:
    made = Parser("forecast", DESCRIPTION, EPILOG)
    words = "kind/name, nodes or pvc (everything)"
    made.add_argument("target", nargs="?", default="", metavar="TARGET", help=words)
    made.add_argument("-n", "--namespace", default="", help="only this one, or where the target is")
    made.add_argument("--metric", choices=METRICS, default="", help="only this")
    made.add_argument("--horizon", default="7d", metavar="SPAN", help="how far ahead, such as 12h (7d)")
    words = "without a Prometheus: watch for so long first, such as 15m"
    made.add_argument("--sample", default="", metavar="SPAN", help=words)
    made.add_argument("--json", action="store_true", help="print one JSON object")
    positive(made, "--limit", 20, "forecasts that are printed")
    made.add_argument("--svg", type=Path, metavar="FILE", help="write the courses there as a picture")
    add_places(made, scenario="leak")
    return made


def forecast(arguments: list[str]) -> None:
    """Exits with a code of `exits`."""
    from kubesteward.cli.looking import Place

    options = parser().parse_args(arguments)
    with one_sentence():
        found = asyncio.run(_outlook(Place.of(options), options))
        if options.json:
            write(json.dumps(_record(found, options.limit), indent=2))
        else:
            _print(found, options.limit)
        if options.svg is not None:
            from kubesteward_tools.pictures.course import pictures

            options.svg.write_text(pictures(found.found[: options.limit]), "utf-8")


async def _outlook(place: Place, options: Namespace) -> Outlook:
    from kubesteward_tools.forecasting.forecast import ahead, forecast
    from kubesteward_tools.lookup.scope import alone, shortly

    span, namespace = ahead(options.horizon), options.namespace
    asked = {"target": options.target, "namespace": namespace, "metric": options.metric}
    async with place.world() as (world, now):
        found = await forecast(world, now, horizon=span, **asked)
        found.missing[:] = [_remedied(line) for line in found.missing]
        found.missing.extend(shortly(alone(world, namespace).not_seen))
        return found


def _remedied(line: str) -> str:
    """A command lives for seconds: what a server would know later, it has to wait for."""
    from kubesteward_tools.forecasting.counted import WATCHED
    from kubesteward_tools.forecasting.measured import SAMPLED

    return line.replace(SAMPLED, _WAIT).replace(WATCHED, _WAIT)


def _record(found: Outlook, limit: int) -> dict[str, object]:
    return {
        "horizon_seconds": found.horizon,
        "forecasts": [item.data() for item in found.found[:limit]],
        "not_shown": max(len(found.found) - limit, 0),
        "judged": found.judged,
        "looked_at": found.looked,
        "not_known": found.missing,
    }


def _print(found: Outlook, limit: int) -> None:
    from kubesteward_tools.forecasting.shown import paragraphs

    show(paragraphs(found, limit, plain=not _has_blocks()))


def _has_blocks() -> bool:
    from kubesteward_tools.text.sparkline import encodes

    return encodes(sys.stdout.encoding)
