from __future__ import annotations

from itertools import pairwise

import pytest
from tests.tools.twin.controllers.clusters import (
    FAILS,
    JOBS,
    RUNS_ON,
    cluster,
    conditions,
    counts,
    create,
    exists,
    job,
    messages,
    patch,
    pods,
    run,
    settled,
    the_job,
)

from kubesteward_tools.twin.controllers import job_indexes
from kubesteward_tools.twin.controllers.job_pods import TRACKING
from kubesteward_tools.twin.route import Request

COMPLETE = {"SuccessCriteriaMet": "True/CompletionsReached", "Complete": "True/CompletionsReached"}


def failed(reason: str) -> dict[str, str]:
    return {"FailureTarget": f"True/{reason}", "Failed": f"True/{reason}"}


def test_a_job_completes_when_its_pods_have_ended_well() -> None:
    where = cluster()
    found = settled(where, job(completions=5, parallelism=2))

    assert counts(found) == (0, 5, 0)
    assert conditions(found) == COMPLETE
    assert messages(where, "Completed") == ["Job completed"]
    assert len(pods(where)) == 5


def test_no_more_pods_run_at_a_time_than_the_parallelism_allows() -> None:
    where = cluster()
    create(where, JOBS, job(completions=5, parallelism=2))
    seen = set()
    for _ in range(20):
        run(where, 0.5)
        seen.add(the_job(where)["status"].get("active", 0))

    assert max(seen) == 2


def test_no_more_pods_run_than_are_left_to_complete() -> None:
    where = cluster()
    settled(where, job(completions=2, parallelism=5))

    assert len(pods(where)) == 2


def test_a_job_knows_its_pods_by_its_uid() -> None:
    where = cluster()
    found = create(where, JOBS, job())
    uid = found["metadata"]["uid"]
    labels = {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "work",
        "controller-uid": uid,
        "job-name": "work",
    }

    assert {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}} == found["spec"]["selector"]
    assert labels == found["spec"]["template"]["metadata"]["labels"] == found["metadata"]["labels"]


def test_a_pod_is_held_by_a_finalizer_until_it_is_counted() -> None:
    where = cluster()
    create(where, JOBS, job())
    run(where, 0.9)
    before = [pod["metadata"].get("finalizers") for pod in pods(where)]
    where.engine.settle()
    after = [pod["metadata"].get("finalizers") for pod in pods(where)]

    assert before == [[TRACKING]]
    assert after == [None]


def test_attempts_wait_ten_seconds_and_then_twice_as_long_each_time() -> None:
    where = cluster()
    create(where, JOBS, job(notes=FAILS, backoffLimit=3))
    made = []
    for second in range(90):
        run(where, 1)
        if len(pods(where)) > len(made):
            made.append(second)

    gaps = [later - earlier for earlier, later in pairwise(made)]

    assert gaps == pytest.approx([11, 21, 41], abs=1)


def test_a_job_fails_when_its_pods_failed_more_often_than_the_limit_allows() -> None:
    where = cluster()
    found = settled(where, job(notes=FAILS, backoffLimit=1))

    assert counts(found) == (0, 0, 2)
    assert failed("BackoffLimitExceeded") == conditions(found)
    assert messages(where, "BackoffLimitExceeded") == ["Job has reached the specified backoff limit"]


def test_the_default_limit_is_waited_for() -> None:
    where = cluster()

    assert counts(settled(where, job(notes=FAILS))) == (0, 0, 7)


def test_restarts_in_place_count_against_the_limit_too() -> None:
    where = cluster()
    found = settled(where, job(restarts="OnFailure", notes=FAILS, backoffLimit=2))

    assert counts(found) == (0, 0, 1)
    assert failed("BackoffLimitExceeded") == conditions(found)
    assert pods(where) == []


def test_an_indexed_job_completes_each_index_once() -> None:
    where = cluster()
    found = settled(where, job(completions=4, parallelism=3, completionMode="Indexed"))
    pod = pods(where)[0]
    index = pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]

    assert counts(found) == (0, 4, 0)
    assert found["status"]["completedIndexes"] == "0-3"
    assert index == pod["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"]
    assert pod["metadata"]["name"].startswith(f"work-{index}-")
    assert f"work-{index}" == pod["spec"]["hostname"]
    assert pod["spec"]["containers"][0]["env"][0]["name"] == "JOB_COMPLETION_INDEX"


