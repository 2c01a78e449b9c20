"""`kubesteward eval`: saved cases as investigations, scored, so that brains can be compared."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubesteward.cli.answers import safe
from kubesteward.cli.exits import one_sentence

if TYPE_CHECKING:
    from kubesteward.app import App


def evaluate(  # noqa: PLR0917 - typer takes options as they stand
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="a folder of cases: cluster.json, logs.json, prompt.txt")
    ],
    brain: Annotated[
        str, typer.Option(help="which brain; default: the one that is chosen, else the built-in one")
    ] = "",
    usd: Annotated[float | None, typer.Option(help="most dollars for each case", min=0)] = None,
    turns: Annotated[int | None, typer.Option(help="most questions to the brain for each case", min=1, max=200)] = None,
    records: Annotated[Path | None, typer.Option(help="folder for the whole record of each case")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask before what may be costly")] = False,
    state_dir: Annotated[Path | None, typer.Option(help="where brains are set up and usage is kept")] = None,
) -> None:
    """Investigate saved cases; a JSON line for each, and how it went in all on standard error."""
    import asyncio

    from kubesteward.cli.ask import budget_of

    with one_sentence():
        if records is not None:
            records.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="kubesteward-eval-") as scratch:
            kept = state_dir or (Path(scratch) if _pays_nobody(brain) else None)
            budget = budget_of(usd, turns)
            if not yes:
                _agreed(folder, brain, budget, kept)
            asyncio.run(_all(folder, brain, budget, records, kept))


def _pays_nobody(brain: str) -> bool:
    """Whether only the built-in one can be asked: nothing has to be read from the usual store or written to it."""
    from kubesteward.cli.thinking import set_up
    from kubesteward.settings import Settings

    return brain == "builtin" or (not brain and not set_up(Settings.load(None)))


def _agreed(folder: Path, brain: str, budget: Any, kept: Path | None) -> None:
    """All cases are one run to whoever pays. Raises Refused where they do not agree."""
    from kubesteward.cli.ask import confirm
    from kubesteward.reasoning.evaluation import cases
    from kubesteward.reasoning.running import Asked

    found = cases(folder)
    app = _app(found[0].folder, kept)
    try:
        asked = Asked(found[0].question, app.settings.principal, brain=brain, role="solver", budget=budget)
        confirm(app, asked, len(found))
    finally:
        app.store.close()


async def _all(folder: Path, brain: str, budget: Any, records: Path | None, kept: Path | None) -> None:
    from kubesteward.reasoning.evaluation import all_of, summary

    lines = []
    async for line in all_of(folder, brain, budget, lambda case: _app(case, kept)):
        lines.append(line)
        shown = {name: value for name, value in line.items() if name not in {"record", "passed"}}
        typer.echo(json.dumps(shown, separators=(",", ":")))
        if (status := line["record"]["brain"]["status"]) != "online":
            typer.echo(safe(f"case {line['id']}, answered by another: {status}"), err=True)
        if records is not None:
            _keep(records, line)
    for name, value in summary(lines).items():
        typer.echo(f"{name.replace('_', ' ')}: {value}", err=True)


def _keep(records: Path, line: dict[str, Any]) -> None:
    (records / f"{line['id']}.json").write_text(json.dumps(line["record"], indent=1), "utf-8")


def _app(folder: Path, state_dir: Path | None) -> App:
    """Over one case, of which the objects and the logs are opened and nothing else."""
    from kubesteward.app import App
    from kubesteward.settings import Settings
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.diagnosis.bundles import read

    source, _ = read(folder)
    given: dict[str, Any] = {"state_dir": state_dir} if state_dir else {}
    settings = Settings.load(None, rate_reads_per_minute=0, reuse_answers_minutes=0, **given)
    return App(settings, clusters=Clusters.of({folder.name: source}))
