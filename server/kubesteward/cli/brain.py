"""`kubesteward brain`: what thinks, where it is, and who wants which. Keys are never typed into a command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.reasoning.brains.base import Brain, Event
    from kubesteward.reasoning.brains.setups import Setup, Setups

app = typer.Typer(name="brain", help="Set up what thinks, try it, and say who wants which.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
_QUESTION = "Call the tool `report` with the word ready."


@app.callback()
def group() -> None:
    """Set up what thinks, try it, and say who wants which."""


@app.command()
def add(  # noqa: PLR0917 - the command line has them as options
    kind: Annotated[str, typer.Argument(help="anthropic, openai, openai-compatible or ollama")],
    name: Annotated[str, typer.Option(help="what to call it; default: its kind")] = "",
    model: Annotated[str, typer.Option(help="which model; anthropic and openai have a usual one")] = "",
    url: Annotated[str, typer.Option(help="base address; default: the provider's")] = "",
    key_env: Annotated[str, typer.Option(help="variable that holds the key")] = "",
    key_file: Annotated[str, typer.Option(help="file that holds the key, as of a mounted Secret")] = "",
    keychain: Annotated[bool, typer.Option(help="ask for the key now and keep it in the system's keychain")] = False,
    private: Annotated[bool, typer.Option(help="the address is on a private network")] = False,
    effort: Annotated[str, typer.Option(help="how much to think: low, medium or high")] = "",
    state_dir: StateDir = None,
) -> None:
    """Set up a brain, or change one. Its key stays where it is; only the place is remembered."""
    from kubesteward.reasoning.brains import keys, registry
    from kubesteward.reasoning.brains.setups import Setup

    with one_sentence():
        name, place = name or kind, _key_place(kind, key_env, key_file)
        model, url = model or registry.MODELS.get(kind, ""), url or registry.default_url(kind, os.environ)
        setup = Setup(name, kind, model, url, place, private, effort)
        setup.check()
        if kind in registry.MODELS and not (place or keychain):
            _want_key(kind)
        if keychain:
            setup = replace(setup, key=keys.keep(name, _typed(f"Key for {name}")))
        brain = registry.made(setup)
        with _setups(state_dir) as setups:
            setups.add(setup)
    typer.echo(f"Set up {name}: {setup.model} at {setup.url}, {_where(brain)}; key: {setup.key or 'none'}.")
    typer.echo(f"Try it with `kubesteward brain test {name}`.")


def _typed(what: str) -> str:
    """Raises KeyboardInterrupt: Ctrl-C, or no more input."""
    try:
        return str(typer.prompt(what, hide_input=True))
    except typer.Abort:
        raise KeyboardInterrupt from None


def _key_place(kind: str, variable: str, file: str) -> str:
    """As the options say; otherwise the provider's own variable, if that is set."""
    from kubesteward.reasoning.brains.base import BrainMisconfigured
    from kubesteward.reasoning.brains.keys import ENVIRONMENT

    if variable and file:
        raise BrainMisconfigured("The key cannot be in two places.", "Give --key-env or --key-file.")
    if variable or file:
        return f"env:{variable}" if variable else f"file:{Path(file).expanduser().absolute()}"
    usual = ENVIRONMENT.get(kind, "")
    return f"env:{usual}" if usual and os.environ.get(usual) else ""


def _want_key(kind: str) -> NoReturn:
    from kubesteward.reasoning.brains.base import BrainMisconfigured
    from kubesteward.reasoning.brains.keys import ENVIRONMENT

    todo = f"Set {ENVIRONMENT[kind]}, or give --key-env, --key-file or --keychain."
    raise BrainMisconfigured(f"A brain of the kind {kind} needs a key.", todo)


def _where(brain: Brain) -> str:
    return "on the premises" if brain.local else "elsewhere: what it is told leaves the premises"


@app.command("test")
def look(
    name: Annotated[str, typer.Argument(help="which one; default: all that are set up")] = "",
    ask: Annotated[bool, typer.Option("--ask", help="ask it a short question too, which is paid")] = False,
    state_dir: StateDir = None,
) -> None:
    """Look whether a brain would answer: its address, its key and its model."""
    import anyio

    with one_sentence(), _setups(state_dir) as setups:
        found = [_named(setups, name)] if name else list(_all(setups))
        if not found:
            typer.echo("No brain is set up: the built-in one is used, which needs nothing.")
        good = [anyio.run(_try, setup, ask) for setup in found]
    if not all(good):
        raise SystemExit(FAILED)


async def _try(setup: Setup, ask: bool) -> bool:
    from kubesteward.reasoning.brains import registry
    from kubesteward_tools.errors import SteadyError

    try:
        brain = registry.made(setup)
    except SteadyError as error:
        typer.echo(f"{setup.name}: {error}")
        return False
    try:
        health = await brain.check()
        told = "would answer" if health.ok else f"brain offline: {health.reason}. {health.todo}"
        typer.echo(f"{setup.name}: {told}")
        return health.ok and (not ask or await _answers(brain))
    finally:
        await brain.close()


