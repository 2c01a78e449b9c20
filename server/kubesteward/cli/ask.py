"""`kubesteward ask|investigate`: a question to the reasoning inside, of a cluster, a bundle or an embedded scenario."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kubesteward.cli.answers import plain
from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.cli.progress import Lines
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.app import App
    from kubesteward.cli.progress import Live
    from kubesteward.cli.states import State
    from kubesteward.reasoning.loop.state import Budget
    from kubesteward.reasoning.running import Asked

    Place = tuple[State, Path | None]
    """The state that is looked at, and where the store is, if not in its usual place."""

Question = Annotated[str, typer.Argument(help="what you want to know, in words")]
Target = Annotated[str, typer.Option(help="kind/name or a name; default: what the words name")]
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="where the target is")]
Bundle = Annotated[Path | None, typer.Option(help="saved output of kubectl, instead of a live cluster")]
Context = Annotated[str, typer.Option(help="the kubeconfig's context, if not the current one")]
Embedded = Annotated[str, typer.Option(metavar="SCENARIO", help="a demonstration cluster, such as incident")]
Brain = Annotated[str, typer.Option(help="which brain; default: the one that is chosen, else the built-in one")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object")]
Usd = Annotated[float | None, typer.Option(help="most dollars that it may cost", min=0)]
Turns = Annotated[int | None, typer.Option(help="most questions to the brain", min=1, max=200)]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask before a run that may be costly")]
StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]


def ask(  # noqa: PLR0917 - typer takes options as they stand
    question: Question,
    target: Target = "",
    namespace: Namespace = "",
    bundle: Bundle = None,
    context: Context = "",
    embedded: Embedded = "",
    brain: Brain = "",
    usd: Usd = None,
    turns: Turns = None,
    as_json: AsJson = False,
    yes: Yes = False,
    state_dir: StateDir = None,
) -> None:
    """Ask a question; print the answer, what it rests on and what to do. Nothing is changed."""
    with one_sentence():
        where = place(bundle, context, embedded, state_dir)
        record = _record(where, Wanted(question, target, namespace, brain, budget_of(usd, turns), yes))
        typer.echo(json.dumps(record, indent=2) if as_json else plain(record))
        if record["run"] != "done":
            raise SystemExit(FAILED)


def budget_of(usd: float | None, turns: int | None) -> Budget:
    from kubesteward.reasoning.loop.state import Budget

    given = {"usd": usd, "turns": turns}
    return Budget.model_validate({name: value for name, value in given.items() if value is not None})


def place(bundle: Path | None, context: str, embedded: str, state_dir: Path | None) -> Place:
    """Raises BadParameter where several are named."""
    from kubesteward.cli.states import State

    if (bundle is not None) + bool(context) + bool(embedded) > 1:
        raise typer.BadParameter("--bundle, --context and --embedded name three states. Give one.")
    return State(context or None, bundle, embedded or None), state_dir


def app_of(where: Place) -> App:
    """An App over the state that the command looks at."""
    from kubesteward.app import App

    state, state_dir = where
    settings = Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
    return App(settings, clusters=state.clusters())


@dataclass(frozen=True)
class Wanted:
    """A question as the command line has it. `yes`: what it may cost was agreed to."""

    question: str
    target: str
    namespace: str
    brain: str
    budget: Budget
    yes: bool
    role: str = "chat"

    def asked(self, app: App) -> Asked:
        """Of an App, when the person has agreed to what it may cost.

        Raises:
            Refused: they have not. BrainMisconfigured: there is no such brain, or it cannot be made.
        """
        from kubesteward.reasoning.running import Asked

        if self.brain:
            app.brains.named(self.brain)
        found = Asked(
            self.question,
            app.settings.principal,
            "cli",
            self.target,
            self.namespace,
            brain=self.brain,
            role=self.role,
            who={"channel": "stdio"},
            budget=self.budget,
        )
        if not self.yes:
            confirm(app, found)
        return found


def _record(where: Place, wanted: Wanted) -> dict[str, Any]:
    import asyncio

    app = app_of(where)
    return asyncio.run(run(app, wanted.asked(app)))


def confirm(app: App, asked: Asked, runs: int = 1) -> None:
    """Ask the person before a run that may cost more than they said would need no asking.

    Raises:
        Refused: they do not agree, or nobody can be asked. KeyboardInterrupt: Ctrl-C, or no more input.
    """
    from kubesteward.reasoning.estimates import question_before

    question = question_before(app, asked, runs)
    try:
        agreed = not question or (sys.stdin.isatty() and typer.confirm(question))
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        from kubesteward_tools.errors import Refused

        raise Refused(question, todo="Give --yes, or a smaller --usd.")


async def run(app: App, asked: Asked) -> dict[str, Any]:
    """To its end; the record. What nobody should have to wonder about while waiting goes to standard error."""
    view = Lines(to_stderr=True, urgent=True)
    try:
        with resumable(view), view:
            view.name = app.investigator.begin(asked, view.tell)
            await app.investigator.wait(view.name)
            return app.investigator.record(view.name)
    finally:
        await app.close()


@contextmanager
def resumable(view: Lines | Live) -> Iterator[None]:
    """Whoever ends the process by Ctrl-C is told how to go on with what it was at."""
    import asyncio

    try:
        yield
    except asyncio.CancelledError:
        if view.name:
            said = f"{view.name} is kept. `kubesteward investigate --resume {view.name}` goes on, on the same state."
            typer.echo(said, err=True)
        raise
