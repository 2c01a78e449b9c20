"""Addresses of simulated pods."""

from __future__ import annotations

from kubesteward_tools.twin.kubelet.addresses import Addresses
from kubesteward_tools.twin.names import Names
from kubesteward_tools.world.store import Key, Object, Store


def node(store: Store, name: str = "n") -> None:
    store.put(Key("nodes", "", name), {"metadata": {"name": name}, "spec": {"podCIDR": "10.128.7.0/24"}})


def pod(store: Store, number: int, address: str = "") -> Object:
    made: Object = {
        "metadata": {"namespace": "a", "name": f"p{number}"},
        "spec": {"nodeName": "n"},
        "status": {"podIP": address} if address else {},
    }
    store.put(Key("pods", "a", f"p{number}"), made)
    return made


def test_no_two_pods_of_a_node_have_the_same_address_while_there_are_some_left() -> None:
    store = Store()
    node(store)
    there = [f"10.128.7.{number}" for number in range(2, 52)]
    for number, address in enumerate(there):
        pod(store, number, address)
    addresses = Addresses(store, Names(1))
    given = [addresses.draw(pod(store, number)) for number in range(50, 253)]

    assert len({*there, *given}) == 253
    assert all(item.startswith("10.128.7.") for item in given)
    assert addresses.draw(pod(store, 253)).startswith("10.128.7.")


def test_the_address_of_a_pod_that_is_gone_is_given_again() -> None:
    store = Store()
    node(store)
    addresses = Addresses(store, Names(1))
    given = {number: addresses.draw(pod(store, number)) for number in range(253)}
    store.delete(Key("pods", "a", "p7"))

    assert addresses.draw(pod(store, 300)) == given[7]
