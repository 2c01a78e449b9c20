"""`kubesteward usage|budget`: what brains cost and what they may cost, from the store, without a running server."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from kubesteward.cli.exits import FAILED, one_sentence
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.reasoning.ledger.budgets import Unit
    from kubesteward.reasoning.ledger.ledger import Ledger
    from kubesteward.store.store import Store

budgets = typer.Typer(name="budget", help="Limit what brains may use up in a day.", no_args_is_help=True)

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
By = Annotated[Literal["feature", "provider", "user", "model"], typer.Option(help="what to add up by")]
Since = Annotated[Literal["today", "week", "month"], typer.Option(help="1, 7 or 30 days of UTC, today included")]
Scope = Annotated[Literal["session", "user", "feature"], typer.Argument(help="whom it is for")]
Subject = Annotated[str, typer.Argument(metavar="[NAME]", help="which one, as `local:alice`; without: each of them")]
UnitOf = Annotated[Literal["usd", "tokens"], typer.Option(help="what the limits are counted in")]
Limit = Annotated[str, typer.Option(help="as 5, 0.25, 200k or 2M")]

_UNITS = {"k": 1_000, "m": 1_000_000}


def usage(by: By = "feature", since: Since = "today", as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """Show what brains were asked, the tokens, and what they cost."""
    from kubesteward.reasoning.ledger.report import begins, rollup, whole

    with one_sentence(), _opened(state_dir) as (store, _, _):
        lines = rollup(store, by, begins(since, time.time()))
    if as_json:
        typer.echo(json.dumps({"since": since, "by": by, "lines": lines, "total": whole(lines)}, indent=2))
        return
    if not lines:
        typer.echo(f"No brain was asked ({since}).")
        return
    every = [*lines, {by: "total", **whole(lines)}] if len(lines) > 1 else lines
    heads = (by, "calls", "cached", "input", "cached input", "output", "cost", "saved")
    print_table([heads, *(_cells(line, by) for line in every)])
    if unpriced := int(sum(line["unpriced_calls"] for line in lines)):
        typer.echo(f"Calls without a known price: {unpriced}. KUBESTEWARD_MODEL_PRICES can tell it.")


@budgets.callback()
def group() -> None:
    """Limit what brains may use up in a day, which begins anew at midnight UTC."""


@budgets.command("list")
def show(as_json: AsJson = False, state_dir: StateDir = None) -> None:
    """The budgets, and how much of each is used up today and held for calls under way."""
    from kubesteward.reasoning.ledger.budgets import amount_of, until_midnight
    from kubesteward.reasoning.ledger.report import standing

    with one_sentence(), _opened(state_dir) as (store, ledger, _):
        found = standing(store, ledger.budgets, time.time())
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    if not found:
        typer.echo("There are no budgets; `kubesteward budget set --help` shows how to make one.")
        return
    lines: list[tuple[str, ...]] = [("scope", "name", "used today", "held", "soft", "hard")]
    for item in found:
        amounts = (amount_of(item[name], item["unit"]) for name in ("used", "held", "soft", "hard"))
        lines.append((item["scope"], _shown(item["subject"]), *amounts))
    print_table(lines)
    typer.echo(f"They reset at midnight UTC, in {until_midnight(time.time())}.")


@budgets.command("set")
def put(
    scope: Scope,
    name: Subject = "*",
    *,
    soft: Limit = "",
    hard: Limit = "",
    unit: UnitOf = "usd",
    state_dir: StateDir = None,
) -> None:
    """Set a budget for a day: above the soft limit is a warning, above the hard one nothing is sent."""
    from kubesteward.reasoning.ledger.budgets import Budget, amount_of

    with one_sentence(), _opened(state_dir) as (_, ledger, principal):
        budget = Budget(scope, name, unit, _amount(soft, unit), _amount(hard, unit))
        ledger.budgets.put(budget, principal, time.time())
    limits = f"soft {amount_of(budget.soft, unit)}, hard {amount_of(budget.hard, unit)}"
    typer.echo(f"The budget of {budget.whose} is {limits} a day, for every server on this store from now on.")


@budgets.command("clear")
def clear(
    scope: Scope,
    name: Subject = "*",
    *,
    unit: Annotated[Literal["usd", "tokens"] | None, typer.Option(help="only the one in this unit")] = None,
    state_dir: StateDir = None,
) -> None:
    """Remove a budget."""
    with one_sentence(), _opened(state_dir) as (_, ledger, principal):
        count = ledger.budgets.remove(scope, name, unit, principal)
    if not count:
        typer.echo("There is no such budget; `kubesteward budget list` shows them.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"Removed {count} budget{'s' if count > 1 else ''}.")


@contextmanager
def _opened(state_dir: Path | None) -> Iterator[tuple[Store, Ledger, str]]:
    """The store, a ledger over it, and who sits here."""
    from kubesteward.audit.log import AuditLog
    from kubesteward.reasoning.ledger.assembly import ledger_of
    from kubesteward.store.store import Store

    settings = Settings.load(None, **({"state_dir": state_dir} if state_dir else {}))
    with closing(Store.open(settings.state_dir)) as store:
        yield store, ledger_of(settings, store, AuditLog(store, settings.audit_anchor)), settings.principal


def _amount(text: str, unit: Unit) -> int | None:
    """Millionths of a dollar, or tokens. Raises ValueError: it is no amount."""
    if not text:
        return None
    times = _UNITS.get(text[-1:].lower(), 1)
    try:
        number = Decimal(text[:-1] if times > 1 else text) * times * (1_000_000 if unit == "usd" else 1)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or number < 0 or number > 10**15:
        raise ValueError(f"{text!r} is no limit: write 5, 0.25, 200k or 2M")
    return int(number)


def _cells(line: Mapping[str, Any], by: str) -> tuple[str, ...]:
    from kubesteward.reasoning.ledger.words import dollars

    taken = line["input"] + line["cache_write"]
    counts = (line["calls"], line["cached"], taken, line["cache_read"], line["output"])
    money = (dollars(round(line[name] * 1_000_000)) for name in ("usd", "saved_usd"))
    return (str(line[by]), *(f"{int(count):,}" for count in counts), *money)


def _shown(subject: str) -> str:
    return "(each)" if subject == "*" else subject


def print_table(lines: Sequence[tuple[str, ...]]) -> None:
    from kubesteward_tools.text.fence import clean

    told = [[clean(cell).replace("\n", " ") for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in told) for column in range(len(told[0]))]
    for line in told:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
