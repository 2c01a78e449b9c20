"""Tables say what a real API server's do: the words of a pod's state, spans of time, and columns for every kind."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward.embedded import pod_cells
from kubesteward.embedded.columns import COLUMNS, PLAIN
from kubesteward.embedded.durations import duration
from kubesteward.embedded.tables import table
from kubesteward_tools.twin.resources import STORED, by_resource

NOW = 1_800_000_000.0


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **status: Any) -> dict[str, Any]:
    named = [{"name": f"c{number}", **item} for number, item in enumerate(containers)]
    early = [{"name": f"i{number}", **item} for number, item in enumerate(init)]
    return {
        "metadata": {"name": "p"},
        "spec": {
            "containers": [{"name": item["name"]} for item in named],
            "initContainers": [{"name": item["name"]} for item in early],
        },
        "status": {"phase": "Running", "containerStatuses": named, "initContainerStatuses": early, **status},
    }


RUNS: dict[str, Any] = {"state": {"running": {}}, "ready": True}
GATED = [{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]


def waits(reason: str) -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason}}}


def ended(code: int, **rest: Any) -> dict[str, Any]:
    return {"state": {"terminated": {"exitCode": code, **rest}}}


@pytest.mark.parametrize(
    ("of", "word"),
    [
        (pod(RUNS), "Running"),
        (pod(phase="Pending"), "Pending"),
        (pod(phase="Pending", conditions=GATED), "SchedulingGated"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (pod(waits("CrashLoopBackOff"), RUNS), "CrashLoopBackOff"),
        (pod(ended(137, reason="OOMKilled")), "OOMKilled"),
        (pod(ended(3)), "ExitCode:3"),
        (pod(ended(0, signal=9)), "Signal:9"),
        (pod(ended(0, reason="Completed"), RUNS), "NotReady"),
        (pod(waits("PodInitializing"), init=(ended(0), waits("PodInitializing"))), "Init:1/2"),
        (pod(waits("PodInitializing"), init=(waits("ImagePullBackOff"),)), "Init:ImagePullBackOff"),
        (pod(waits("PodInitializing"), init=(ended(1, reason="Error"),)), "Init:Error"),
        (pod(RUNS, init=(ended(0),)), "Running"),
    ],
)
def test_the_status_of_a_pod_is_what_keeps_it_from_running(of: dict[str, Any], word: str) -> None:
    assert pod_cells.status(of) == word


def test_a_pod_that_is_being_deleted_is_terminating_whatever_it_does() -> None:
    going = pod(RUNS)
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert pod_cells.status(going) == "Terminating"


def test_restarts_say_when_the_last_one_was() -> None:
    last = {"terminated": {"finishedAt": "2027-01-15T07:58:00Z"}}

    assert pod_cells.restarts(pod({**RUNS, "restartCount": 3, "lastState": last}), NOW) == "3 (2m ago)"
    assert pod_cells.restarts(pod(RUNS), NOW) == "0"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (119, "119s"),
        (120, "2m"),
        (303, "5m3s"),
        (3600, "60m"),
        (10800, "3h"),
        (11520, "3h12m"),
        (100_000, "27h"),
        (190_000, "2d4h"),
        (864_000, "10d"),
        (86400 * 800, "2y70d"),
        (86400 * 4000, "10y"),
    ],
)
def test_spans_of_time_are_written_as_kubectl_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize("kind", STORED, ids=lambda kind: kind.resource)
def test_every_kind_has_a_table_even_for_an_object_that_says_little(kind: Any) -> None:
    spec = {"template": {"spec": {}}, "scaleTargetRef": {"kind": "Deployment", "name": "d"}}
    obj = {"metadata": {"name": "x"}, "spec": spec, "roleRef": {"kind": "Role", "name": "r"}}

    shown = table(kind, COLUMNS.get(kind.resource, PLAIN), [obj], {"resourceVersion": "7"}, NOW)

    (row,) = shown["rows"]
    assert len(row["cells"]) == len(shown["columnDefinitions"])
    assert "x" in row["cells"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


def test_a_table_holds_the_objects_that_were_asked_for() -> None:
    claim = {"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"]}, "status": {"phase": "Bound"}}

    kind = by_resource("persistentvolumeclaims")
    assert kind is not None

    def objects(include: str) -> list[Any]:
        return [row["object"] for row in table(kind, PLAIN, [claim], {}, NOW, include=include)["rows"]]

    assert objects("None") == [None]
    assert objects("Object") == [{"kind": "PersistentVolumeClaim", "apiVersion": "v1", **claim}]
