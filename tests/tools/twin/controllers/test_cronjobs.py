from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.controllers.clusters import CRON_JOBS, FAILS, NOW, cluster, create, job, messages, patch, run

from kubesteward_tools.twin import cron
from kubesteward_tools.twin.clock import parse_timestamp, timestamp
from kubesteward_tools.twin.zones import zone
from kubesteward_tools.world.store import Object

MINUTE = int(NOW) // 60


def cron_job(schedule: str = "* * * * *", notes: dict[str, str] | None = None, **spec: Any) -> Object:
    template = {"spec": job(notes=notes)["spec"]}
    return {"metadata": {"name": "tick"}, "spec": {"schedule": schedule, "jobTemplate": template, **spec}}


def names(where: Any) -> list[str]:
    return [item["metadata"]["name"] for item in where.store.objects("jobs.batch", "default")]


def the_status(where: Any) -> Object:
    return where.api.get("cronjobs.batch", "default", "tick")["status"]


def test_a_job_starts_at_the_minute_that_its_name_tells() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job())
    run(where, 61)

    assert [f"tick-{MINUTE + 1}"] == names(where)
    assert timestamp((MINUTE + 1) * 60) == the_status(where)["lastScheduleTime"]
    assert [f"Created job tick-{MINUTE + 1}"] == messages(where, "SuccessfulCreate")[:1]


def test_a_job_that_has_ended_is_no_longer_active() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job("0 * * * *"))
    run(where, 3602)
    during = [item["name"] for item in the_status(where).get("active", ())]
    run(where, 30)

    assert [item["name"] for item in the_status(where).get("active", ())] == []
    assert [f"tick-{MINUTE + 60}"] == names(where)
    assert during in ([], [f"tick-{MINUTE + 60}"])
    assert "lastSuccessfulTime" in the_status(where)
    assert [f"Saw completed job: tick-{MINUTE + 60}, condition: Complete"] == messages(where, "SawCompletedJob")


def test_a_suspended_one_starts_nothing() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job(suspend=True))
    run(where, 300)

    assert names(where) == []
    assert the_status(where) == {}


@pytest.mark.parametrize(("policy", "expected"), [("Allow", [1, 2, 3]), ("Forbid", [1]), ("Replace", [3])])
def test_the_concurrency_policy_says_what_happens_to_one_that_still_runs(policy: str, expected: list[int]) -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job(notes={"run-for": "1000"}, concurrencyPolicy=policy))
    run(where, 215)

    assert [f"tick-{MINUTE + number}" for number in expected] == names(where)


def test_few_jobs_that_are_over_are_kept() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job(successfulJobsHistoryLimit=2))
    run(where, 330)

    assert [f"tick-{MINUTE + number}" for number in (4, 5)] == names(where)


def test_of_failed_jobs_one_is_kept() -> None:
    where = cluster()
    body = cron_job(notes=FAILS)
    body["spec"]["jobTemplate"]["spec"]["backoffLimit"] = 0
    create(where, CRON_JOBS, body)
    run(where, 270)

    assert [f"tick-{MINUTE + 4}"] == names(where)


def test_one_start_is_made_up_for_after_a_long_pause() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job(suspend=True))
    run(where, 600)
    patch(where, f"{CRON_JOBS}/tick", {"spec": {"suspend": False}})
    run(where, 1)

    assert [f"tick-{MINUTE + 10}"] == names(where)


def test_what_is_later_than_the_deadline_is_not_made_up_for() -> None:
    where = cluster()
    create(where, CRON_JOBS, cron_job("0 * * * *", suspend=True, startingDeadlineSeconds=30))
    run(where, 3700)
    patch(where, f"{CRON_JOBS}/tick", {"spec": {"suspend": False}})
    run(where, 1)

    assert names(where) == []


@pytest.mark.parametrize(
    ("schedule", "where", "after", "expected"),
    [
        ("* * * * *", "UTC", "2026-11-21T10:00:00Z", "2026-11-21T10:01:00Z"),
        ("*/15 * * * *", "UTC", "2026-11-21T10:46:10Z", "2026-11-21T11:00:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-11-21T10:00:00Z", "2026-11-22T01:30:00Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"),
        ("30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"),
        ("0 9 * * mon-fri", "UTC", "2026-11-21T10:00:00Z", "2026-11-23T09:00:00Z"),
        ("0 0 13 * 5", "UTC", "2026-11-21T10:00:00Z", "2026-11-27T00:00:00Z"),
        ("0 0 */2 * 1", "UTC", "2026-11-21T10:00:00Z", "2026-11-23T00:00:00Z"),
        ("0 0 29 2 *", "UTC", "2026-11-21T10:00:00Z", "2028-02-29T00:00:00Z"),
        ("@monthly", "UTC", "2026-11-21T10:00:00Z", "2026-12-01T00:00:00Z"),
        ("@every 1h30m", "UTC", "2026-11-21T10:00:00Z", "2026-11-21T11:30:00Z"),
        ("5/20 4,5 * jan,dec ?", "UTC", "2026-11-21T10:00:00Z", "2026-12-01T04:05:00Z"),
    ],
)
def test_a_schedule_says_when_it_matches_next(schedule: str, where: str, after: str, expected: str) -> None:
    found = cron.parse(schedule).next_after(parse_timestamp(after), zone(where))

    assert found is not None
    assert expected == timestamp(found)


def test_a_day_that_never_comes_is_not_waited_for() -> None:
    assert cron.parse("0 0 31 2 *").next_after(NOW, zone(None)) is None


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("@often", "unrecognized descriptor: @often"),
        ("* * * * 7", "end of range (7) above maximum (6): 7"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused(schedule: str, why: str) -> None:
    answer = create(cluster(), CRON_JOBS, cron_job(schedule), code=422)

    assert f'spec.schedule: Invalid value: "{schedule}": {why}' in answer["message"]


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd"])
def test_a_time_zone_that_nobody_knows_is_refused(name: str) -> None:
    answer = create(cluster(), CRON_JOBS, cron_job(timeZone=name), code=422)

    assert f"unknown time zone {name}" in answer["message"]
