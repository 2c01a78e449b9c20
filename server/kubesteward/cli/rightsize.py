"""`kubesteward rightsize`: requests and limits against what was used, with the patch that would mend them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.options import Bundle, Context, Embedded, Namespace

if TYPE_CHECKING:
    from kubesteward.cli.looking import Place
    from kubesteward_tools.forecasting.rightsizing import Sized


def rightsize(  # noqa: PLR0917 - typer takes options as they stand
    target: Annotated[str, typer.Argument(help="kind/name; every workload if left out")] = "",
    namespace: Namespace = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    bundle: Bundle = None,
    embedded: Embedded = "",
    context: Context = "",
    sample: Annotated[str, typer.Option(help="without a Prometheus: watch for so long first, e.g. 60m")] = "",
) -> None:
    """Compare requests and limits with what was used: over- and under-provisioned containers. Nothing is changed."""
    import asyncio

    from kubesteward.cli.looking import Place
    from kubesteward.cli.states import State
    from kubesteward_tools.text.ages import seconds

    with one_sentence():
        place = Place(State.one_of(context or None, bundle, embedded or None), seconds(sample) if sample else 0.0)
        found = asyncio.run(_sized(place, target, namespace))
        _print(found, as_json=as_json)


async def _sized(place: Place, target: str, namespace: str) -> Sized:
    from kubesteward_tools.forecasting.rightsizing import rightsize

    async with place.world() as (world, now):
        found = await rightsize(world, now, target=target, namespace=namespace)
        found.missing.extend(f"{kind}: {why}" for kind, why in sorted(world.forbidden.items()))
        return found


def _print(found: Sized, *, as_json: bool) -> None:
    from kubesteward_tools.forecasting.sized import paragraphs, record

    if as_json:
        typer.echo(json.dumps(record(found), indent=2))
        return
    for line in paragraphs(found):
        typer.echo(line)
