"""Jobs that fail, or do not come to their end."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.controllers import job_status
from kubesteward_tools.twin.findings.evidence import IF_NOT_READY, Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Object

_JOBS = "jobs.batch"


def failed(evidence: Evidence) -> Iterator[Concern]:
    """Even though its pods, once they run, end well."""
    for key, before, after in evidence.touched(evidence.best, _JOBS):
        if after is None or not (why := _failure(after)) or (before is not None and _failure(before)):
            continue
        yield Concern(
            rule="job.failed",
            severity="block",
            object=name(key),
            message=f"{name(key)} would fail: {why}",
            remedy="Give it more time or attempts, or mend what holds its pods up.",
        )


def would_fail(evidence: Evidence) -> Iterator[Concern]:
    """What its containers do is not known before they run; a Job that waits or runs on is told of elsewhere."""
    for key, before, after in evidence.touched(evidence.worst, _JOBS):
        best = evidence.best.store.get(key)
        if after is None or (best is not None and _failure(best)) or (before is not None and _failure(before)):
            continue
        if why := _failure(after):
            yield Concern(
                rule="job.would_fail",
                severity="warn",
                object=name(key),
                message=f"{name(key)} would fail{IF_NOT_READY} and end well: {why}",
                remedy="Watch its pods; a Job that has failed is made anew, not mended.",
            )


def _failure(job: Object) -> str:
    item = job_status.find(job.get("status") or {}, "Failed")
    return f"{item.get('reason', '')}: {item.get('message', '')}" if item else ""
