"""Questions to the graph of a world: who needs whom, how they hang together, and what is missing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.world.objects import deployment, obj, owned, ref

from kubesteward_tools.world import load, walks
from kubesteward_tools.world.graph import Graph
from kubesteward_tools.world.store import Key, Store
from kubesteward_tools.world.world import World

NODE = obj("Node", "n1", namespace="")
SECRET = obj("Secret", "token")
INGRESS = obj(
    "Ingress",
    "front",
    "networking.k8s.io/v1",
    spec={"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
)


def shop() -> World:
    return load([NODE, SECRET, *deployment("web", "token"), *deployment("api"), INGRESS])


def test_everything_that_uses_a_secret_is_in_its_blast_radius_and_nothing_else() -> None:
    found = shop().blast_radius(ref("Secret", "token"))

    assert {*found} == {
        ref("Pod", "web-1-0"),
        ref("Pod", "web-1-1"),
        ref("ReplicaSet", "web-1", "apps"),
        ref("Deployment", "web", "apps"),
        ref("Service", "web"),
        ref("Ingress", "front", "networking.k8s.io"),
    }


def test_a_pod_needs_its_node_its_owners_and_what_it_reads() -> None:
    found = shop().dependencies(ref("Pod", "web-1-0"))

    assert {ref("Node", "n1", namespace=""), ref("ReplicaSet", "web-1", "apps"), ref("Secret", "token")} <= {*found}
    assert ref("Deployment", "web", "apps") in found
    assert ref("Service", "web") not in found


def test_the_nearest_come_first() -> None:
    found = shop().dependents(ref("Secret", "token"))

    assert found.index(ref("Service", "web")) < found.index(ref("Ingress", "front", "networking.k8s.io"))


def test_depth_and_relations_narrow_what_is_reached() -> None:
    world = shop()

    assert ref("Ingress", "front", "networking.k8s.io") not in world.dependents(ref("Secret", "token"), depth=2)
    assert world.dependents(ref("Secret", "token"), relations={"mounts"}) == []


def test_the_lowest_common_ancestor_of_pods_of_two_apps_is_their_node() -> None:
    found = shop().lowest_common_ancestors([ref("Pod", "web-1-0"), ref("Pod", "api-1-1")])

    assert found == [ref("Node", "n1", namespace="")]


def test_the_lowest_common_ancestor_of_siblings_is_their_replica_set_and_not_the_deployment_above() -> None:
    found = shop().lowest_common_ancestors([ref("Pod", "web-1-0"), ref("Pod", "web-1-1")])

    assert ref("ReplicaSet", "web-1", "apps") in found
    assert ref("Deployment", "web", "apps") not in found


def test_one_object_is_its_own_lowest_ancestor_and_none_have_none() -> None:
    assert shop().lowest_common_ancestors([ref("Pod", "web-1-0")]) == [ref("Pod", "web-1-0")]
    assert shop().lowest_common_ancestors([]) == []


def test_a_path_explains_how_two_objects_hang_together() -> None:
    world = shop()
    found = walks.path(
        world.graph, world.key(ref("Ingress", "front", "networking.k8s.io")), world.key(ref("Secret", "token"))
    )

    assert found is not None
    assert [step.relation for step in found] in (
        ["routes", "selects", "env_from"],
        ["routes", "selects", "owns", "env_from"],
    )
    assert walks.path(world.graph, world.key(ref("Secret", "token")), Key("pods", "shop", "nobody")) is None


def test_a_missing_config_map_is_kept_and_marked() -> None:
    spec = {"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "gone"}}]}]}
    world = load([obj("Pod", "lonely", spec=spec), obj("ConfigMap", "other", data={})])
    (found,) = (item for item in world.graph.missing() if item.relation == "env_from")

    assert (found.target, found.dangling) == (Key("configmaps", "shop", "gone"), True)
    assert world.graph.absent("configmaps", "secrets") == [Key("configmaps", "shop", "gone")]
    assert world.graph.absent("secrets") == []
    assert world.dependencies(ref("Pod", "lonely"))[0] == ref("ConfigMap", "gone")


def test_what_was_never_listed_is_not_called_missing() -> None:
    spec = {"containers": [{"name": "app", "envFrom": [{"configMapRef": {"name": "unknown"}}]}]}

    assert load([obj("Pod", "lonely", spec=spec)]).graph.missing() == []


def test_a_namespace_touches_all_that_is_in_it() -> None:
    world = load([obj("Namespace", "shop", namespace=""), *deployment("web"), obj("Pod", "far", namespace="away")])
    found = world.blast_radius(ref("Namespace", "shop", namespace=""))

    assert ref("Service", "web") in found
    assert ref("Pod", "far", namespace="away") not in found


def test_an_object_that_nothing_is_connected_with_is_an_orphan() -> None:
    world = load([*deployment("web", "token"), SECRET, obj("Secret", "forgotten")])

    assert world.graph.orphans("secrets") == [Key("secrets", "shop", "forgotten")]


def test_a_circle_of_owners_ends() -> None:
    first, second = obj("Job", "a", "batch/v1"), obj("Job", "b", "batch/v1")
    world = load([owned(first, second), owned(second, first)])

    assert world.dependents(ref("Job", "a", "batch")) == [ref("Job", "b", "batch")]
    assert len(world.lowest_common_ancestors([ref("Job", "a", "batch"), ref("Job", "b", "batch")])) == 1


names = st.sampled_from(["a", "b", "c", "d"])
pods = st.builds(
    lambda name, secret, label, node, owner: owned(
        obj(
            "Pod",
            name,
            metadata={"labels": {"app": label}},
            spec={"nodeName": node, "containers": [{"name": "x", "envFrom": [{"secretRef": {"name": secret}}]}]},
        ),
        obj("ReplicaSet", owner, "apps/v1"),
    ),
    names,
    names,
    names,
    names,
    names,
)
services = st.builds(lambda name, label: obj("Service", name, spec={"selector": {"app": label}}), names, names)
secrets = st.builds(lambda name: obj("Secret", name), names)
writes = st.lists(st.tuples(st.booleans(), pods | services | secrets), max_size=40)
PLACES = {"Pod": "pods", "Service": "services", "Secret": "secrets"}


@settings(max_examples=150, deadline=None)
@given(writes)
def test_whatever_comes_and_goes_the_graph_is_that_of_what_is_there(changes: list[tuple[bool, dict[str, Any]]]) -> None:
    store = Store()
    kept = Graph(store, lambda group, kind: None, lambda *_: True)
    for stays, item in changes:
        key = Key(PLACES[item["kind"]], "shop", item["metadata"]["name"])
        if stays:
            store.put(key, item)
        else:
            store.delete(key)
    fresh = Graph(store, lambda group, kind: None, lambda *_: True)
    everything = [Key(place, "shop", name) for place in (*PLACES.values(), "replicasets.apps") for name in "abcd"]

    assert [kept.around(key) for key in everything] == [fresh.around(key) for key in everything]
    assert kept.missing() == fresh.missing()
    assert kept.size() == fresh.size()


def test_replicas_under_one_governing_service_do_not_break_with_each_other() -> None:
    database = obj("StatefulSet", "db", "apps/v1", spec={"serviceName": "db"})
    labels = {"app": "db"}
    pods = [
        owned(obj("Pod", f"db-{n}", metadata={"labels": labels}, spec={"nodeName": f"n{n}"}), database) for n in (0, 1)
    ]
    nodes = [obj("Node", f"n{n}", namespace="") for n in (0, 1)]
    world = load([database, *pods, *nodes, obj("Service", "db", spec={"selector": labels, "clusterIP": "None"})])

    assert world.blast_radius(ref("Node", "n0", namespace="")) == [ref("Pod", "db-0"), ref("Service", "db")]
    assert world.lowest_common_ancestors([ref("Pod", "db-0"), ref("Pod", "db-1")]) == [ref("StatefulSet", "db", "apps")]
