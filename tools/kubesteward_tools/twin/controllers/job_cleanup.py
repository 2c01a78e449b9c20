"""Takes finished Jobs away when their `ttlSecondsAfterFinished` are over. API doc: batch/v1 JobSpec; KEP-592."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from kubesteward_tools.twin.controllers import job_status
from kubesteward_tools.twin.controllers.base import Base
from kubesteward_tools.twin.controllers.jobs import JOBS
from kubesteward_tools.twin.engine import Hears
from kubesteward_tools.world.store import Event, Key, Object

_WAITED_FOR = 60.0


class JobCleanup(Base):
    component = "ttl-after-finished-controller"
    hears = Hears(JOBS)

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource == JOBS and event.type != "DELETED" and _is_due_some_time(event.obj):
            yield event.key

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (job := self.store.get(key)) is None or not _is_due_some_time(job):
            return
        left = (job_status.finished_at(job) or 0.0) + job["spec"]["ttlSecondsAfterFinished"] - self.api.clock.now
        if left > 0:
            self.after(left, key, idle=left > _WAITED_FOR)
        else:
            options = {"propagationPolicy": "Foreground", "preconditions": {"uid": job["metadata"]["uid"]}}
            self.api.delete(*key, options=options)


def _is_due_some_time(job: Object) -> bool:
    unmarked = "deletionTimestamp" not in job["metadata"]
    return unmarked and job["spec"].get("ttlSecondsAfterFinished") is not None and job_status.is_finished(job)
