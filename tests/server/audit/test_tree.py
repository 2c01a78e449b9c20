"""The tree and its proofs, against RFC 6962's definitions written down a second time, and against known vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward.audit.standalone import continues, included, leaf_hash
from kubesteward.audit.tree import EMPTY_ROOT, Frontier, Tree

# The inputs and roots of the test vectors that certificate-transparency implementations share.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

LEAVES = st.lists(st.binary(max_size=6), min_size=1, max_size=40)


def naive_root(data: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if len(data) < 2:
        return hashlib.sha256(b"\x00" + data[0]).digest() if data else hashlib.sha256(b"").digest()
    k = max(2**n for n in range(10) if 2**n < len(data))
    return hashlib.sha256(b"\x01" + naive_root(data[:k]) + naive_root(data[k:])).digest()


def naive_path(m: int, data: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1."""
    if len(data) == 1:
        return []
    k = max(2**n for n in range(10) if 2**n < len(data))
    if m < k:
        return [*naive_path(m, data[:k]), naive_root(data[k:])]
    return [*naive_path(m - k, data[k:]), naive_root(data[:k])]


def naive_proof(m: int, data: list[bytes], *, known: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2: PROOF(m, D) = SUBPROOF(m, D, true)."""
    if m == len(data):
        return [] if known else [naive_root(data)]
    k = max(2**n for n in range(10) if 2**n < len(data))
    if m <= k:
        return [*naive_proof(m, data[:k], known=known), naive_root(data[k:])]
    return [*naive_proof(m - k, data[k:], known=False), naive_root(data[:k])]


def hashes(data: list[bytes]) -> list[bytes]:
    return [leaf_hash(item) for item in data]


def grown(data: list[bytes]) -> Frontier:
    frontier = Frontier()
    for item in data:
        frontier = frontier.add(leaf_hash(item))
    return frontier


@pytest.mark.parametrize("size", range(1, 9))
def test_the_root_is_that_of_the_known_vectors(size: int) -> None:
    roots = (Tree(hashes(INPUTS[:size])).root().hex(), Tree(hashes(INPUTS)).root(size).hex())

    assert (ROOTS[size - 1],) * 3 == (*roots, grown(INPUTS[:size]).root().hex())


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == Tree([]).root() == Frontier().root()


@given(LEAVES)
def test_tree_and_frontier_have_the_root_of_the_definition(data: list[bytes]) -> None:
    frontier = grown(data)

    assert naive_root(data) == Tree(hashes(data)).root() == frontier.root()
    assert frontier == Frontier.parse(len(data), frontier.text())


@given(LEAVES, st.data())
def test_inclusion_proofs_are_those_of_the_definition_and_fit_their_leaf_only(
    data: list[bytes], draw: st.DataObject
) -> None:
    index = draw.draw(st.integers(0, len(data) - 1))
    tree, leaf = Tree(hashes(data)), leaf_hash(data[index])
    proof = tree.inclusion(index)

    assert naive_path(index, data) == proof
    assert included(index, tree.size, leaf, proof, tree.root())
    assert not included(index, tree.size, leaf_hash(b"another one"), proof, tree.root())
    assert not included(index, tree.size, leaf, [*proof, leaf], tree.root())
    assert not included(tree.size, tree.size, leaf, proof, tree.root())
    assert not any(included(index, tree.size, leaf, proof[:cut], tree.root()) for cut in range(len(proof)))


@given(LEAVES, st.data())
def test_consistency_proofs_are_those_of_the_definition_and_fit_their_roots_only(
    data: list[bytes], draw: st.DataObject
) -> None:
    first = draw.draw(st.integers(1, len(data)))
    tree = Tree(hashes(data))
    proof, old, new, other = tree.consistency(first), tree.root(first), tree.root(), leaf_hash(b"another one")

    assert naive_proof(first, data) == proof
    assert continues(first, tree.size, old, new, proof)
    assert not continues(first, tree.size, other, new, proof)
    assert not continues(first, tree.size, old, other, proof)
    assert not continues(first, tree.size, old, new, [*proof, other])
    assert not continues(tree.size + 1, tree.size, old, new, proof)


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    tree = Tree(hashes(INPUTS))
    for ask in (lambda: tree.inclusion(8), lambda: tree.inclusion(0, 9), lambda: tree.consistency(0)):
        with pytest.raises(IndexError):
            ask()


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "00" * 64])
def test_a_frontier_of_another_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not the frontier|non-hexadecimal"):
        Frontier.parse(4, text)
