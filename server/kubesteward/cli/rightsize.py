"""`kubesteward rightsize`: requests and limits against what was used, with the patch that would mend them."""

from __future__ import annotations

import asyncio
import json
from argparse import Namespace
from typing import TYPE_CHECKING

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_places

if TYPE_CHECKING:
    from kubesteward.cli.looking import Place
    from kubesteward_tools.forecasting.rightsizing import Sized

DESCRIPTION = """\
Compare requests and limits with what was used: over- and under-provisioned
containers. Nothing is changed."""
EPILOG = """\
exit codes: 0 looked at, whatever was found; 1 it could not be; 2 wrong command
line; 130 interrupted.

  kubesteward rightsize -n shop
  kubesteward rightsize deployment/cart -n shop --json
  kubesteward rightsize --embedded leak"""


def parser() -> Parser:
    made = Parser("rightsize", DESCRIPTION, EPILOG)
    made.add_argument("target", nargs="?", default="", metavar="TARGET", help="kind/name (every workload)")
    made.add_argument("-n", "--namespace", default="", help="only this one, or where the target is")
    words = "without a Prometheus: watch for so long first, such as 60m"
    made.add_argument("--sample", default="", metavar="SPAN", help=words)
    made.add_argument("--json", action="store_true", help="print one JSON object")
    add_places(made, scenario="leak")
    return made


def rightsize(arguments: list[str]) -> None:
    """Exits with a code of `exits`."""
    from kubesteward.cli.looking import Place

    options = parser().parse_args(arguments)
    with one_sentence():
        _print(asyncio.run(_sized(Place.of(options), options)), as_json=options.json)


async def _sized(place: Place, options: Namespace) -> Sized:
    from kubesteward_tools.forecasting.rightsizing import rightsize

    async with place.world() as (world, now):
        found = await rightsize(world, now, target=options.target, namespace=options.namespace)
        found.missing.extend(f"{kind}: {why}" for kind, why in sorted(world.forbidden.items()))
        return found


def _print(found: Sized, *, as_json: bool) -> None:
    from kubesteward_tools.forecasting.sized import paragraphs, record

    if as_json:
        write(json.dumps(record(found), indent=2))
    else:
        show(paragraphs(found))
