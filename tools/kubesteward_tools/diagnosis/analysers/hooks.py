"""Admission webhooks whose Service is not there or has nobody behind it: every write they watch over fails."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, kind_of, mappings, named, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key


def analyse(scene: Scene) -> Iterator[Candidate]:
    for kind in ("validatingwebhookconfigurations", "mutatingwebhookconfigurations"):
        for key, config in scene.all(f"{kind}.admissionregistration.k8s.io"):
            for hook in mappings(config.get("webhooks")):
                found = at(hook, "clientConfig", "service")
                service = Key("services", text(found.get("namespace")), text(found.get("name")))
                if found and text(hook.get("failurePolicy")) != "Ignore" and (why := _why(scene, service)):
                    sentence = (
                        f"the admission webhook {hook.get('name')!r} of {named(key)} cannot be called: "
                        f"{why}. Its failurePolicy "
                        "is Fail, so the API server refuses every write that it watches (failed calling webhook)."
                    )
                    fix = f"Repair {named(service)}, or delete {named(key)}."
                    proposal = Proposal("delete", kind_of(key.resource), key.name)
                    yield Candidate(
                        "AdmissionWebhook",
                        key,
                        sentence,
                        0.72,
                        (why,),
                        fix=fix,
                        proposal=proposal,
                        suffers=(service,),
                        needs=(service,),
                    )
                    break


def _why(scene: Scene, service: Key) -> str:
    if scene.missing(service):
        return f"its {named(service)} does not exist (not found)"
    if (
        scene.exists(service)
        and routing.selector(scene.get(service))
        and not routing.ready(scene, routing.backends(scene, service))
    ):
        return f"its {named(service)} has no ready endpoints (no available pods)"
    return ""
