"""What an approval is bound to: exactly this change, rehearsed with this result, on objects in exactly this state."""

from __future__ import annotations

from collections.abc import Mapping

from kubesteward_policies.change import Change
from kubesteward_policies.digest import digest
from kubesteward_tools.twin.rehearsal import Rehearsal


def digest_of(change: Change, rehearsal: Rehearsal | None, versions: Mapping[str, str]) -> str:
    rehearsed = rehearsal.digest if rehearsal else ""
    return digest({"change": change, "rehearsal": rehearsed, "versions": dict(versions)})
