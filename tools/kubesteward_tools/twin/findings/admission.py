"""What the API server refuses, and who else it would ask."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Admission, Concern
from kubesteward_tools.twin.route import Route, parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.webhooks import hooks_on_pods
from kubesteward_tools.world.store import Key

_LENIENT = "Try it where nothing depends on it, or with failurePolicy Ignore."
_DECIDE = {
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _LENIENT,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _LENIENT,
    "validatingadmissionpolicies.admissionregistration.k8s.io": _LENIENT,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": "Begin with validationActions Audit or Warn.",
    "customresourcedefinitions.apiextensions.k8s.io": "See that those who write such objects keep to it.",
    "apiservices.apiregistration.k8s.io": "Try it where nothing depends on it.",
}
"""What decides about requests, with what to do before it does."""

_QUOTED = re.compile(r'Invalid value: "\{(?:[^"\\]|\\.){200,}"')
"""A patch with a misspelt field is answered with the whole object, and what is wrong only behind it."""


def rejected(evidence: Evidence) -> Iterator[Concern]:
    kinds = evidence.best.cluster.api.kinds
    yield from (_rejection(item, kinds) for item in evidence.admission if not item.allowed)


def _rejection(item: Admission, kinds: ServedKinds) -> Concern:
    route, what, remedy = _route(item.call, kinds), "it", "Change the request so that the API server accepts it."
    where = item.call
    if route is not None and route.subresource == "eviction":
        where = name(Key(route.kind.resource, route.namespace, route.name))
        what = f"to evict {where}"
        remedy = "Wait until the budget allows it, or change the budget first." if item.why else remedy
    said = _QUOTED.sub("Invalid value: (the object)", " ".join((item.message, *item.why)))
    message = f"the API server refuses {what} ({item.code} {item.reason}): {said}"
    if route is None:
        message = "the twin knows no such kind, so that nobody can tell what this would do"
        remedy = "Create its CustomResourceDefinition first, or make the change by hand."
    return Concern(rule="admission.rejected", severity="block", object=where, message=message, remedy=remedy)


def _route(call: str, kinds: ServedKinds) -> Route | None:
    """What a call is about, None for a kind that is not simulated."""
    try:
        return parse(call.partition(" ")[2], kinds)
    except ApiError:
        return None


def webhooks_on_pods(evidence: Evidence) -> Iterator[Concern]:
    """New pods have to pass webhooks that no dry-run of the workload asks; one that is dead or says no stops them."""
    for namespace in sorted({key.namespace for key in evidence.best.watcher.started}):
        for hook in hooks_on_pods(evidence.best.store, namespace):
            if hook.fails_closed:
                yield Concern(
                    rule="admission.webhook",
                    severity="warn",
                    object=f"namespace {namespace}",
                    message=f"new pods need the consent of webhook {hook.name}, which was not asked",
                    remedy="See that the webhook answers, and that it lets such pods pass.",
                )


def decides_from_now_on(evidence: Evidence) -> Iterator[Concern]:
    for key in evidence.targets:
        if key.resource in _DECIDE:
            yield Concern(
                rule="admission.changed",
                severity="warn",
                object=name(key),
                message=f"{name(key)} decides what the API accepts from then on, which is not rehearsed",
                remedy=_DECIDE[key.resource],
            )
