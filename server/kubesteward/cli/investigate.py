"""`kubesteward investigate|replay`: an investigation as it goes on, and again from its tape."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubesteward.cli import ask as asking
from kubesteward.cli.exits import FAILED, one_sentence

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from kubesteward.app import App
    from kubesteward.reasoning.loop.state import Investigation
    from kubesteward.reasoning.replaying import Played

Id = Annotated[str, typer.Option(metavar="ID", help="go on with one that was paused, or whose process ended")]
_QUIET = frozenset({"text"})


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
        record = asyncio.run(_watched(where, wanted, resume, live=live, to_stderr=as_json))
        typer.echo(json.dumps(record, indent=2) if as_json else asking.plain(record, ideas=not live))
        if record["run"] != "done":
            raise SystemExit(FAILED)


def _wish(name: str, what: str, state_dir: Path | None) -> None:
    from kubesteward.app import App
    from kubesteward.settings import Settings

    app = App(Settings.load(None, **({"state_dir": state_dir} if state_dir else {})))
    app.investigator.wish(name, what)
    app.store.close()
    typer.echo(f"{name} will {what} after the step that it is at.")


async def _watched(
    where: asking.Place, wanted: asking.Wanted, resume: str, *, live: bool, to_stderr: bool
) -> dict[str, Any]:
    app = asking.app_of(where)
    try:
        asked = None if resume else wanted.asked(app)
        view = _Live(app) if live else _Lines(to_stderr=to_stderr)
        with view:
            if asked is None:
                app.investigator.resume(resume, tell=view.tell)
            view.name = resume if asked is None else app.investigator.begin(asked, view.tell)
            view.tell("begin", f"{view.name} looks at what is meant")
            return await asking.finish(app.investigator, view.name)
    finally:
        await app.close()


class _Lines:
    """One line for each step, for pipes and logs; beside a record in JSON they go to standard error."""

    def __init__(self, *, to_stderr: bool = False) -> None:
        self._to_stderr = to_stderr
        self.name = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be tidied up."""

    def tell(self, step: str, text: str) -> None:
        if step not in _QUIET:
            typer.echo(asking.safe(f"{step}: {text}"[:240]), err=self._to_stderr)


class _Live:
    """A tree of hypotheses that grows as evidence comes in."""

    def __init__(self, app: App) -> None:
        from rich.live import Live

        self._app = app
        self._live = Live(refresh_per_second=8)
        self._last = ""
        self.name = ""

    def __enter__(self) -> _Live:
        self._live.__enter__()
        return self

    def __exit__(self, *given: Any) -> None:
        self._live.__exit__(*given)

    def tell(self, step: str, text: str) -> None:
        if step not in _QUIET:
            self._last = "" if step == "end" else f"{step}: {text}"
        if self.name:
            self._live.update(tree(self._app.investigator.state(self.name), self._last))


def tree(state: Investigation, last: str) -> Tree:
    """What is supposed, and what speaks for and against it, a line each. Text of a cluster is shown as it is, not as
    markup and not as commands to the terminal.
    """
    from rich.tree import Tree

    top = Tree(_line(f"{state.question} [{state.phase or state.status}]", "bold"))
    marks = {"supports": ("+", "green"), "refutes": ("-", "red"), "neutral": ("·", "dim")}
    for item in sorted(state.hypotheses, key=lambda one: -one.standing):
        about = f" of {item.culprit}" if item.culprit else ""
        branch = top.add(_line(f"{item.standing:.2f} {item.category}{about}: {item.because}"))
        for found in [one for one in state.evidence if one.hypothesis == item.id][-4:]:
            mark, style = marks[found.verdict]
            branch.add(_line(f"{mark} {found.tool}: {found.says}", style))
    if last:
        top.add(_line(last, "italic"))
    return top


def _line(text: str, style: str = "") -> Text:
    from rich.text import Text

    from kubesteward_tools.text.fence import clean

    return Text(" ".join(clean(text, 1000).split()), style, no_wrap=True, overflow="ellipsis")


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
    lines = [f"before: {asking.cost(dict(played.before))}", f"now:    {asking.cost(dict(played.after))}"]
    if played.missing:
        lines.append(f"{played.missing} calls were not on the tape")
    differences = played.differences()
    if not differences:
        return [*lines, "The conclusion is the same."]
    return [*lines, *(f"{name}: {before} -> {after}" for name, (before, after) in differences.items())]
