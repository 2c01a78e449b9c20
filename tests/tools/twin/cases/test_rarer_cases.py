"""Cases made by hand that no recording shows: many pods at once, harm by labels, and what waits for a neighbour."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.cases.test_play import WEB, drain, eviction, harms, names, objects, played, step, web
from tests.tools.twin.rehearsal.clusters import (
    BUDGETS,
    DEPLOYMENTS,
    PODS,
    QUOTAS,
    REPLICA_SETS,
    budget,
    deployment,
    rolling,
)

from kubesteward_tools.twin.cases.outcome import Outcome
from kubesteward_tools.twin.cases.snapshot import Snapshot
from kubesteward_tools.twin.cases.unsafe import why_unsafe

INGRESSES = "/apis/networking.k8s.io/v1/namespaces/default/ingresses"
TO_WEB = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}}
CRON_JOBS = "/apis/batch/v1/namespaces/default/cronjobs"
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
EVENTS = "/api/v1/namespaces/default/events"
ONE_CONTAINER = {"containers": [{"name": "app", "image": "a:1"}]}
A_JOB = {"spec": {"template": {"spec": {**ONE_CONTAINER, "restartPolicy": "Never"}}}}
NOBODY = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "nobody"}
NEAR_THE_DATABASE = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
        ]
    }
}
ALONE = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}


def with_tier(replicas: int) -> dict[str, Any]:
    """A Deployment whose pods have a label that is none of its selector's."""
    made = deployment(replicas=replicas)
    made["spec"]["template"]["metadata"]["labels"] = {"app": "web", "tier": "front"}
    return made


def of_tier(**spec: Any) -> tuple[str, dict[str, Any]]:
    return BUDGETS, {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"tier": "front"}}, **spec}}


def template(**spec: Any) -> dict[str, Any]:
    return step("patch", f"{DEPLOYMENTS}/web", {"spec": {"template": {"spec": spec}}})


def test_a_drain_of_many_pods_of_one_workload_is_followed_to_its_end() -> None:
    before = objects(*web(40), (BUDGETS, budget(1)))
    found = played(before, drain(names(before, "Node")[0]))["summary"]

    assert (found["drains"][0]["completed"], found["drains"][0]["evicted"]) == (True, 20)
    assert (found["unsafe"], found["pods"]["by_owner"]) == (False, {WEB: {"Ready": 40}})
    assert found["pdbs"]["default/PodDisruptionBudget/web"]["currentHealthy"] == 40


def test_pods_that_a_label_takes_from_a_budget_are_missed_by_it() -> None:
    before = objects((DEPLOYMENTS, with_tier(2)), of_tier(minAvailable=2))
    found = played(before, step("patch", f"{PODS}/{names(before)[0]}", {"metadata": {"labels": {"tier": "back"}}}))

    assert harms(found) == {"pdb_broken"}


def test_a_budget_moved_to_pods_that_do_not_exist_has_too_few() -> None:
    before = objects(*web(2), (BUDGETS, budget(1)))
    moved = {"spec": {"selector": {"matchLabels": {"app": "nobody"}}}}
    found = played(before, step("patch", f"{BUDGETS}/web", moved, content_type="application/merge-patch+json"))

    assert harms(found) == {"pdb_broken"}


def test_a_roll_out_on_top_of_a_stalled_one_is_stalled_again() -> None:
    before, after = (Snapshot([_stalled(tag)]) for tag in ("v998", "v999"))

    assert [text.partition(":")[0] for text in why_unsafe(Outcome(before, after))] == ["rollout_stalled"]
    assert why_unsafe(Outcome(before, before)) == []


def _stalled(tag: str) -> dict[str, Any]:
    """A Deployment whose roll-out to this image has made no progress for too long."""
    made = deployment(replicas=2)
    made["spec"]["template"]["spec"]["containers"][0]["image"] = f"registry.example.com/app:{tag}"
    conditions = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
    status = {"replicas": 3, "readyReplicas": 2, "availableReplicas": 2, "updatedReplicas": 1, "conditions": conditions}
    metadata = {"namespace": "default", **made["metadata"]}
    return {**made, "kind": "Deployment", "metadata": metadata, "status": status}


