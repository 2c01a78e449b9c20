"""Roll-outs whose new pods do not work while the old ones do: told where nothing says why."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import condition, count, message_of, named, number
from kubesteward_tools.diagnosis.rollouts import newest
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.lookup.notes import everywhere
from kubesteward_tools.proposals.proposal import Proposal


def analyse(scene: Scene) -> Iterator[Candidate]:
    sick = {key for key, _, _ in scene.sick_pods}
    for key, note in everywhere(scene.store, "deployments.apps"):
        if note.ready is not False or key not in sick:
            continue
        found = newest(scene, key)
        if found is None or not found.working or not found.changed or found.set is None:
            continue
        if number((scene.get(found.set).get("status") or {}).get("readyReplicas")):
            continue
        stuck = condition(scene.get(key), "Progressing")
        why = message_of(stuck) if stuck.get("status") == "False" else ""
        sentence = (
            f"the roll-out of revision {found.to} of {named(key)} does not succeed: none of its new pods becomes "
            f"ready, and {count(found.working, 'ready pod')} are still of revision {found.back}; "
            f"it changed {found.changed}."
        )
        back = Proposal("rollback", "Deployment", key.name, key.namespace, {"revision": found.back})
        yield Candidate(
            "BadRollout",
            key,
            sentence,
            0.65,
            (why,) if why else (),
            fix=f"Roll back to revision {found.back}.",
            proposal=back,
            since=found.at,
            suffers=(key,),
            generic=True,
        )
