"""`kubesteward investigate|replay`: an investigation as it goes on, and again from its tape."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubesteward.cli import ask as asking
from kubesteward.cli.answers import cost, plain
from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.cli.progress import Lines, Live

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.reasoning.replaying import Played
    from kubesteward.reasoning.running import Asked

Id = Annotated[str, typer.Option(metavar="ID", help="go on with one that was paused, or whose process ended")]


def investigate(  # noqa: PLR0917 - typer takes options as they stand
    question: Annotated[str, typer.Argument(help="what you want to know, in words")] = "",
    target: asking.Target = "",
    namespace: asking.Namespace = "",
    bundle: asking.Bundle = None,
    context: asking.Context = "",
    embedded: asking.Embedded = "",
    brain: asking.Brain = "",
    usd: asking.Usd = None,
    turns: asking.Turns = None,
    resume: Id = "",
    pause: Annotated[str, typer.Option(metavar="ID", help="pause one, also of another process")] = "",
    cancel: Annotated[str, typer.Option(metavar="ID", help="end one, also of another process")] = "",
    as_json: asking.AsJson = False,
    yes: asking.Yes = False,
    state_dir: asking.StateDir = None,
) -> None:
    """Investigate, and watch it: hypotheses with what speaks for and against them. Nothing is changed."""
    import asyncio

    with one_sentence():
        if sum(map(bool, (question, resume, pause, cancel))) != 1:
            raise typer.BadParameter("give a question, --resume, --pause or --cancel.")
        if pause or cancel:
            _wish(pause or cancel, "pause" if pause else "cancel", state_dir)
            return
        where = asking.place(bundle, context, embedded, state_dir)
        wanted = asking.Wanted(question, target, namespace, brain, asking.budget_of(usd, turns), yes, "solver")
        live = sys.stdout.isatty() and not as_json
        app = asking.app_of(where)
        asked = (
            None if resume else wanted.asked(app)
        )  # outside of the loop, which would keep a person's Ctrl-C to itself
        record = asyncio.run(_watched(app, asked, resume, live=live, to_stderr=as_json))
        typer.echo(json.dumps(record, indent=2) if as_json else plain(record, ideas=not live))
        if record["run"] != "done":
            raise SystemExit(FAILED)


def _wish(name: str, what: str, state_dir: Path | None) -> None:
    from kubesteward.app import App
    from kubesteward.settings import Settings

    app = App(Settings.load(None, **({"state_dir": state_dir} if state_dir else {})))
    app.investigator.wish(name, what)
    app.store.close()
    typer.echo(f"{name} will {what} after the step that it is at.")


async def _watched(app: App, asked: Asked | None, resume: str, *, live: bool, to_stderr: bool) -> dict[str, Any]:
    view = Live(app) if live else Lines(to_stderr=to_stderr)
    try:
        with asking.resumable(view), view:
            if asked is None:
                app.investigator.resume(resume, tell=view.tell)
            view.name = resume if asked is None else app.investigator.begin(asked, view.tell)
            view.tell("begin", f"{view.name} looks at what is meant")
            await app.investigator.wait(view.name)
            return app.investigator.record(view.name)
    finally:
        await app.close()


def replay(
    name: Annotated[str, typer.Argument(metavar="ID", help="which investigation")],
    brain: Annotated[str, typer.Option(help="another brain, to compare; default: as it was, for nothing")] = "",
    as_json: asking.AsJson = False,
    state_dir: asking.StateDir = None,
) -> None:
    """Play the tape of an investigation again, with the same brain or another, and say what differs."""
    import asyncio

    with one_sentence():
        played = asyncio.run(_played(name, brain, state_dir))
        if as_json:
            shown = {"before": played.before, "after": played.after, "not_recorded": played.missing}
            typer.echo(json.dumps({**shown, "differences": played.differences()}, indent=2))
            return
        for line in _compared(played):
            typer.echo(line)


async def _played(name: str, brain: str, state_dir: Path | None) -> Played:
    from kubesteward.app import App
    from kubesteward.reasoning.assembly import thinking_with
    from kubesteward.reasoning.replaying import replay as play
    from kubesteward.settings import Settings
    from kubesteward.store.investigations import Investigations

    app = App(Settings.load(None, **({"state_dir": state_dir} if state_dir else {})))
    try:
        original = app.investigator.state(name)
        thinking = thinking_with(app, original, brain) if brain else None
        return await play(original, Investigations(app.store).tape(name), thinking)
    finally:
        await app.close()


def _compared(played: Played) -> list[str]:
    lines = [f"before: {cost(dict(played.before))}", f"now:    {cost(dict(played.after))}"]
    if played.missing:
        lines.append(f"{played.missing} calls were not on the tape")
    differences = played.differences()
    if not differences:
        return [*lines, "The conclusion is the same."]
    return [*lines, *(f"{name}: {before} -> {after}" for name, (before, after) in differences.items())]
