"""What holds of every Job, whatever its pods do."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.twin.controllers.clusters import FAILS, JOBS, cluster, create, job, run, the_job

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.controllers import job_indexes, job_status

some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    spec: dict[str, Any] = {"parallelism": draw(st.integers(0, 4)), "backoffLimit": draw(st.integers(0, 3))}
    if draw(st.booleans()):
        spec |= {"completionMode": "Indexed", "completions": draw(st.integers(0, 5))}
        if draw(st.booleans()):
            spec["backoffLimitPerIndex"] = draw(st.integers(0, 2))
    else:
        spec["completions"] = draw(st.integers(0, 5))
    if draw(st.booleans()):
        spec["podReplacementPolicy"] = "Failed"
    notes = draw(st.sampled_from([{"run-for": "1"}, {"run-for": "7"}, FAILS]))
    return job(restarts=draw(st.sampled_from(["Never", "OnFailure"])), notes=notes, **spec)


def made(where: SimulatedCluster) -> int:
    events = [item for item in where.store.objects("events", "default") if item["reason"] == "SuccessfulCreate"]
    return sum(item["count"] for item in events if item["involvedObject"]["kind"] == "Job")


def disturb(where: SimulatedCluster, choice: int) -> None:
    """Delete one of the pods there are."""
    found = where.store.objects("pods", "default")
    if found:
        where.api.delete("pods", "default", found[choice % len(found)]["metadata"]["name"])


@some
@given(jobs(), st.lists(st.integers(0, 9), max_size=4))
def test_no_more_is_counted_than_was_made_and_nothing_is_done_twice(body: dict[str, Any], deletes: list[int]) -> None:
    where = cluster()
    create(where, JOBS, body)
    wanted, finished = body["spec"]["completions"], False
    for choice in [*deletes, None, None]:
        run(where, 1.7)
        if choice is not None:
            disturb(where, choice)
        where.engine.settle(120)
        status = the_job(where)["status"]
        done = job_indexes.parse(status.get("completedIndexes", ""), 100)

        assert status.get("succeeded", 0) + status.get("failed", 0) <= made(where)
        assert status.get("succeeded", 0) <= wanted
        assert status.get("active", 0) <= body["spec"]["parallelism"]
        assert body["spec"].get("completionMode") != "Indexed" or len(done) == status.get("succeeded", 0)
        assert not finished or job_status.is_finished(the_job(where))
        finished = job_status.is_finished(the_job(where))


@some
@given(jobs())
def test_a_job_whose_pods_end_well_completes_exactly(body: dict[str, Any]) -> None:
    where = cluster()
    body["spec"]["template"]["metadata"]["annotations"].clear()
    body["spec"]["parallelism"] = max(1, body["spec"]["parallelism"])
    create(where, JOBS, body)
    where.engine.settle()

    assert body["spec"]["completions"] == the_job(where)["status"].get("succeeded", 0) == made(where)
    assert job_status.find(the_job(where)["status"], "Complete") is not None
