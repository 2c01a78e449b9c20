"""The API server's own opinion: `dryRun=All`, with its real admission, webhooks and quota. Nothing is changed by it."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny, warn
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.errors import ObjectNotFound, SteadyError

STAGE = "server_dry_run"


async def dry_run(case: Case) -> Verdict:
    if case.writer is None:  # a bundle; without a credential for changes, `rights` has denied it
        return allow(STAGE, "dry_run.bundle", "there is no server to ask")
    creates = False
    for number, call in enumerate(case.change.calls):
        try:
            case.answers[number] = await case.writer.dry_run(call)
        except ObjectNotFound as error:
            if creates:  # what the earlier calls would make is not there for this one
                return warn(STAGE, "dry_run.partly", f"the API server was not asked about all of it: {error.message}")
            return deny(STAGE, "dry_run.refused", error.message, error.todo or "Check name and namespace.")
        except SteadyError as error:
            remedy = error.todo or "Change the request so that the API server accepts it."
            return deny(STAGE, "dry_run.refused", error.message, remedy)
        creates = creates or call.verb == "create"
    return allow(STAGE, "dry_run.ok", "the API server accepts it")
