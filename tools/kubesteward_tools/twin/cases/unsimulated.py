"""What the twin cannot know of a case: one of these is enough not to call it safe."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.cases.play import Play
from kubesteward_tools.twin.findings.evidence import Evidence, Run
from kubesteward_tools.twin.route import parse
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.unknowns import unknowns
from kubesteward_tools.twin.webhooks import hooks
from kubesteward_tools.world.store import Key


def unsimulated(play: Play) -> list[str]:
    run = Run(play.cluster, play.watcher, play.settled)
    evidence = Evidence(play.origin, run, run, tuple(_targets(play)), ())
    return list(dict.fromkeys([*unknowns(evidence), *_unserved(play), *_webhooks(play)]))


def _targets(play: Play) -> Iterator[Key]:
    """What the calls name that were let through: a refused one changes nothing."""
    refused = {item["path"] for item in play.responses if item["status"] >= 400}
    for step in play.case.steps:
        if step.path in refused or step.query.get("dryRun") or step.verb == "get" or step.is_drain:
            continue
        try:
            route = parse(step.path)
        except ApiError:
            continue
        yield Key(route.kind.resource, route.namespace, route.name)


def _unserved(play: Play) -> Iterator[str]:
    """Paths of kinds that the twin does not serve: what it answers there is no evidence."""
    for step in play.case.steps:
        try:
            parse(step.path)
        except ApiError:
            yield f"{step.path}: this kind is not simulated"


def _webhooks(play: Play) -> Iterator[str]:
    """Webhooks that a call, or a controller because of it, may have to pass."""
    written = {key for key, word in play.watcher.touched.items() if word} | set(_targets(play))
    for hook in hooks(play.origin):
        for resource in sorted({key.resource for key in written}):
            plural, _, group = resource.partition(".")
            if any(hook.covers(group, plural, operation) for operation in ("CREATE", "UPDATE", "DELETE")):
                yield f"admission webhook {hook.name} may refuse {plural}; it is not asked"
