"""`kubesteward forecast`: what will be used up and when, with a small plot of each course."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.options import Bundle, Context, Embedded, Namespace

if TYPE_CHECKING:
    from kubesteward.cli.looking import Place
    from kubesteward_tools.forecasting.forecast import Outlook


class Metric(StrEnum):
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    PODS = "pods"
    QUOTA = "quota"
    CERTIFICATES = "certificates"


def forecast(  # noqa: PLR0917 - typer takes options as they stand
    target: Annotated[str, typer.Argument(help="kind/name, nodes or pvc; everything if left out")] = "",
    namespace: Namespace = "",
    metric: Annotated[Metric | None, typer.Option(help="only this")] = None,
    horizon: Annotated[str, typer.Option(help="how far ahead: 12h, 7d")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    svg: Annotated[Path | None, typer.Option(help="write the courses as a picture")] = None,
    bundle: Bundle = None,
    embedded: Embedded = "",
    context: Context = "",
    sample: Annotated[str, typer.Option(help="without a Prometheus: watch for so long first, e.g. 15m")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="forecasts that are shown")] = 20,
) -> None:
    """Say what will be used up and when: cpu, memory, disks, pods, quotas, certificates. Nothing is changed."""
    import asyncio

    from kubesteward.cli.looking import Place
    from kubesteward.cli.states import State
    from kubesteward_tools.text.ages import seconds

    with one_sentence():
        place = Place(State.one_of(context or None, bundle, embedded or None), seconds(sample) if sample else 0.0)
        found = asyncio.run(_outlook(place, target, namespace, metric.value if metric else "", horizon))
        if as_json:
            typer.echo(json.dumps(_record(found, limit), indent=2))
        else:
            _print(found, limit)
        if svg is not None:
            from kubesteward_tools.pictures.course import pictures

            svg.write_text(pictures(found.found[:limit]), "utf-8")


async def _outlook(place: Place, target: str, namespace: str, metric: str, horizon: str) -> Outlook:
    from kubesteward_tools.forecasting.forecast import ahead, forecast

    span = ahead(horizon)
    async with place.world() as (world, now):
        found = await forecast(world, now, target=target, namespace=namespace, metric=metric, horizon=span)
        found.missing.extend(f"{kind}: {why}" for kind, why in sorted(world.forbidden.items()))
        return found


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

    for line in paragraphs(found, limit, plain=not _has_blocks()):
        typer.echo(line)


def _has_blocks() -> bool:
    from kubesteward_tools.text.sparkline import encodes

    return encodes(sys.stdout.encoding)
