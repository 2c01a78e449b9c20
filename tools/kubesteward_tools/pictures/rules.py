"""What each rule of the rehearsal looks at, in one sentence: for reports that list their rules."""

from __future__ import annotations

RULES = {
    "admission.changed": "The change decides what the API accepts from then on.",
    "admission.rejected": "The API server refuses a request of the change.",
    "admission.webhook": "New pods need the consent of a webhook that was not asked.",
    "api.webhook_down": "A webhook that the API depends on loses its last endpoint.",
    "availability.none": "No ready pod of a workload is left.",
    "availability.not_restored": "Fewer pods are ready at the end than before.",
    "availability.reduced": "Fewer pods are ready on the way than before.",
    "availability.released": "Pods are given up on purpose.",
    "change.reverted": "Somebody else manages the object and may undo the change.",
    "config.changed": "Configuration that running pods read changes under them.",
    "config.latent": "Pods would not come up again: something they need is missing.",
    "creation.refused": "Pods of a workload cannot be created.",
    "data.lost": "Data goes with the object.",
    "deletion.stuck": "The deletion does not come to its end.",
    "limits.exceeded": "Pods do not keep within a LimitRange.",
    "pdb.broken": "Fewer pods stay healthy than a PodDisruptionBudget wants.",
    "pdb.loosened": "A PodDisruptionBudget allows more than before.",
    "pod.unmanaged": "A pod that nobody recreates goes.",
    "psa.violated": "Pods violate the Pod Security level of their namespace.",
    "quota.below_use": "A ResourceQuota is set below what is in use.",
    "quota.exceeded": "Pods do not fit into a ResourceQuota.",
    "rollout.paused": "The roll-out is paused, so that nothing comes of the change.",
    "rollout.stalled": "The roll-out does not come to its end.",
    "rollout.would_stall": "The roll-out does not come to its end if new pods never become ready.",
    "scheduling.pending": "A pod fits on no node.",
    "service.gone": "A Service goes that has ready endpoints.",
    "service.no_endpoints": "A Service has no ready endpoint.",
    "workload.gone": "A workload goes with its pods.",
    "workload.orphaned": "A workload's pods stay behind without an owner.",
    "rehearsal.assumption": "The rehearsal takes something for granted.",
    "rehearsal.unknown": "Something that matters to the change cannot be simulated.",
}


def about(rule: str) -> str:
    """A rule that is not listed is told by its id."""
    return RULES.get(rule, f"{rule.replace('.', ': ').replace('_', ' ')}.")
