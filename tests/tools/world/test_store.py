"""The store keeps forks apart and its indexes right."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Event, Key, Store


def pod(name: str, node: str = "", owner: str = "", namespace: str = "shop") -> dict[str, Any]:
    owners = [{"uid": owner}] if owner else []
    return {"metadata": {"name": name, "namespace": namespace, "ownerReferences": owners}, "spec": {"nodeName": node}}


def key(name: str, namespace: str = "shop") -> Key:
    return Key("pods", namespace, name)


def test_a_fork_and_its_origin_do_not_see_each_others_writes() -> None:
    origin = Store()
    origin.put(key("a"), pod("a", node="n1"))
    fork = origin.fork()

    fork.delete(key("a"))
    origin.put(key("b"), pod("b", node="n1"))

    assert (fork.objects("pods"), fork.pods_on("n1")) == ([], [])
    assert origin.pods_on("n1") == [key("a"), key("b")]


def test_an_object_moves_between_index_entries_when_it_changes() -> None:
    store = Store()
    store.put(key("a"), pod("a", node="n1", owner="u1"))
    store.put(key("a"), pod("a", node="n2", owner="u2"))

    assert (store.pods_on("n1"), store.pods_on("n2")) == ([], [key("a")])
    assert (store.owned_by("u1"), store.owned_by("u2")) == ([], [key("a")])


def test_listeners_hear_each_write_once_and_stop_when_asked() -> None:
    store, heard = Store(), list[Event]()
    stop = store.subscribe(heard.append)

    store.put(key("a"), pod("a"))
    store.put(key("a"), pod("a", node="n1"))
    store.delete(key("a"))
    stop()
    store.put(key("b"), pod("b"))

    assert [event.type for event in heard] == ["ADDED", "MODIFIED", "DELETED"]


def test_listing_is_sorted_and_survives_deletion_on_the_way() -> None:
    store = Store()
    for name in ("c", "a", "b"):
        store.put(key(name), pod(name))

    seen = [(k.name, store.delete(k))[0] for k, _ in store.items("pods")]

    assert (seen, store.resources()) == (["a", "b", "c"], [])


writes = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "fork"]),
        st.sampled_from("abc"),
        st.sampled_from(["", "n1", "n2"]),
        st.booleans(),
    ),
    max_size=40,
)


@given(writes)
def test_any_tangle_of_forks_keeps_each_side_as_if_it_were_alone(steps: list[tuple[str, str, str, bool]]) -> None:
    stores: list[Store] = [Store()]
    models: list[dict[Key, dict[str, Any]]] = [{}]
    for action, name, node, last in steps:
        at = -1 if last else 0
        if action == "fork":
            stores.append(stores[at].fork())
            models.append(dict(models[at]))
        elif action == "put":
            models[at][key(name)] = pod(name, node)
            stores[at].put(key(name), pod(name, node))
        else:
            models[at].pop(key(name), None)
            stores[at].delete(key(name))

    for store, model in zip(stores, models, strict=True):
        assert dict(store.items("pods")) == model
        assert store.pods_on("n1") == sorted(k for k, obj in model.items() if obj["spec"]["nodeName"] == "n1")
        assert store.count("pods") == len(model)


def test_columns_are_what_is_stored_at_the_time() -> None:
    store = Store(note=lambda _, obj: obj["spec"]["nodeName"])
    for name in ("b", "a"):
        store.put(key(name), pod(name, node=f"on-{name}"))
    before = store.columns("pods", "shop")
    fork = store.fork()
    store.put(key("c"), pod("c"))
    store.delete(key("a"))

    assert [list(item.columns("pods", "shop").names) for item in (store, fork)] == [["b", "c"], ["a", "b"]]
    assert (list(before.names), list(before.notes)) == (["a", "b"], ["on-a", "on-b"])


def test_labels_that_are_shared_stand_together() -> None:
    store = Store(Packing())
    for name, app in (("a", "web"), ("b", "cart"), ("c", "web")):
        labelled = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": app}}}
        store.put(key(name), labelled)
    alike = store.columns("pods", "shop").alike

    assert [(dict(labels), list(numbers)) for labels, numbers in alike] == [
        ({"app": "web"}, [0, 2]),
        ({"app": "cart"}, [1]),
    ]


def test_the_namespaces_of_a_name_are_found() -> None:
    store = Store()
    for namespace, name in (("b", "x"), ("a", "x"), ("c", "y")):
        store.put(key(name, namespace), pod(name, namespace=namespace))

    assert store.spaces_with("pods", "x") == ["a", "b"]


def test_what_is_counted_on_a_node_is_counted_once_for_all_forks_until_its_pods_change() -> None:
    def pod(name: str) -> dict[str, Any]:
        return {
            "kind": "Pod",
            "apiVersion": "v1",
            "metadata": {"name": name},
            "spec": {"nodeName": "n", "containers": []},
        }

    asked = []

    def count(demands: Any) -> int:
        asked.append(len(list(demands)))
        return asked[-1]

    store = Store()
    store.put(Key("pods", "", "a"), pod("a"))
    assert (store.counted_on("n", count), len(asked)) == (1, 1)
    first, second = store.fork(), store.fork()
    assert (first.counted_on("n", count), second.counted_on("n", count), len(asked)) == (1, 1, 2)
    first.put(Key("pods", "", "b"), pod("b"))
    assert (first.counted_on("n", count), second.counted_on("n", count)) == (2, 1)
    first.put(Key("pods", "", "c"), pod("c"))
    store.put(Key("pods", "", "d"), pod("d"))
    third = store.fork()
    store.put(Key("pods", "", "e"), pod("e"))
    assert [one.counted_on("n", count) for one in (first, second, third, store)] == [3, 1, 2, 3]
