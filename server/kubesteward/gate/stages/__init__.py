"""The stages in their order: cheap ones first, people last. The first denial ends the walk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kubesteward.gate.case import Case
from kubesteward.gate.stages.approval import approval
from kubesteward.gate.stages.autonomy import autonomy
from kubesteward.gate.stages.dry_run import dry_run
from kubesteward.gate.stages.immutable import immutable
from kubesteward.gate.stages.liveness import liveness
from kubesteward.gate.stages.rehearsal import rehearsal
from kubesteward.gate.stages.rights import rights
from kubesteward.gate.stages.validate import validate
from kubesteward_policies.verdict import Verdict

STAGES: tuple[Callable[[Case], Awaitable[Verdict]], ...] = (
    validate,
    liveness,
    autonomy,
    rights,
    immutable,
    dry_run,
    rehearsal,
    approval,
)
