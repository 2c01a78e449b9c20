"""`kubesteward diagnose`: root causes by rules alone, of a live cluster, a bundle, or many saved cases at once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.cli.options import Bundle, Context, Embedded, Namespace

if TYPE_CHECKING:
    from kubesteward.cli.states import State
    from kubesteward_tools.diagnosis.diagnose import Verdict
    from kubesteward_tools.diagnosis.report import Finding


def diagnose(  # noqa: PLR0917 - typer takes options as they stand
    target: Annotated[str, typer.Argument(help="kind/name or a name; everything if left out")] = "",
    bundle: Bundle = None,
    bundles: Annotated[Path | None, typer.Option(help="a folder of cases: cluster.json, logs.json, prompt.txt")] = None,
    question: Annotated[str, typer.Option(help="what is complained about, in words")] = "",
    namespace: Namespace = "",
    context: Context = "",
    embedded: Embedded = "",
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="with --bundles: one JSON line for each case")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100, help="root causes that are printed")] = 5,
) -> None:
    """Find out what is wrong and why: the object to blame, the evidence, the fix. Nothing is changed."""
    import asyncio

    from kubesteward.cli.states import State

    with one_sentence():
        if bundles is not None:
            _cases(bundles, question, jsonl=jsonl or as_json)
            return
        state = State.one_of(context or None, bundle, embedded or None)
        verdict = asyncio.run(_verdict(state, target, namespace, question))
        _print(verdict, limit, as_json=as_json)


def _cases(folder: Path, question: str, *, jsonl: bool) -> None:
    from kubesteward_tools.diagnosis.bundles import records

    for record in records(folder, question, time.time()):
        if jsonl:
            typer.echo(json.dumps(record, separators=(",", ":")))
        else:
            typer.echo(f"{record['id']}: {record['diagnosis']}")


async def _verdict(state: State, target: str, namespace: str, question: str) -> Verdict:
    from kubesteward_tools.diagnosis.asking import ask

    async with state.world() as world:
        return await ask(world, time.time(), target=target, namespace=namespace, question=question)


def _print(verdict: Verdict, limit: int, *, as_json: bool) -> None:
    shown = verdict.findings[:limit]
    if as_json:
        record = {
            **verdict.best.as_json(),
            "findings": [one.as_json() for one in shown],
            "unread": list(verdict.unread),
            "looked_at": list(verdict.looked),
        }
        typer.echo(json.dumps(record, indent=2))
        return
    for number, found in enumerate(shown, 1):
        typer.echo(f"{number}. {_head(found)}\n   {found.diagnosis}")
    if len(verdict.findings) > limit:
        typer.echo(f"{len(verdict.findings) - limit} more: --limit shows them.")
    typer.echo(f"Looked at: {'; '.join(verdict.looked)}.")
    for what in verdict.unread:
        typer.echo(f"not read: {what}", err=True)


def _head(found: Finding) -> str:
    who = str(found.culprit) if found.culprit else "nothing to blame"
    return f"{found.category}: {who} (confidence {found.confidence:.0%})"
