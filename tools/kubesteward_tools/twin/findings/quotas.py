"""ResourceQuotas that allow less than there is: nothing stops, and nothing that stops comes back."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin import quantity
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Object


def below_use(evidence: Evidence) -> Iterator[Concern]:
    for key in dict.fromkeys(item for item in evidence.targets if item.resource == "resourcequotas"):
        before, after = evidence.origin.get(key), evidence.best.store.get(key)
        if after is None or (before is not None and _hard(before) == _hard(after)):
            continue
        used = (after.get("status") or {}).get("used") or {}
        over = [
            f"{used[item]} of {most} {item}"
            for item, most in sorted(_hard(after).items())
            if item in used and quantity.parse(used[item]) > quantity.parse(most)
        ]
        if over:
            yield Concern(
                rule="quota.below_use",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would allow less than is used ({', '.join(over)}): what stops does not come back",
                remedy="Free some of it first, or leave room for what runs.",
            )


def _hard(quota: Object) -> dict[str, str]:
    return (quota.get("spec") or {}).get("hard") or {}
