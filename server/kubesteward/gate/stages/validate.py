"""The change names something that is there, in a cluster that can be written."""

from __future__ import annotations

from kubesteward.execution.snapshot import keys, versions
from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.verdict import Verdict

STAGE = "validate"


async def validate(case: Case) -> Verdict:
    if not case.change.calls:
        return deny(STAGE, "validate.empty", "the change makes no API call")
    if not case.world.writable and not case.dry_run:
        return deny(STAGE, "validate.bundle", "a bundle cannot be changed", "Preview it with dry_run=true.")
    found = keys(case.world, case.change)
    missing = [
        key
        for key, call in zip(found, case.change.calls, strict=False)
        if call.verb != "create" and case.world.store.get(key) is None
    ]
    if missing:
        key = missing[0]
        return deny(
            STAGE, "validate.missing", f"there is no {key.resource} {key.namespace}/{key.name}", "Check the name."
        )
    case.versions = versions(case.world, case.change)
    return allow(STAGE, "validate.ok", "the targets exist")
