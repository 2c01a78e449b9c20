"""The API server's own opinion: `dryRun=All`, with its real admission, webhooks and quota. Nothing is changed by it."""

from __future__ import annotations

from kubesteward.execution.apply import Writer
from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.errors import SteadyError

STAGE = "server_dry_run"


async def dry_run(case: Case) -> Verdict:
    """Only the first call: what follows may need what it does."""
    if case.world.connection is None:
        return allow(STAGE, "dry_run.bundle", "there is no server to ask")
    try:
        await Writer(case.world.connection).dry_run(case.change.calls[0])
    except SteadyError as error:
        remedy = error.todo or "Change the request so that the API server accepts it."
        return deny(STAGE, "dry_run.refused", error.message, remedy)
    return allow(STAGE, "dry_run.ok", "the API server accepts it")
