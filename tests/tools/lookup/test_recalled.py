"""What objects tell of the past is the same whether all of them are read or only those that may tell something."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.lookup.recalled import recalled
from kubesteward_tools.world import load

HOURS = st.integers(0, 9)


def at(hour: int) -> str:
    return f"2026-01-01T{hour:02}:00:00Z"


def pod(name: str, born: int, ended: int | None, *, ready: bool, restarts: int) -> dict[str, Any]:
    state = {"terminated": {"finishedAt": at(ended), "exitCode": 1}} if ended is not None else {}
    again = restarts or int(ended is not None and ready)
    status = {"name": "app", "ready": ready, "restartCount": again, "lastState" if ready else "state": state}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "creationTimestamp": at(born)},
        "spec": {"containers": [{"name": "app"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [status],
        },
    }


def node(name: str, born: int, failed: int) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "False", "lastTransitionTime": at(failed)}
    metadata = {"name": name, "creationTimestamp": at(born)}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"conditions": [ready]}}


PODS = st.tuples(HOURS, st.none() | HOURS, st.booleans(), st.integers(0, 1))


@given(st.lists(PODS, max_size=5), st.lists(st.tuples(HOURS, HOURS), max_size=2), HOURS)
def test_nothing_that_happened_since_is_passed_over(
    pods: list[tuple[int, int | None, bool, int]], nodes: list[tuple[int, int]], hour: int
) -> None:
    made = [
        pod(f"p{number}", born, ended, ready=ready, restarts=restarts)
        for number, (born, ended, ready, restarts) in enumerate(pods)
    ]
    store = load([*made, *(node(f"n{number}", *when) for number, when in enumerate(nodes))]).store
    keys = [key for resource in store.resources() for key in store.keys(resource)]
    since = 1767225600.0 + 3600 * hour

    assert [item for item in recalled(store, keys, since) if item.at >= since] == [
        item for item in recalled(store, keys) if item.at >= since
    ]


def test_a_pod_in_which_nothing_ended_is_not_read(monkeypatch: Any) -> None:
    store = load([pod("p", 1, None, ready=True, restarts=0)]).store
    read = list[object]()
    monkeypatch.setattr(store, "get", read.append)

    assert list(recalled(store, store.keys("pods"), 1767225600.0 + 7200)) == []
    assert read == []
