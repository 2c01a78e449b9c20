"""DaemonSets: one pod on every node that fits, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.controllers.workloads import Lab, daemon_set, template

from kubesteward_tools.twin import bootstrap
from kubesteward_tools.world.store import Key, Object

AGENT = "daemonsets/agent"


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def agent(lab: Lab) -> Lab:
    lab.create(daemon_set())
    return lab


def nodes(lab: Lab) -> list[str]:
    """Where its ready pods are."""
    return sorted(lab.pods()[name]["spec"]["nodeName"] for name in lab.ready())


def node(lab: Lab, name: str, *, settle: bool = True, **spec: Any) -> None:
    lab.call("patch", f"/api/v1/nodes/{name}", {"spec": spec}, settle=settle)


def label(lab: Lab, name: str, **labels: Any) -> None:
    lab.call("patch", f"/api/v1/nodes/{name}", {"metadata": {"labels": labels}})


def surging(surge: Any) -> dict[str, Any]:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0}}}


def test_every_node_gets_a_pod_and_the_status_says_so(agent: Lab) -> None:
    assert nodes(agent) == ["node-1", "node-2", "node-3"]
    assert agent.status(AGENT) == {
        "currentNumberScheduled": 3,
        "numberMisscheduled": 0,
        "desiredNumberScheduled": 3,
        "numberReady": 3,
        "observedGeneration": 1,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }


def test_its_pods_are_for_one_node_and_stay_there_whatever_comes(agent: Lab) -> None:
    pod = next(iter(agent.pods().values()))
    [term] = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    tolerated = {(item["key"].partition("/")[2], item["effect"]) for item in pod["spec"]["tolerations"]}

    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [pod["spec"]["nodeName"]]}]}
    assert tolerated == {
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    }
    assert pod["metadata"]["labels"]["pod-template-generation"] == "1"


def test_daemons_on_the_nodes_own_network_do_not_wait_for_it(lab: Lab) -> None:
    lab.create(daemon_set(template=template("agent", hostNetwork=True)))

    tolerated = [item["key"] for item in next(iter(lab.pods().values()))["spec"]["tolerations"]]
    assert "node.kubernetes.io/network-unavailable" in tolerated


def test_a_selector_and_taints_choose_the_nodes(lab: Lab) -> None:
    label(lab, "node-1", disk="ssd")
    label(lab, "node-2", disk="ssd")
    node(lab, "node-2", taints=[{"key": "mine", "effect": "NoSchedule"}])
    lab.create(daemon_set(template=template("agent", nodeSelector={"disk": "ssd"})))

    assert nodes(lab) == ["node-1"]


def test_pods_come_and_go_with_labels(lab: Lab) -> None:
    lab.create(daemon_set(template=template("agent", nodeSelector={"disk": "ssd"})))
    assert nodes(lab) == []

    label(lab, "node-2", disk="ssd")
    assert nodes(lab) == ["node-2"]

    label(lab, "node-2", disk=None)
    assert (nodes(lab), lab.status(AGENT)["desiredNumberScheduled"]) == ([], 0)


def test_a_cordoned_node_keeps_and_regains_its_pod(agent: Lab) -> None:
    node(agent, "node-1", unschedulable=True)
    [name] = [name for name, pod in agent.pods().items() if pod["spec"]["nodeName"] == "node-1"]
    agent.delete_pod(name)

    assert nodes(agent) == ["node-1", "node-2", "node-3"]
    assert name not in agent.pods()


def test_a_noschedule_taint_lets_a_running_pod_stay_and_a_noexecute_taint_does_not(agent: Lab) -> None:
    node(agent, "node-1", taints=[{"key": "mine", "effect": "NoSchedule"}])
    assert nodes(agent) == ["node-1", "node-2", "node-3"]

    node(agent, "node-1", taints=[{"key": "mine", "effect": "NoExecute"}])
    assert nodes(agent) == ["node-2", "node-3"]


def test_a_pod_follows_a_node_that_comes_and_one_that_goes(agent: Lab) -> None:
    bootstrap.add_node(agent.cluster.api, "node-4")
    agent.settle()
    assert nodes(agent) == ["node-1", "node-2", "node-3", "node-4"]

    agent.call("delete", "/api/v1/nodes/node-4")
    assert (nodes(agent), agent.status(AGENT)["desiredNumberScheduled"]) == (["node-1", "node-2", "node-3"], 3)


def test_a_pod_that_waits_for_a_node_goes_with_it(agent: Lab) -> None:
    bootstrap.add_node(agent.cluster.api, "tiny", cpu="0", memory="0")
    agent.settle()
    agent.patch(AGENT, {"template": {"spec": {"containers": [busy()]}}})
    assert "Pending" in {pod["status"]["phase"] for pod in agent.pods().values()}

    agent.call("delete", "/api/v1/nodes/tiny")
    assert {"Running"} == {pod["status"]["phase"] for pod in agent.pods().values()}


def busy() -> Object:
    return {"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "10m"}}}


def test_where_there_is_no_room_its_pod_is_pending_and_says_why(lab: Lab) -> None:
    bootstrap.add_node(lab.cluster.api, "tiny", cpu="5m", memory="1Gi")
    spec = template("agent")
    spec["spec"]["containers"] = [busy()]
    lab.create(daemon_set(template=spec))

    [pending] = [pod for pod in lab.pods().values() if pod["status"]["phase"] == "Pending"]
    [condition] = pending["status"]["conditions"]
    assert condition["message"] == (
        "0/4 nodes are available: 1 Insufficient cpu, 3 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims "
        "to deallocate, preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."
    )
    assert lab.status(AGENT)["numberUnavailable"] == 1


@pytest.mark.parametrize(("rolling", "fewest"), [({"maxUnavailable": 1}, 3), ({"maxUnavailable": "50%"}, 2)])
def test_an_update_takes_as_many_away_at_a_time_as_it_may(rolling: dict[str, Any], fewest: int) -> None:
    lab = Lab(nodes=4)
    lab.create(daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling}))
    counts = list[int]()
    lab.cluster.store.subscribe(lambda event: counts.append(len(staying(lab))))
    lab.image(AGENT, "app:2")

    assert ({"2"}, fewest) == (set(lab.images().values()), min(counts))
    assert lab.status(AGENT)["updatedNumberScheduled"] == 4


def staying(lab: Lab) -> list[str]:
    """Ready pods that are not on their way out."""
    return [name for name in lab.ready() if "deletionTimestamp" not in lab.pods()[name]["metadata"]]


def test_with_surge_nothing_is_missing_at_any_time(lab: Lab) -> None:
    lab.create(daemon_set(**surging(1)))
    counts = list[int]()
    lab.cluster.store.subscribe(
        lambda event: counts.append(len({lab.pods()[name]["spec"]["nodeName"] for name in lab.ready()}))
    )
    lab.image(AGENT, "app:2")

    assert ({"2"}, 3) == (set(lab.images().values()), min(counts))
    assert nodes(lab) == ["node-1", "node-2", "node-3"]


def test_a_surge_that_never_becomes_ready_leaves_the_old_pods_alone(lab: Lab) -> None:
    lab.create(daemon_set(**surging("50%")))
    lab.cluster.clock.now += 60
    lab.image(AGENT, "app:broken")

    assert {tag: list(lab.images().values()).count(tag) for tag in ("1", "broken")} == {"1": 3, "broken": 2}
    assert (lab.status(AGENT).get("updatedNumberScheduled", 0), lab.status(AGENT)["numberAvailable"]) == (0, 3)


def test_a_broken_update_stops_at_its_limit_and_a_corrected_template_mends_it(agent: Lab) -> None:
    agent.image(AGENT, "app:broken")
    assert list(agent.images().values()).count("broken") == 1

    agent.image(AGENT, "app:3")
    assert {"3"} == set(agent.images().values())


def test_on_delete_only_deleted_pods_get_the_new_template(lab: Lab) -> None:
    lab.create(daemon_set(updateStrategy={"type": "OnDelete"}))
    lab.image(AGENT, "app:2")
    assert {"1"} == set(lab.images().values())

    lab.delete_pod(next(iter(lab.pods())))
    assert sorted(lab.images().values()) == ["1", "1", "2"]
    assert lab.status(AGENT)["updatedNumberScheduled"] == 1


def test_a_new_pod_counts_only_once_it_has_been_ready_for_long_enough(lab: Lab) -> None:
    lab.create(daemon_set(minReadySeconds=60), settle=False)
    lab.cluster.engine.advance(lab.cluster.clock.now + 30)
    assert (lab.status(AGENT)["numberReady"], lab.status(AGENT).get("numberAvailable", 0)) == (3, 0)

    lab.settle()
    assert lab.status(AGENT)["numberAvailable"] == 3


def fail(lab: Lab, name: str) -> None:
    pod = lab.pods()[name]
    lab.cluster.api.update_status("pods", "default", name, {**pod["status"], "phase": "Failed"})


def test_a_pod_that_failed_is_made_anew_and_one_that_fails_again_later(agent: Lab) -> None:
    [first] = [name for name, pod in agent.pods().items() if pod["spec"]["nodeName"] == "node-1"]
    fail(agent, first)
    agent.settle()
    assert first not in agent.pods()
    assert [f"Found failed daemon pod default/{first} on node node-1, will try to kill it"] == agent.events(
        "FailedDaemonPod"
    )

    [again] = [name for name, pod in agent.pods().items() if pod["spec"]["nodeName"] == "node-1"]
    fail(agent, again)
    agent.cluster.engine.advance(agent.cluster.clock.now)
    assert again in agent.pods()

    agent.cluster.engine.advance(agent.cluster.clock.now + 30)
    assert again not in agent.pods()
    assert nodes(agent) == ["node-1", "node-2", "node-3"]


def test_refused_pods_are_tried_again(lab: Lab) -> None:
    hard = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "1"}}}
    lab.call("create", "/api/v1/namespaces/default/resourcequotas", hard)
    lab.create(daemon_set())
    assert len(lab.ready()) == 1
    assert all(said.startswith("Error creating: pods ") for said in lab.events("FailedCreate"))

    lab.call("patch", "/api/v1/namespaces/default/resourcequotas/q", {"spec": {"hard": {"pods": "9"}}})
    assert len(lab.ready()) == 3


def test_each_template_is_counted_and_remembered(agent: Lab) -> None:
    for image in ("app:2", "app:1"):
        agent.image(AGENT, image)

    assert agent.revisions() == [2, 3]
    assert agent.get(AGENT)["metadata"]["annotations"]["deprecated.daemonset.template.generation"] == "3"


def test_who_cannot_read_the_history_rolls_nothing(agent: Lab) -> None:
    before = set(agent.pods())
    store = agent.cluster.store.fork()
    for key in list(store.keys("controllerrevisions.apps")):
        store.delete(key)
    again = Lab.__new__(Lab)
    again.cluster = type(agent.cluster).over(store, now=agent.cluster.clock.now)
    again.patch(AGENT, {"minReadySeconds": 1})

    assert before == set(again.pods())


def test_orphans_are_adopted_and_a_second_pod_on_a_node_goes(agent: Lab) -> None:
    pod = next(iter(agent.pods().values()))
    stray = {**pod, "metadata": {"name": "stray", "labels": pod["metadata"]["labels"]}}
    agent.call("create", "/api/v1/namespaces/default/pods", stray)

    assert "stray" not in agent.pods()
    assert nodes(agent) == ["node-1", "node-2", "node-3"]


@pytest.mark.parametrize(
    ("rolling", "field", "words"),
    [
        ({"maxUnavailable": 0}, "maxUnavailable", "Required value: cannot be 0 when maxSurge is 0"),
        ({"maxSurge": 1}, "maxSurge", "Invalid value: 1: may not be set when maxUnavailable is non-zero"),
        ({"maxUnavailable": "150%"}, "maxUnavailable", 'Invalid value: "150%": should not be more than 100%'),
    ],
)
def test_limits_that_make_no_sense_are_refused(lab: Lab, rolling: dict[str, Any], field: str, words: str) -> None:
    answer = lab.create(daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling}))

    [cause] = answer["details"]["causes"]
    assert (cause["field"], cause["message"]) == (f"spec.updateStrategy.rollingUpdate.{field}", words)


def test_a_lost_node_keeps_its_daemon_which_no_longer_counts(agent: Lab) -> None:
    api = agent.cluster.api
    status = api.get("nodes", "", "node-1")["status"]
    lost = [{**one, "status": "Unknown"} if one["type"] == "Ready" else one for one in status["conditions"]]
    api.update_status("nodes", "", "node-1", {**status, "conditions": lost})
    agent.cluster.engine.advance(agent.cluster.clock.now + 3600)

    assert api.store.get(Key("nodes", "", "node-1")) is not None
    assert len([pod for pod in agent.pods().values() if "deletionTimestamp" not in pod["metadata"]]) == 3
    status = agent.status(AGENT)
    assert (status["desiredNumberScheduled"], status["numberMisscheduled"]) == (2, 1)