async def _answers(brain: Brain) -> bool:
    """Whether it answers with the call that it is asked for; tells every wait and what it has used."""
    from kubesteward.reasoning.brains.base import Ask, Done, Message, Text, ToolSpec
    from kubesteward_tools.errors import SteadyError

    schema = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
    tool = ToolSpec("report", "Report a word.", schema)
    question = Ask("You are being tested.", (Message("user", (Text(_QUESTION),)),), (tool,), max_tokens=2000)
    try:
        async for event in brain.stream(question):
            _tell_wait(event)
            if isinstance(event, Done):
                called = any(call.name == "report" for call in event.message.calls)
                used = event.usage
                read, written = used.input + used.cache_read + used.cache_write, used.output
                how = "calls tools" if called else "answers, but does not call the tool that it was asked to call"
                typer.echo(f"  {how}; {read:,} tokens in, {written:,} out")
                return called
    except SteadyError as error:
        typer.echo(f"  {error}")
    return False


def _tell_wait(event: Event) -> None:
    from kubesteward.reasoning.brains.base import Waiting

    if isinstance(event, Waiting):
        typer.echo(f"  {event.seconds:.0f} s until attempt {event.attempt}: {event.reason}", err=True)


@app.command("list")
def list_brains(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """The brains that are set up, and who has chosen which."""
    from kubesteward.cli.usage import print_table

    with one_sentence(), _setups(state_dir) as setups:
        found, choices = list(_all(setups)), setups.choices()
    if as_json:
        chosen = [
            {"principal": who, "role": role, "brains": choice.brains, "may_leave": choice.may_leave}
            for who, role, choice in choices
        ]
        typer.echo(json.dumps({"brains": [setup.to_json() for setup in found], "choices": chosen}, indent=2))
        return
    if found:
        print_table([("name", "kind", "model", "address", "key"), *map(_cells, found)])
    for who, role, choice in choices:
        leave = ", also elsewhere" if choice.may_leave else ""
        typer.echo(f"{who or 'everybody'}, {role or 'everything'}: {', then '.join(choice.brains)}{leave}")
    if found and not any(who == role == "" for who, role, _ in choices):
        typer.echo(f"Where nobody has chosen, {found[0].name} is asked.")
    if not found:
        typer.echo("No brain is set up: the built-in one is used, which needs nothing.")


def _cells(setup: Setup) -> tuple[str, ...]:
    return setup.name, setup.kind, setup.model, setup.url, setup.key or "none"


@app.command()
def use(
    names: Annotated[list[str] | None, typer.Argument(help="brains, the first that answers; none: no choice")] = None,
    role: Annotated[str, typer.Option(help="for scanner, solver or chat only")] = "",
    principal: Annotated[str, typer.Option("--for", help="for one principal only, as the audit log names them")] = "",
    may_leave: Annotated[
        bool, typer.Option("--may-leave", help="let questions go from a local brain that is offline to one elsewhere")
    ] = False,
    state_dir: StateDir = None,
) -> None:
    """Say which brains are asked, in what order. What somebody chose governs all that they set off."""
    from kubesteward.reasoning.brains.setups import Choice

    with one_sentence(), _setups(state_dir) as setups:
        setups.choose(principal, role, Choice(tuple(names or ()), may_leave))
    whom, what = principal or "everybody", role or "everything"
    typer.echo(f"{whom}, {what}: {', then '.join(names) if names else 'no choice of their own'}")


@app.command()
def remove(name: Annotated[str, typer.Argument(help="which one")], state_dir: StateDir = None) -> None:
    """Forget a brain, also what was chosen of it and its key in the keychain."""
    from kubesteward.reasoning.brains.keys import forget

    with one_sentence(), _setups(state_dir) as setups:
        forget(setups.get(name).key)
        setups.remove(name)
    typer.echo(f"Removed {name}.")


def _named(setups: Setups, name: str) -> Setup:
    from kubesteward.reasoning.brains.registry import from_environment

    implied = from_environment(os.environ)
    return implied if implied is not None and implied.name == name and not setups.all() else setups.get(name)


def _all(setups: Setups) -> tuple[Setup, ...]:
    """What is set up, or what a key in a variable stands for."""
    from kubesteward.reasoning.brains.registry import from_environment

    implied = from_environment(os.environ)
    return setups.all() or ((implied,) if implied is not None else ())


@contextmanager
def _setups(state_dir: Path | None) -> Iterator[Setups]:
    from kubesteward.audit.actors import actor
    from kubesteward.audit.log import AuditLog
    from kubesteward.reasoning.brains.setups import Setups
    from kubesteward.store.store import Store

    settings = Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
    with closing(Store.open(settings.state_dir)) as store:
        log, by = AuditLog(store, settings.audit_anchor), settings.principal

        def note(kind: str, what: Mapping[str, object]) -> None:
            log.append({"type": kind, "principal": by, "actor": actor("human", by), "brain": dict(what)})

        yield Setups(store, note)
