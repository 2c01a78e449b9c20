"""`kubesteward policy`: look at the guardrails, try them on cases, and go back to earlier ones. Needs no server."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kubesteward.cli import exceptions
from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.guardrails.history import History
    from kubesteward_policies.documents import Sources
    from kubesteward_policies.rules import RuleSet

app = typer.Typer(
    name="policy", help="Look at the guardrails, test them, go back to earlier ones.", no_args_is_help=True
)

Chosen = Annotated[str | None, typer.Option("--policies", help="packs and files, instead of KUBESTEWARD_POLICIES")]
StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.callback()
def group() -> None:
    """Look at the guardrails, test them, go back to earlier ones."""


@app.command("list")
def list_rules(policies: Chosen = None, as_json: AsJson = False) -> None:
    """The configured rules, one a line, and the packs there are."""
    from kubesteward_policies import packs

    with one_sentence():
        rules = _rules(_settings(policies))
    if as_json:
        found = [
            {"id": item.id, "effect": item.effect, "source": item.source, "line": item.line} for item in rules.rules
        ]
        typer.echo(json.dumps({"digest": rules.digest, "rules": found, "packs": packs.names()}, indent=2))
        return
    for item in rules.rules:
        typer.echo(f"{item.effect.value:<17} {item.id:<32} {item.source}:{item.line}")
    typer.echo(f"{len(rules.rules)} rules, {_short(rules.digest)}. Packs: {', '.join(packs.names())}.")


@app.command()
def show(name: Annotated[str, typer.Argument(help="a rule's id, or a pack")], policies: Chosen = None) -> None:
    """One rule with its words, or the text of a pack."""
    from kubesteward_policies import packs
    from kubesteward_tools.errors import ObjectNotFound
    from kubesteward_tools.lookup.targets import near_names

    if name in packs.names():
        typer.echo(packs.text(name), nl=False)
        return
    with one_sentence():
        rules = _rules(_settings(policies)).rules
        found = next((item for item in rules if item.id == name), None)
        if found is None:
            near = near_names(name, [item.id for item in rules])
            todo = f"Did you mean {near[0]}?" if near else "`kubesteward policy list` names them."
            raise ObjectNotFound(f"there is no rule and no pack {name!r}.", todo=todo)
    typer.echo(f"{found.id} ({found.effect.value}), {found.source}:{found.line}")
    for label, text in (("why", found.description), ("says", found.message), ("remedy", found.remediation)):
        typer.echo(f"  {label:<7} {text}") if text else None
    for condition in found.conditions:
        typer.echo(f"  when    {' '.join(condition.split())}")
    for item in found.exemptions:
        typer.echo(f"  except  until {item.until.isoformat()} by {item.granted_by}: {item.justification}")


@app.command()
def check(policies: Chosen = None) -> None:
    """Read and compile the configured rules; exit code 1 names the first line that cannot be used."""
    with one_sentence():
        rules = _rules(_settings(policies))
    typer.echo(f"{len(rules.rules)} rules in {len(rules.sources)} files can be used. {_short(rules.digest)}")


@app.command("test")
def play_cases(
    cases: Annotated[list[Path], typer.Argument(help="files allow.*.yaml and deny.*.yaml, or folders of them")],
    policies: Chosen = None,
) -> None:
    """Play cases against the configured rules; exit code 1 when one goes otherwise than it should."""
    from kubesteward_policies.cases import CaseInvalid, play
    from kubesteward_tools.errors import InvalidArguments
    from kubesteward_tools.twin.cel import compiled

    failed, total = 0, 0
    with one_sentence():
        rules = _rules(_settings(policies))
        for path in (item for given in cases for item in _cases(given)):
            total += 1
            try:
                problem = play(path.name, path.read_text("utf-8"), rules, compiled).problem
            except CaseInvalid as error:
                problem = str(error)
            failed += bool(problem)
            typer.echo(f"FAIL {path}: {problem}" if problem else f"ok   {path}")
        if not total:
            raise InvalidArguments("there is no case: no file allow.*.yaml or deny.*.yaml.", todo="Name their folder.")
    typer.echo(f"{total} cases, {failed} failed.")
    if failed:
        raise typer.Exit(FAILED)


@app.command()
def history(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Which rules were in force since when, the newest first."""
    with one_sentence(), _history(_settings(None, state_dir)) as kept:
        entries = kept.entries()
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in entries], indent=2))
        return
    for item in entries:
        at = datetime.fromtimestamp(item.at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        typer.echo(
            f"{item.number:>4}  {at}  {_short(item.digest)}  {item.how}  {item.principal}  {item.comment}".rstrip()
        )
    if not entries:
        typer.echo("No rules were in force yet: the first proposed change loads them.")


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="the beginning of a digest, from `history`")],
    new: Annotated[str | None, typer.Argument(help="another one; without it the configured rules")] = None,
    policies: Chosen = None,
    state_dir: StateDir = None,
) -> None:
    """What changed between two sets of rules, as a unified diff; nothing where they are the same."""
    from kubesteward.guardrails.sources import gathered

    with one_sentence():
        settings = _settings(policies, state_dir)
        with _history(settings) as kept:
            before = kept.sources(kept.find(old))
            after = kept.sources(kept.find(new)) if new else gathered(settings.policies)
    for line in _differences(before, after):
        typer.echo(line)


@app.command()
def rollback(
    to: Annotated[str, typer.Argument(help="the beginning of a digest, from `history`")],
    comment: Annotated[str, typer.Option(help="why; it is kept in the history and in the audit log")],
    state_dir: StateDir = None,
) -> None:
    """Put an earlier set in force again, for running servers too, until they are configured with other rules."""
    with one_sentence():
        settings = _settings(None, state_dir)
        with _history(settings) as kept:
            entry = kept.roll_back(to, settings.principal, comment)
    typer.echo(f"{_short(entry.digest)} is in force instead of {_short(entry.configured)}, while that is configured.")


app.command("except")(exceptions.grant)
app.command("exceptions")(exceptions.granted)


def _settings(policies: str | None, state_dir: Path | None = None) -> Settings:
    """Raises InvalidArguments."""
    given = {"policies": policies, "state_dir": state_dir}
    return Settings.load(None, **{key: value for key, value in given.items() if value is not None})


def _rules(settings: Settings) -> RuleSet:
    """Raises GuardrailsUnusable."""
    from kubesteward.guardrails.sources import gathered, rules_of

    return rules_of(gathered(settings.policies))


@contextmanager
def _history(settings: Settings) -> Iterator[History]:
    from kubesteward.audit.log import AuditLog
    from kubesteward.guardrails.history import History
    from kubesteward.store.store import Store

    store = Store.open(settings.state_dir)
    try:
        yield History(store, AuditLog(store))
    finally:
        store.close()


def _cases(given: Path) -> list[Path]:
    if not given.is_dir():
        return [given]
    return sorted([*given.rglob("allow.*.yaml"), *given.rglob("deny.*.yaml")])


def _differences(before: Sources, after: Sources) -> Iterator[str]:
    old, new = dict(before), dict(after)
    for name in dict.fromkeys([*old, *new]):
        lines = (old.get(name, "").splitlines(), new.get(name, "").splitlines())
        yield from difflib.unified_diff(*lines, f"{name} (before)", f"{name} (after)", lineterm="")


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
