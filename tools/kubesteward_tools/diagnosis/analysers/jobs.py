"""Jobs that fail or never end, and CronJobs that do not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import ending, needs
from kubesteward_tools.diagnosis.reading import condition, ended, mapping, mappings, message_of, named, seconds, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.twin.cron import parse as schedule_of
from kubesteward_tools.world.store import Key, Object

_WHY = {
    "BackoffLimitExceeded": "its pods failed more often than backoffLimit allows",
    "DeadlineExceeded": "it was not done within activeDeadlineSeconds (deadline exceeded)",
    "PodFailurePolicy": "a rule of its podFailurePolicy ended it",
    "FailedIndexes": "some of its indexes failed",
    "MaxFailedIndexesExceeded": "more of its indexes failed than maxFailedIndexes allows",
}


def analyse(scene: Scene) -> Iterator[Candidate]:
    for key, job in scene.all("jobs.batch"):
        if (found := _job(scene, key, job)) is not None:
            yield found
    for key, cron in scene.all("cronjobs.batch"):
        yield from _cron(scene, key, cron)


def _job(scene: Scene, key: Key, job: Object) -> Candidate | None:
    failed = condition(job, "Failed") or condition(job, "FailureTarget")
    spec, status = mapping(job.get("spec")), mapping(job.get("status"))
    if failed.get("status") == "True":
        return _failed(scene, key, spec, failed)
    if spec.get("suspend") is True:
        sentence = f"{named(key)} is suspended (spec.suspend: true), so it starts no pods."
        return Candidate("JobFailure", key, sentence, 0.5, (), fix="Set spec.suspend to false.", proposal=_patch(key))
    if status.get("failed") and not condition(job, "Complete"):
        return _failed(scene, key, spec, {"reason": "", "message": f"{status['failed']} pods have failed so far"})
    ill = [
        item
        for item in scene.ailing
        if scene.owner(item.workload) == scene.owner(key) and ended(item.status).get("exitCode")
    ]
    if ill and not condition(job, "Complete"):
        return _failed(scene, key, spec, {"reason": "", "message": "its pod fails and is restarted"})
    return None


def _failed(scene: Scene, key: Key, spec: Object, failed: Object) -> Candidate:
    reason, message = text(failed.get("reason")), message_of(failed)
    top = scene.owner(key)
    why, fix = "", "Look at the log of its pods."
    evidence: tuple[str, ...] = (message,)
    wants: tuple[Key, ...] = ()
    mine = [one for one in scene.ailing if one.workload in {key, top} and _is_of(scene, one.pod_key, key)]
    end = next((ended(one.status).get("reason") for one in mine if ended(one.status)), "")
    sure = 0.93
    if mine:
        item = max(mine, key=lambda one: len(scene.log(one.pod_key, one.name)))
        found = ending(scene, item)
        why, fix, evidence, wants = f": {found.why}", found.fix, (*found.evidence, message), needs(scene, item)
        line = found.sign.line if found.sign else ""
        why += f" ({line})" if line else ""
        sure -= 0.25 if found.sign is not None and found.sign.kind in {"forbidden", "dns"} else 0.0
    limit = (
        f", backoffLimit {spec['backoffLimit']}" if "backoffLimit" in spec and reason == "BackoffLimitExceeded" else ""
    )
    deadline = spec.get("activeDeadlineSeconds")
    limit += f", activeDeadlineSeconds {deadline}" if deadline and reason == "DeadlineExceeded" else ""
    told = _WHY.get(reason, message or "its pods fail")
    sentence = f"{named(key)} has failed to complete ({reason or 'pods fail'}{limit}): {told}{why}."
    if end == "OOMKilled":
        sure -= 0.2
    culprit = key if key in scene.question.named or top == key else top
    since = seconds(failed.get("lastTransitionTime"))
    return Candidate("JobFailure", culprit, sentence, sure, evidence, fix=fix, since=since, suffers=(key,), needs=wants)


def _is_of(scene: Scene, pod: Key, job: Key) -> bool:
    owners = mappings(mapping(scene.get(pod).get("metadata")).get("ownerReferences"))
    return any(owner.get("kind") == "Job" and owner.get("name") == job.name for owner in owners)


_UNSTARTED = frozenset(
    {
        "TooManyMissedTimes",
        "UnparseableSchedule",
        "InvalidSchedule",
        "UnknownTimeZone",
        "FailedNeedsStart",
        "FailedCreate",
    }
)
_MEANT = 0.3
"""Somebody has suspended it: a fault only when it is missed."""
_ZONE = re.compile(r"(?:CRON_)?TZ=\S+ +")


def _cron(scene: Scene, key: Key, cron: Object) -> Iterator[Candidate]:
    spec, status = mapping(cron.get("spec")), mapping(cron.get("status"))
    for item in scene.warned(key, *_UNSTARTED):
        if item.reason != "FailedCreate" or "forbidden" not in item.message:
            why = f"does not start its Jobs: {item.reason}: {item.message}"
            fix = f"Correct schedule {spec.get('schedule')!r}, timeZone or startingDeadlineSeconds."
            yield Candidate("JobFailure", key, f"{named(key)} {why}.", 0.85, (item.message,), fix=fix, since=item.first)
            return
    asked = key in scene.question.named | scene.question.hinted or scene.question.speaks_of("JobFailure")
    for why, fix, sure in _idle(scene, spec, status, asked=asked):
        proposal = _patch(key) if spec.get("suspend") is True else None
        yield Candidate("JobFailure", key, f"{named(key)} {why}.", sure, (), fix=fix, proposal=proposal)
        return


def _idle(scene: Scene, spec: Object, status: Object, *, asked: bool) -> Iterator[tuple[str, str, float]]:
    """Why a CronJob starts nothing though nothing complains: in words, the fix, and how sure it is a fault."""
    schedule, deadline = spec.get("schedule"), spec.get("startingDeadlineSeconds")
    if spec.get("suspend") is True:
        why = f"is suspended (spec.suspend: true), so its schedule {schedule!r} starts no Job"
        yield why, "Set spec.suspend to false.", 0.5 if asked else _MEANT
    if wrong := _invalid(text(schedule), scene.now):
        why = f"has the schedule {schedule!r}, which is no valid cron schedule ({wrong}), so no Job starts"
        yield why, "Write five fields: minute hour day month weekday.", 0.8
    active = mappings(status.get("active"))
    if active and spec.get("concurrencyPolicy") == "Forbid" and _stuck(scene, status):
        name = text(active[0].get("name"))
        why = f"starts no new Job: concurrencyPolicy is Forbid and the Job {name!r} is still active (does not end)"
        yield why, "End that Job, or set activeDeadlineSeconds.", 0.55
    if isinstance(deadline, int) and deadline < 10:
        why = (
            f"has startingDeadlineSeconds {deadline}; below 10 its Jobs may never start (they are looked at every 10 s)"
        )
        yield why, "Set startingDeadlineSeconds to 200 or so.", 0.55


def _invalid(schedule: str, now: float) -> str:
    """Why a schedule cannot be read or never comes, "" when all is well with it."""
    try:
        found = schedule_of(_ZONE.sub("", schedule, count=1))
    except ValueError as error:
        return str(error)
    return "" if found.next_after(now, UTC) is not None else "no day is such a day"


def _stuck(scene: Scene, status: Object) -> bool:
    last = seconds(status.get("lastScheduleTime"))
    return last is not None and scene.now - last > 3600


def _patch(key: Key) -> Proposal:
    kind = "Job" if key.resource == "jobs.batch" else "CronJob"
    return Proposal("patch", kind, key.name, key.namespace, {"patch": {"spec": {"suspend": False}}})