def test_each_index_has_its_own_limit_if_it_is_told_so() -> None:
    where = cluster()
    body = job(notes=FAILS, completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=1)
    found = settled(where, body)
    counted = sorted(
        pod["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] for pod in pods(where)
    )

    assert counts(found) == (0, 0, 4)
    assert failed("FailedIndexes") == conditions(found)
    assert found["status"]["failedIndexes"] == "0,1"
    assert counted == ["0", "0", "1", "1"]


def test_too_many_failed_indexes_end_the_whole_job() -> None:
    where = cluster()
    indexed = {"completions": 3, "parallelism": 1, "completionMode": "Indexed"}
    found = settled(where, job(notes=FAILS, backoffLimitPerIndex=0, maxFailedIndexes=1, **indexed))

    assert failed("MaxFailedIndexesExceeded") == conditions(found)
    assert found["status"]["failedIndexes"] == "0,1"


def rules(action: str, **what: object) -> dict[str, object]:
    return {"rules": [{"action": action, **what}]}


def on_exit(*codes: int) -> dict[str, object]:
    return {"operator": "In", "values": list(codes)}


def test_an_exit_code_can_fail_the_job_at_once() -> None:
    where = cluster()
    policy = rules("FailJob", onExitCodes=on_exit(42))
    found = settled(where, job(notes={**FAILS, "exit-code": "42"}, podFailurePolicy=policy))
    name = pods(where)[0]["metadata"]["name"]

    assert counts(found) == (0, 0, 1)
    assert failed("PodFailurePolicy") == conditions(found)
    assert [
        f"Container app for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    ] == messages(where, "PodFailurePolicy")


def test_a_failure_that_fits_no_rule_counts_as_usual() -> None:
    where = cluster()
    policy = rules("FailJob", onExitCodes=on_exit(42))

    found = settled(where, job(notes=FAILS, backoffLimit=0, podFailurePolicy=policy))

    assert failed("BackoffLimitExceeded") == conditions(found)


def test_an_ignored_failure_does_not_count() -> None:
    where = cluster()
    create(where, JOBS, job(notes=FAILS, backoffLimit=0, podFailurePolicy=rules("Ignore", onExitCodes=on_exit(1))))
    run(where, 60)

    assert conditions(the_job(where)) == {}
    assert counts(the_job(where))[2] == 0
    assert len(pods(where)) > 1


def test_an_index_can_be_given_up_at_its_first_failure() -> None:
    where = cluster()
    policy = rules("FailIndex", onExitCodes=on_exit(1))
    indexed = {"completions": 1, "completionMode": "Indexed", "backoffLimitPerIndex": 5}
    found = settled(where, job(notes=FAILS, podFailurePolicy=policy, **indexed))

    assert failed("FailedIndexes") == conditions(found)
    assert len(pods(where)) == 1


def test_a_job_can_be_done_before_all_its_indexes_are() -> None:
    where = cluster()
    policy = {"rules": [{"succeededIndexes": "0", "succeededCount": 1}]}
    indexed = {"completions": 3, "parallelism": 1, "completionMode": "Indexed"}
    found = settled(where, job(successPolicy=policy, **indexed))

    assert conditions(found) == {"SuccessCriteriaMet": "True/SuccessPolicy", "Complete": "True/SuccessPolicy"}
    assert found["status"]["completedIndexes"] == "0"


def test_a_job_that_runs_longer_than_it_may_fails_and_stops() -> None:
    where = cluster()
    found = settled(where, job(notes=RUNS_ON, activeDeadlineSeconds=3, completions=2, parallelism=2))

    assert counts(found) == (0, 0, 2)
    assert failed("DeadlineExceeded") == conditions(found)
    assert pods(where) == []


def test_a_suspended_job_stops_its_pods_and_counts_none_of_them() -> None:
    where = cluster()
    create(where, JOBS, job(notes=RUNS_ON, completions=2, parallelism=2))
    run(where, 2)
    patch(where, f"{JOBS}/work", {"spec": {"suspend": True}})
    run(where, 5)
    found = the_job(where)

    assert counts(found) == (0, 0, 0)
    assert conditions(found) == {"Suspended": "True/JobSuspended"}
    assert "startTime" not in found["status"]
    assert messages(where, "Suspended") == ["Job suspended"]


def test_a_resumed_job_starts_anew() -> None:
    where = cluster()
    settled(where, job(suspend=True))
    run(where, 100)
    patch(where, f"{JOBS}/work", {"spec": {"suspend": False}})
    resumed = where.clock.timestamp
    where.engine.settle()
    found = the_job(where)

    assert conditions(found) == {"Suspended": "False/JobResumed", **COMPLETE}
    assert resumed == found["status"]["startTime"]


def test_fewer_pods_run_when_the_parallelism_is_lowered() -> None:
    where = cluster()
    create(where, JOBS, job(notes=RUNS_ON, completions=8, parallelism=4))
    run(where, 2)
    patch(where, f"{JOBS}/work", {"spec": {"parallelism": 1}})
    run(where, 5)

    assert counts(the_job(where)) == (1, 0, 0)


def test_a_work_queue_is_done_when_one_pod_ended_well_and_none_runs() -> None:
    where = cluster()
    found = settled(where, job(parallelism=3))

    assert "completions" not in found["spec"]
    assert counts(found) == (0, 3, 0)


def test_a_deleted_pod_counts_as_failed_and_is_replaced() -> None:
    where = cluster()
    create(where, JOBS, job(notes={"run-for": "20"}))
    run(where, 2)
    where.api.delete("pods", "default", pods(where)[0]["metadata"]["name"])
    where.engine.settle()

    assert counts(the_job(where)) == (0, 1, 1)


def test_a_pod_can_be_replaced_only_once_it_has_really_ended() -> None:
    where = cluster()
    create(where, JOBS, job(notes={"run-for": "20"}, podReplacementPolicy="Failed"))
    run(where, 2)
    where.api.delete("pods", "default", pods(where)[0]["metadata"]["name"])
    run(where, 0.1)
    while_it_stops = the_job(where)["status"]
    where.engine.settle()

    assert (while_it_stops["terminating"], while_it_stops.get("failed", 0)) == (1, 0)
    assert counts(the_job(where)) == (0, 1, 1)


def test_a_finished_job_goes_when_its_time_is_over() -> None:
    where = cluster()
    create(where, JOBS, job(ttlSecondsAfterFinished=5))
    where.engine.settle()

    assert not exists(where, "jobs.batch", "work")
    assert pods(where) == []


def test_a_deleted_jobs_pods_go_with_it_or_are_let_go() -> None:
    where = cluster()
    for name, policy in (("gone", "Background"), ("orphans", "Orphan")):
        create(where, JOBS, job(name, notes=RUNS_ON))
        run(where, 2)
        where.handle(Request("delete", f"{JOBS}/{name}", {"propagationPolicy": policy}, "", None))
        run(where, 40)
    left = pods(where)

    assert [pod["metadata"].get("finalizers") for pod in left] == [None]
    assert [pod["metadata"]["name"].startswith("orphans-") for pod in left] == [True]


def test_a_refused_pod_is_reported_and_tried_again() -> None:
    where = cluster()
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    create(where, "/api/v1/namespaces/default/resourcequotas", quota)
    where.engine.settle()
    found = settled(where, job())

    assert counts(found) == (0, 0, 0)
    assert "exceeded quota: none" in messages(where, "FailedCreate")[0]


def test_completions_change_only_with_the_parallelism_of_an_indexed_job() -> None:
    where = cluster()
    create(where, JOBS, job("plain", notes=RUNS_ON, completions=2, parallelism=2))
    create(where, JOBS, job("indexed", notes=RUNS_ON, completions=2, parallelism=2, completionMode="Indexed"))
    run(where, 2)
    both = {"spec": {"completions": 3, "parallelism": 3}}
    patch(where, f"{JOBS}/plain", both, code=422)
    patch(where, f"{JOBS}/indexed", {"spec": {"completions": 5}}, code=422)
    patch(where, f"{JOBS}/indexed", both)
    run(where, 2)

    assert counts(the_job(where, "indexed")) == (3, 0, 0)


@pytest.mark.parametrize(
    ("indexes", "text"),
    [(set(), ""), ({0}, "0"), ({0, 1}, "0,1"), ({0, 1, 2}, "0-2"), ({1, 3, 4, 5, 7}, "1,3-5,7")],
)
def test_indexes_are_written_as_ranges_of_three_and_more(indexes: set[int], text: str) -> None:
    assert text == job_indexes.render(indexes)
    assert indexes == job_indexes.parse(text, 10)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"restarts": "Always"}, 'Required value: valid values: "OnFailure", "Never"'),
        (
            {"completionMode": "Indexed", "parallelism": 2},
            "spec.completions: Required value: when completion mode is Indexed",
        ),
        ({"parallelism": -1}, "spec.parallelism: Invalid value: -1: must be greater than or equal to 0"),
        ({"maxFailedIndexes": 1}, "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified"),
    ],
)
def test_what_makes_no_sense_is_refused(spec: dict[str, object], message: str) -> None:
    answer = create(cluster(), JOBS, job(**spec), code=422)  # type: ignore[arg-type]

    assert message in answer["message"]
