"""Where in the manifests a finding belongs: the document it is about, and of that the field, as far as one can tell."""

from __future__ import annotations

import re

from kubesteward_policies.change import ApiCall
from kubesteward_tools.plans.documents import Document, Place
from kubesteward_tools.plans.plan import Plan
from kubesteward_tools.twin.rehearsal import Concern

_FIELD = re.compile(r"\b(?:spec|metadata|data|rules|subjects|roleRef|webhooks)(?:\.[A-Za-z][\w-]*|\[\d+\])+")
_STEP = re.compile(r"([A-Za-z][\w-]*)|\[(\d+)\]")
_POINTS = {
    "quota.exceeded": "spec.replicas",
    "availability.released": "spec.replicas",
    "scheduling.pending": "spec.template.spec",
    "psa.violated": "spec.template.spec",
    "limits.exceeded": "spec.template.spec.containers",
    "creation.refused": "spec.template.spec",
    "config.latent": "spec.template.spec",
    "rollout.paused": "spec.paused",
    "pdb.loosened": "spec",
    "quota.below_use": "spec.hard",
}
"""Which field a rule judges, where the message names none."""


def place(plan: Plan, concern: Concern) -> Place | None:
    """The place of a finding. What is about no document of the plan belongs to the first one; None where there is
    none."""
    if not plan.documents:
        return None
    document = _document(plan, concern)
    if document is None:
        return plan.documents[0].place
    named = _FIELD.search(concern.message)
    path = named[0] if named else _POINTS.get(concern.rule, "")
    steps = [int(number) if number else word for word, number in _STEP.findall(path)]
    return Place(document.place.source, document.line(steps))


def _document(plan: Plan, concern: Concern) -> Document | None:
    """The one of the call or the object; then the one whose name what a controller made begins with."""
    pairs = list(zip(plan.change.calls, plan.documents, strict=True))
    for call, document in pairs:
        if concern.object in {f"{call.verb} {call.path}", _told(call)}:
            return document
    found = [(call, document) for call, document in pairs if _made_by(concern.object, call)]
    return max(found, key=lambda pair: (_has_pods(pair[1]), len(pair[0].target.name)))[1] if found else None


def _has_pods(document: Document) -> bool:
    spec = document.body.get("spec")
    return isinstance(spec, dict) and "template" in spec


def _told(call: ApiCall) -> str:
    return f"{call.target.kind.lower()} {call.target.path}"


def _made_by(name: str, call: ApiCall) -> bool:
    """`replicaset shop/web-5f6d` is made by `deployment shop/web`, and `service shop/web` goes by its name."""
    path, own = name.partition(" ")[2], call.target.path
    return bool(call.target.namespace) and (path == own or path.startswith(f"{own}-"))
