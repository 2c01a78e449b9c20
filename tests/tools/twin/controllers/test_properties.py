"""Whatever is scaled, updated, deleted or lost on the way: the promises of both controllers hold at every moment."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.twin.controllers.workloads import Lab, daemon_set, stateful_set

from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.world.store import Event

_IMAGES = st.sampled_from(["app:1", "app:2", "app:3"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("scale"), st.integers(0, 5)),
        st.tuples(st.just("image"), _IMAGES),
        st.tuples(st.just("delete"), st.integers(0, 4)),
    ),
    max_size=6,
)


class Watch:
    """At every write: who is there, and how few are ready."""

    def __init__(self, lab: Lab) -> None:
        self.lab, self.fewest = lab, 99
        self.uids: dict[str, str] = {}
        lab.cluster.store.subscribe(self._look)

    def _look(self, event: Event) -> None:
        if event.key.resource != "pods":
            return
        name, uid = event.key.name, event.obj["metadata"]["uid"]
        if event.type == "ADDED":
            assert name not in self.uids, f"{name} is there twice"
            self.uids[name] = uid
        elif event.type == "DELETED":
            assert self.uids.pop(name, uid) == uid
        pods = self.lab.pods().values()
        self.fewest = min(
            self.fewest, sum(is_ready(pod) and "deletionTimestamp" not in pod["metadata"] for pod in pods)
        )


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(["OrderedReady", "Parallel"]), _STEPS, st.floats(0, 3))
def test_an_ordinal_is_never_there_twice_and_all_come_in_the_end(
    management: str, steps: list[tuple[str, Any]], pause: float
) -> None:
    lab = Lab()
    Watch(lab)
    wanted, image = 3, "app:1"
    lab.create(stateful_set(replicas=wanted, podManagementPolicy=management))
    for step, value in steps:
        if step == "scale":
            wanted = value
            lab.patch("statefulsets/db", {"replicas": wanted}, settle=False)
        elif step == "image":
            image = value
            lab.image("statefulsets/db", image, settle=False)
        else:
            lab.delete_pod(f"db-{value}", settle=False)
        lab.cluster.engine.advance(lab.cluster.clock.now + pause)
    lab.settle()

    assert [f"db-{ordinal}" for ordinal in range(wanted)] == sorted(lab.ready()) == sorted(lab.pods())
    assert {image.partition(":")[2]} >= set(lab.images().values())
    assert lab.status("statefulsets/db")["replicas"] == wanted


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(0, 5), st.lists(_IMAGES, min_size=1, max_size=4))
def test_an_update_takes_one_pod_of_a_stateful_set_at_a_time(replicas: int, partition: int, images: list[str]) -> None:
    lab = Lab()
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": partition}}
    lab.create(stateful_set(replicas=replicas, updateStrategy=strategy))
    watch = Watch(lab)
    watch.uids = {name: pod["metadata"]["uid"] for name, pod in lab.pods().items()}
    for image in images:
        lab.image("statefulsets/db", image)

    assert watch.fewest >= replicas - 1
    outdated = [name for name, tag in lab.images().items() if f"app:{tag}" != images[-1]]
    assert all(int(name.removeprefix("db-")) < partition for name in outdated)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 6),
    st.one_of(st.integers(1, 4), st.sampled_from(["10%", "34%", "50%", "100%"])),
    st.booleans(),
    st.lists(_IMAGES, min_size=1, max_size=3),
)
def test_an_update_of_daemons_takes_at_most_as_many_as_it_may(
    nodes: int, most: int | str, surges: bool, images: list[str]
) -> None:
    lab = Lab(nodes=nodes)
    rolling = {"maxSurge": most, "maxUnavailable": 0} if surges else {"maxUnavailable": most}
    lab.create(daemon_set(updateStrategy={"type": "RollingUpdate", "rollingUpdate": rolling}))
    watch = Watch(lab)
    watch.uids = {name: pod["metadata"]["uid"] for name, pod in lab.pods().items()}
    for image in images:
        lab.cluster.clock.now += 60
        lab.image("daemonsets/agent", image)

    share = most if isinstance(most, int) else -(-int(most[:-1]) * nodes // 100)
    assert watch.fewest >= (nodes if surges else nodes - share)
    assert {images[-1]} == {f"app:{tag}" for tag in lab.images().values()}
    assert nodes == len(lab.ready()) == len({pod["spec"]["nodeName"] for pod in lab.pods().values()})