def test_a_pod_that_must_be_near_another_starts_once_that_one_is_there() -> None:
    database = deployment("db", 1)
    before = objects(*web(1))
    found = played(before, template(affinity=NEAR_THE_DATABASE), step("create", DEPLOYMENTS, database))["summary"]

    assert found["pods"]["by_owner"] == {WEB: {"Ready": 1}, "default/Deployment/db": {"Ready": 1}}
    assert found["unsafe"] is False


def test_a_pod_that_must_be_near_another_starts_once_one_is_labelled_so() -> None:
    other = deployment("other", 1)
    before = objects(*web(1), (DEPLOYMENTS, other))
    [pod] = [name for name in names(before) if name.startswith("other")]
    relabelled = step("patch", f"{PODS}/{pod}", {"metadata": {"labels": {"app": "db"}}})
    found = played(before, template(affinity=NEAR_THE_DATABASE), relabelled)["summary"]

    assert found["pods"]["by_owner"][WEB] == {"Ready": 1}


def test_the_place_of_a_pod_that_was_sent_away_goes_to_the_one_it_was_sent_away_for() -> None:
    before = objects(*web(2, strategy=rolling(1, 0)))
    urgent = template(affinity=ALONE, priorityClassName="system-node-critical")
    found = played(before, template(affinity=ALONE), urgent)["summary"]

    assert found["pods"]["by_owner"] == {WEB: {"Ready": 2}}
    assert found["workloads"][WEB]["current"] == 2
    assert "unknown" not in found


def test_an_unhealthy_pod_may_go_before_the_budget_has_been_read() -> None:
    sick = deployment(replicas=2)
    sick["spec"]["template"]["metadata"]["annotations"] = {"lab.fail/mode": "unready"}
    lenient = {**budget(1)["spec"], "unhealthyPodEvictionPolicy": "AlwaysAllow"}
    before = objects((DEPLOYMENTS, sick), (BUDGETS, {"metadata": {"name": "web"}, "spec": lenient}))
    stale = [
        {**obj, "status": {**obj["status"], "observedGeneration": 0}} if obj["kind"] == "PodDisruptionBudget" else obj
        for obj in before
    ]

    assert played(stale, eviction(names(before)[0]))["summary"]["evictions"][0]["code"] == 201


@pytest.mark.parametrize(
    "call",
    [
        step("patch", "/api/v1/nodes/node-1", {"metadata": {"annotations": {"example.com/rack": "7"}}}),
        step("create", INGRESSES, {"metadata": {"name": "a", "annotations": {"x": "y"}}, "spec": TO_WEB}),
        step("create", PODS, {"metadata": {"name": "p"}, "spec": {**ONE_CONTAINER, "schedulerName": "mine"}}),
        step("create", CRON_JOBS, {"metadata": {"name": "c"}, "spec": {"schedule": "0 3 * * *", "jobTemplate": A_JOB}}),
        step("create", AUTOSCALERS, {"metadata": {"name": "h"}, "spec": {"maxReplicas": 4, "scaleTargetRef": NOBODY}}),
        step("create", EVENTS, {"metadata": {"name": "e"}, "involvedObject": {"namespace": "default"}}),
    ],
    ids=["node", "ingress", "scheduler", "cron job", "autoscaler", "event"],
)
def test_what_only_others_than_the_control_plane_would_act_on_harms_nobody(call: dict[str, Any]) -> None:
    found = played(objects(*web(2)), call)["summary"]

    assert found["admission"][0]["verdict"] == "allowed"
    assert found["unsafe"] is False


def test_orders_to_a_recorded_node_that_nobody_knows_are_not_called_safe() -> None:
    call = step("patch", "/api/v1/nodes/node-1", {"metadata": {"annotations": {"lab.fail/other": "x"}}})

    assert played(objects(*web(2)), call)["summary"]["unsafe"] is None


def test_a_replica_set_whose_place_in_the_quota_was_only_just_freed_is_made_anew() -> None:
    full = {"metadata": {"name": "q"}, "spec": {"hard": {"count/replicasets.apps": "1"}}}
    before = objects(*web(2), (QUOTAS, full))
    [name] = names(before, "ReplicaSet")
    found = played(before, step("delete", f"{REPLICA_SETS}/{name}"))["summary"]

    assert found["pods"]["by_owner"] == {WEB: {"Ready": 2}}
    assert harms({"summary": found}) == {"endpoints_zero_during"}
