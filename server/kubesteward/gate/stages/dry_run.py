"""The API server's own opinion: `dryRun=All`, with its real admission, webhooks and quota. Nothing is changed by it."""

from __future__ import annotations

from kubesteward.execution.answers import Held
from kubesteward.execution.snapshot import key_of
from kubesteward.gate.case import Case, allow, deny, warn
from kubesteward_policies.change import APPLY_PATCH, ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.errors import ObjectNotFound, SteadyError

STAGE = "server_dry_run"


async def dry_run(case: Case) -> Verdict:
    if case.writer is None:  # a bundle; without a credential for changes, `rights` has denied it
        return allow(STAGE, "dry_run.bundle", "there is no server to ask")
    creates, held = False, ""
    for number, call in enumerate(case.change.calls):
        if runs_command(call):  # it would be run
            return warn(STAGE, "dry_run.command", "a command cannot be tried out")
        try:
            case.answers[number] = await case.writer.dry_run(call)
        except ObjectNotFound as error:
            if creates:  # what the earlier calls would make is not there for this one
                return warn(STAGE, "dry_run.partly", f"the API server was not asked about all of it: {error.message}")
            return deny(STAGE, "dry_run.refused", error.message, error.todo or "Check name and namespace.")
        except Held as error:
            if not call.evicts:
                return deny(STAGE, "dry_run.refused", error.message, error.todo)
            held = held or error.message
        except SteadyError as error:
            remedy = error.todo or "Change the request so that the API server accepts it."
            return deny(STAGE, "dry_run.refused", error.message, remedy)
        creates = creates or _creates(case, call)
    if held:  # whether it ever comes free is the rehearsal's question
        return warn(STAGE, "dry_run.held", f"not now: {held}", "It is waited for.")
    return allow(STAGE, "dry_run.ok", "the API server accepts it")


def _creates(case: Case, call: ApiCall) -> bool:
    """Applying is creating, too."""
    key = key_of(case.world, call.target) if call.content_type == APPLY_PATCH else None
    return call.verb == "create" or (key is not None and case.world.store.get(key) is None)
