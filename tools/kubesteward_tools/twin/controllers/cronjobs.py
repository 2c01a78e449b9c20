"""The CronJob controller: a Job at each scheduled minute, as far as the concurrency policy lets it, and few old ones.

Sources: API doc of batch/v1 CronJob; kube-controller-manager's messages as recorded.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from kubesteward_tools.twin import cron
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.controllers import job_status
from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.controllers.jobs import JOBS
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.twin.zones import zone
from kubesteward_tools.world.store import Event, Key, Object

CRON_JOBS = "cronjobs.batch"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
WAITED_FOR = 120.0
"""The first run of a schedule that is new is waited for when it is that near (seconds); no other run is."""
_RETRY = 1.0
_MANY = 100
_TOO_MANY = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
_STILL_RUNNING = "Not starting job because prior execution is running and concurrency policy is Forbid"


class CronJobs(Base):
    """`endless` is False in a rehearsal: a schedule that is new runs once, and others go on as they would anyway."""

    component = "cronjob-controller"
    hears = Hears(CRON_JOBS, JOBS)

    def __init__(self, engine: Engine, *, endless: bool = True) -> None:
        super().__init__(engine)
        self._endless = endless
        self._new: set[str] = set()
        self._due: dict[Hashable, float] = {}

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == CRON_JOBS:
            if event.type == "DELETED":
                self._due.pop(event.key, None)
                return
            if event.old is None or event.old["spec"] != event.obj["spec"]:
                self._new.add(event.obj["metadata"]["uid"])
            yield event.key
        elif event.key.resource == JOBS and (name := self.owner(event.obj, "CronJob")):
            yield Key(CRON_JOBS, event.key.namespace, name)

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (cron_job := self.store.get(key)) is None:
            return
        status = dict(cron_job.get("status") or {})
        jobs = [job for _, job in self.owned(cron_job["metadata"]["uid"], JOBS)]
        status = self._note_ends(cron_job, status, jobs)
        self._clean_up(cron_job, jobs)
        halted = cron_job["spec"].get("suspend") or "deletionTimestamp" in cron_job["metadata"]
        run = self._endless or cron_job["metadata"]["uid"] in self._new
        if run and not halted and self._is_readable(cron_job):
            status = self._run(key, cron_job, status)
        self.api.update_status(*key, {name: value for name, value in status.items() if value})

    def _is_readable(self, cron_job: Object) -> bool:
        """Older servers let schedules in that none can read today."""
        spec = cron_job["spec"]
        try:
            cron.parse(spec["schedule"])
            zone(spec.get("timeZone"))
        except ValueError as error:
            self.event(
                cron_job, "Warning", "UnparseableSchedule", f"unparseable schedule: {spec['schedule']} : {error}"
            )
            return False
        return True

    def _note_ends(self, cron_job: Object, status: dict[str, Any], jobs: list[Object]) -> dict[str, Any]:
        """Take what is over, or gone, from the list of active Jobs."""
        by_uid = {job["metadata"]["uid"]: job for job in jobs}
        active = []
        for reference in status.get("active") or ():
            job = by_uid.get(reference["uid"])
            if job is None:
                self.event(cron_job, "Normal", "MissingJob", f"Active job went missing: {reference['name']}")
            elif job_status.is_finished(job):
                how = "Complete" if job_status.find(job["status"], "Complete") else "Failed"
                message = f"Saw completed job: {reference['name']}, condition: {how}"
                self.event(cron_job, "Normal", "SawCompletedJob", message)
            else:
                active.append(reference)
        ends = [job["status"]["completionTime"] for job in jobs if (job.get("status") or {}).get("completionTime")]
        last = max([*ends, status.get("lastSuccessfulTime", "")])
        return {**status, "active": active, "lastSuccessfulTime": last}

    def _clean_up(self, cron_job: Object, jobs: list[Object]) -> None:
        """Of the Jobs that are over, keep the youngest of each kind."""
        for kind, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
            keep = cron_job["spec"].get(limit)
            over = [job for job in jobs if job_status.find(job.get("status") or {}, kind)]
            over.sort(key=lambda job: (job["status"].get("startTime", ""), job["metadata"]["name"]))
            for job in over[: max(0, len(over) - keep)] if keep is not None else ():
                self._delete(cron_job, job["metadata"]["namespace"], job["metadata"]["name"])

    def _delete(self, cron_job: Object, namespace: str, name: str) -> None:
        if self.store.get(Key(JOBS, namespace, name)) is not None:
            self.api.delete(JOBS, namespace, name, options={"propagationPolicy": "Background"})
            self.event(cron_job, "Normal", "SuccessfulDelete", f"Deleted job {name}")

    def _run(self, key: Key, cron_job: Object, status: dict[str, Any]) -> dict[str, Any]:
        """Start the Job of the last scheduled time that has come, unless it has been started or may not be."""
        due = self._last_due(cron_job, status)
        if due is not None and self._may_start(cron_job, status, due):
            status = self._start(key, cron_job, status, due)
        self._wake(key, cron_job)
        return status

    def _wake(self, key: Key, cron_job: Object) -> None:
        is_first = cron_job["metadata"]["uid"] in self._new
        spec, now = cron_job["spec"], self.api.clock.now
        due = cron.parse(spec["schedule"]).next_after(now, zone(spec.get("timeZone")))
        if due is not None and self._due.get(key) != due:
            self._due[key] = due
            self.after(due - now, key, idle=not is_first or due - now > WAITED_FOR)

    def _last_due(self, cron_job: Object, status: dict[str, Any]) -> float | None:
        spec, now = cron_job["spec"], self.api.clock.now
        since = parse_timestamp(status.get("lastScheduleTime") or cron_job["metadata"]["creationTimestamp"])
        if (deadline := spec.get("startingDeadlineSeconds")) is not None:
            since = max(since, now - deadline)
        schedule, where = cron.parse(spec["schedule"]), zone(spec.get("timeZone"))
        found, missed = None, 0
        at = schedule.next_after(since, where)
        while at is not None and at <= now:
            found, missed = at, missed + 1
            if missed > _MANY:
                self.event(cron_job, "Warning", "TooManyMissedTimes", _TOO_MANY)
                at = max(at, now - _MANY * 60) if schedule.every is None else now
                missed = -_MANY
            at = schedule.next_after(at, where)
        return found

    def _may_start(self, cron_job: Object, status: dict[str, Any], due: float) -> bool:
        deadline = cron_job["spec"].get("startingDeadlineSeconds")
        if deadline is not None and due + deadline < self.api.clock.now:
            when = format_datetime(datetime.fromtimestamp(due, zone(cron_job["spec"].get("timeZone"))))
            self.event(cron_job, "Warning", "MissSchedule", f"Missed scheduled time to start a job: {when}")
            return False
        if status.get("lastScheduleTime") == timestamp(due):
            return False
        if cron_job["spec"].get("concurrencyPolicy") == "Forbid" and status["active"]:
            self.event(cron_job, "Normal", "JobAlreadyActive", _STILL_RUNNING)
            return False
        return True

    def _start(self, key: Key, cron_job: Object, status: dict[str, Any], due: float) -> dict[str, Any]:
        active = list(status["active"])
        if cron_job["spec"].get("concurrencyPolicy") == "Replace":
            for reference in active:
                self._delete(cron_job, key.namespace, reference["name"])
            active = []
        self._new.discard(cron_job["metadata"]["uid"])
        try:
            job = self.api.create(JOBS, key.namespace, job_for(cron_job, due), user=self.user)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                self.event(cron_job, "Warning", "FailedCreate", f"Error creating job: {error.message}")
                self.after(_RETRY, key, idle=True)
            return {**status, "active": active}
        metadata = job["metadata"]
        self.event(cron_job, "Normal", "SuccessfulCreate", f"Created job {metadata['name']}")
        names = {part: metadata[part] for part in ("namespace", "name", "uid", "resourceVersion")}
        active.append({"kind": "Job", "apiVersion": "batch/v1", **names})
        return {**status, "active": active, "lastScheduleTime": timestamp(due)}


def job_for(cron_job: Object, due: float) -> Object:
    """The Job of one scheduled time (epoch seconds), which its name tells in minutes."""
    template = cron_job["spec"]["jobTemplate"]
    metadata = template.get("metadata") or {}
    when = datetime.fromtimestamp(due, zone(cron_job["spec"].get("timeZone"))).isoformat()
    return {
        "metadata": {
            "name": f"{cron_job['metadata']['name']}-{int(due) // 60}",
            "labels": dict(metadata.get("labels") or {}),
            "annotations": {**(metadata.get("annotations") or {}), SCHEDULED: when.replace("+00:00", "Z")},
            "ownerReferences": [owner_reference(cron_job)],
        },
        "spec": template["spec"],
    }
