"""What happened before something failed: a roll-out, a restart, a change of it or of what it needs; nothing after it.

A change explains a failure only when it came first. What came later, or long before, speaks against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.past import before
from kubesteward_tools.diagnosis.reading import kind_of, mapping, mappings, named
from kubesteward_tools.diagnosis.rollouts import RollOut, newest, restarted
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.testimony import Testimony
from kubesteward_tools.lookup.recalled import Moment
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key

_SOON = 1800.0
"""Seconds from a roll-out to what it breaks; afterwards it worked for too long."""

_LATELY = 3600.0
_SLACK = 60.0
"""Clocks of nodes differ, and a pod is created before anybody counts it."""

_IN_TEMPLATE = frozenset(
    {
        "CrashLoop", "OOMKilled", "ImagePull", "Pending", "PVC", "ConfigMissing", "ProbeFailure", "InitStuck", "RBAC",
        "CPUThrottling", "WrongCommand", "PodSecurity", "AppError", "Quota", "DNS", "ServiceRouting",
        "AdmissionWebhook",
    }
)  # fmt: skip
"""What a new pod template may bring."""
_MOST = 3
_LONGEST = 160


def testify(scene: Scene, one: Candidate) -> Testimony:
    workload = scene.owner(one.culprit)
    rolled = _rolled(scene, one, workload) if workload.resource in SERVERS and one.category in _IN_TEMPLATE else None
    told = rolled is not None and bool(rolled.story)
    written = _writes(scene, one, workload, but_roll_outs=told)
    return Testimony.joined([rolled or Testimony(), _restart(scene, one, workload), written])


def _rolled(scene: Scene, one: Candidate, workload: Key) -> Testimony | None:
    found = newest(scene, workload)
    if found is None or found.restarts_only or not _concerns(scene, workload, found):
        return None
    if found.at is None and not found.working:
        return None
    late, early = _distance(found, one.since)
    if late:
        return Testimony(against=(f"revision {found.to} came only after the first failure: it is not behind it",))
    if early and not found.working:
        days = f"{ago((one.since or 0.0) - (found.at or 0.0))} before"
        return Testimony(against=(f"the last roll-out (revision {found.to}) was {days}: it is not behind it",))
    return _came_with(one, workload, found)


def _concerns(scene: Scene, workload: Key, found: RollOut) -> bool:
    """Whether what fails is of the new revision, or nothing is known to be of the old one."""
    sick = [pod for owner, pods, _ in scene.sick_pods if owner == workload for pod in pods]
    owners = {
        str(item.get("name"))
        for pod in sick
        for item in mappings(mapping(pod.get("metadata")).get("ownerReferences"))
        if item.get("kind") == "ReplicaSet"
    }
    return not owners or found.set is None or found.set.name in owners


def _distance(found: RollOut, since: float | None) -> tuple[bool, bool]:
    """Whether it came after the first failure, and whether long before it."""
    if found.at is None or since is None:
        return False, False
    return found.at > since + _SLACK, since - found.at > _SOON


def _came_with(one: Candidate, workload: Key, found: RollOut) -> Testimony:
    when = f", {before(found.at, one.since)}" if found.at is not None and one.since is not None else ""
    story = f"It came with the roll-out of revision {found.to}{when} ({found.changed})"
    if found.working:
        story += f"; {found.working} ready pods are still of revision {found.back}"
    story = f"{story}: rolling back to revision {found.back} is an option."
    # That the old pods still work proves it; without them the fix of the mechanism itself is the surer one.
    if not found.working and one.proposal is not None:
        return Testimony(story=(story,))
    back = Proposal("rollback", kind_of(workload.resource), workload.name, workload.namespace, {"revision": found.back})
    return Testimony(story=(story,), fix=f"Or roll back to revision {found.back}.", proposal=back)


def _restart(scene: Scene, one: Candidate, workload: Key) -> Testimony:
    asked = restarted(scene, workload) if workload.resource in SERVERS else None
    if asked is None or one.since is None or not 0 <= one.since - asked + _SLACK <= _SOON:
        return Testimony()
    return Testimony(evidence=(f"{named(workload)} was restarted (rollout restart) {before(asked, one.since)}",))


def _writes(scene: Scene, one: Candidate, workload: Key, *, but_roll_outs: bool) -> Testimony:
    """What somebody wrote to it, to its configuration or to what it serves, and what that says.

    `but_roll_outs`: its own roll-out is told already.
    """
    if scene.past.begins is None or one.since is None:
        return Testimony()
    keys = {one.culprit, workload, *one.needs, *_near(scene, workload)}
    every = scene.past.written(keys, one.since - _LATELY, one.since + _SLACK)
    written = [item for item in every if not (but_roll_outs and (item.key, item.told.kind) == (workload, "rollout"))]
    lines = _told(written[:_MOST], one.since)
    if lines:
        return Testimony(story=tuple(f"{line}." for line in lines))
    if every:
        return Testimony()
    watched = one.since - scene.past.begins
    if watched < 300:
        return Testimony()
    return Testimony(
        against=(f"no change of it or of its configuration was seen in the {ago(min(watched, _LATELY))} before",)
    )


def _told(written: Sequence[Moment], since: float) -> list[str]:
    """One line for each object, author and distance in time, with all that was changed then."""
    found: dict[str, list[str]] = {}
    for item in written:
        by = f" by {item.author}" if item.author else ""
        head = f"{named(item.key)} was changed{by} {before(item.at, since)}"
        found.setdefault(head, []).append(f"{item.told.kind}: {_cut(item.told.text)}")
    return [f"{head} ({'; before: '.join(texts)})" for head, texts in found.items()]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _near(scene: Scene, workload: Key) -> Iterator[Key]:
    """The ConfigMaps, Secrets, accounts and Services of a workload."""
    for item in (workload, *scene.pod_keys(workload)[:1]):
        for edge in sorted(scene.graph.edges(item, {"mounts", "env_from", "runs_as", "selects", "scales"})):
            yield edge.other(item)
