"""What `doctor` says of brains: each that is set up is asked for its model, which is not paid."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from kubesteward.cli.checks import Check
from kubesteward.settings import Settings

if TYPE_CHECKING:
    from kubesteward.reasoning.brains.setups import Setup


async def brains(settings: Settings) -> list[Check]:
    """None set up is no fault: the built-in one needs nothing."""
    from kubesteward_tools.errors import SteadyError

    try:
        found = set_up(settings)
    except SteadyError as error:
        return [Check("brains", "warn", error.message, error.todo)]
    if not found:
        return [Check("brains", "ok", "the built-in one, which needs nothing; no other is set up")]
    return [await _asked(setup) for setup in found]


def set_up(settings: Settings) -> tuple[Setup, ...]:
    """Those of the store, or what a key in a variable stands for."""
    from kubesteward.reasoning.brains.registry import from_environment
    from kubesteward.reasoning.brains.setups import Setups
    from kubesteward.store.store import Store

    implied = from_environment(os.environ)
    known: tuple[Setup, ...] = ()
    if Store.exists(settings.state_dir):
        with closing(Store.open(settings.state_dir)) as store:
            known = Setups(store).all()
    return known or ((implied,) if implied is not None else ())


async def _asked(setup: Setup) -> Check:
    from kubesteward.reasoning.brains import registry
    from kubesteward_tools.errors import SteadyError

    name = f"brain {setup.name}"
    try:
        brain = registry.made(setup)
    except SteadyError as error:
        return Check(name, "warn", error.message, error.todo)
    try:
        health = await brain.check()
    finally:
        await brain.close()
    if not health.ok:
        return Check(name, "warn", f"brain offline: {health.reason}; the built-in one goes on", health.todo)
    where = "on the premises" if brain.local else "elsewhere: what it is told leaves the premises"
    return Check(name, "ok", f"{setup.model} would answer, {where}")
