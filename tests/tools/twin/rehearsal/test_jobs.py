"""Rehearsals of changes to Jobs and CronJobs."""

from __future__ import annotations

from tests.tools.twin.controllers.clusters import CRON_JOBS, JOBS, job
from tests.tools.twin.rehearsal.clusters import QUOTAS, blocking, call, cluster_with, quota, rehearsed, warning


def cron_job(schedule: str, **spec: object) -> dict[str, object]:
    return {
        "metadata": {"name": "tick"},
        "spec": {"schedule": schedule, "jobTemplate": {"spec": job()["spec"]}, **spec},
    }


def test_a_job_is_followed_to_its_end_in_both_cases() -> None:
    found = rehearsed(cluster_with(), call("create", JOBS, job(completions=3)))

    assert set() == blocking(found)
    assert {"job.would_fail"} == warning(found)
    assert found.effects.pods_started == 3
    assert found.assumptions == ()


def test_a_job_whose_pods_are_refused_is_blocked() -> None:
    found = rehearsed(cluster_with((QUOTAS, quota(0))), call("create", JOBS, job()))

    assert {"quota.exceeded"} == blocking(found)


def test_a_job_that_may_not_run_long_enough_to_end_is_blocked() -> None:
    found = rehearsed(cluster_with(), call("create", JOBS, job(activeDeadlineSeconds=2)))

    assert {"job.failed"} == blocking(found)


def test_the_next_run_of_a_schedule_is_rehearsed_once_where_it_is_near() -> None:
    found = rehearsed(cluster_with(), call("create", CRON_JOBS, cron_job("* * * * *")))

    assert [name for name in found.effects.created if "cronjob" in name] == ["cronjob default/tick"]
    assert len([name for name in found.effects.created if name.startswith("job ")]) == 1
    assert found.assumptions == ()


def test_a_run_that_is_far_away_is_named_as_unknown() -> None:
    cluster = cluster_with()
    later = rehearsed(cluster, call("create", CRON_JOBS, cron_job("0 0 1 1 *")))
    never = rehearsed(cluster, call("create", CRON_JOBS, cron_job("0 0 1 1 *", suspend=True)))

    assert later.assumptions == ("cronjob default/tick: its next run comes later than what is rehearsed",)
    assert later.verdict == "unknown"
    assert never.verdict == "safe"
