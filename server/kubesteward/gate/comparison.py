"""Whether an approval given on one rehearsal still holds when the next one, of the same change, says something else."""

from __future__ import annotations

from kubesteward_tools.twin.rehearsal import Rehearsal

_GRAVITY = ("safe", "warn", "unknown", "blocked")


def is_graver(again: Rehearsal, approved: Rehearsal | None) -> bool:
    """Whether the verdict is worse than the one that was approved."""
    return approved is None or _GRAVITY.index(again.verdict) > _GRAVITY.index(approved.verdict)


def still_covers(approved: Rehearsal | None, again: Rehearsal) -> bool:
    """True when the verdict and the findings are the same and nothing has become graver than what was approved."""
    if approved is None or (approved.verdict, approved.findings) != (again.verdict, again.findings):
        return False
    return not any(now > before for before, now in zip(_harm(approved), _harm(again), strict=True)) and not _worse(
        approved, again
    )


def _harm(found: Rehearsal) -> tuple[int, ...]:
    effects = found.effects
    return effects.pods_stopped, len(effects.deleted), len(effects.pending), len(effects.blocked)


def _worse(approved: Rehearsal, again: Rehearsal) -> bool:
    """Fewer ready in the worst case than the person was told, or something concerned that was not."""
    told = {item.object: item for item in approved.availability}
    for item in again.availability:
        before = told.get(item.object)
        if before is None or (item.worst_min, item.worst_after) < (before.worst_min, before.worst_after):
            return True
    return False
