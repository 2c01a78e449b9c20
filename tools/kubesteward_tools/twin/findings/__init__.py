"""From what two plays of a change showed to findings: one file for each family of rules, one function for each rule."""

from __future__ import annotations

from kubesteward_tools.twin.findings import (
    admission,
    availability,
    budgets,
    configuration,
    creation,
    definitions,
    deletion,
    jobs,
    networks,
    ownership,
    quotas,
    rollout,
    routes,
    scheduling,
    services,
)
from kubesteward_tools.twin.findings.evidence import IF_NOT_READY, Evidence
from kubesteward_tools.twin.rehearsal import Concern

_RULES = (
    admission.rejected,
    admission.webhooks_on_pods,
    admission.decides_from_now_on,
    creation.refused,
    scheduling.pending,
    rollout.stalled,
    rollout.would_stall,
    rollout.paused,
    jobs.failed,
    jobs.would_fail,
    budgets.broken,
    budgets.loosened,
    services.without_endpoints,
    services.gone,
    services.port_unserved,
    networks.ingress_cut,
    networks.ingress_misled,
    networks.dns_cut,
    networks.route_lost,
    networks.opened,
    routes.changed,
    availability.lost,
    availability.not_restored,
    deletion.workload,
    deletion.pod,
    deletion.data,
    deletion.stuck,
    definitions.objects_lost,
    definitions.version_unserved,
    definitions.schema_tightened,
    configuration.latent,
    configuration.changed,
    quotas.below_use,
    ownership.reverted,
)
_ORDER = {"block": 0, "warn": 1, "info": 2}


def findings(evidence: Evidence) -> list[Concern]:
    """Every rule's findings, the blocking ones first."""
    found = _without_echoes([item for rule in _RULES for item in rule(evidence)])
    return sorted(dict.fromkeys(found), key=lambda item: (_ORDER[item.severity], item.rule, item.object))


def _without_echoes(found: list[Concern]) -> list[Concern]:
    """What is bad in the best case needs no second finding that it is so in the worst."""
    certain = {(item.rule, item.object): _ORDER[item.severity] for item in found if not _conditional(item)}
    return [
        item
        for item in found
        if not _conditional(item) or certain.get((item.rule, item.object), len(_ORDER)) > _ORDER[item.severity]
    ]


def _conditional(item: Concern) -> bool:
    return IF_NOT_READY in item.message
