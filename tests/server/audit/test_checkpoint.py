"""Signed checkpoints: our own Ed25519 against a library's, and where the key lives."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from kubesteward.audit.checkpoint import PRIVATE, PUBLIC, Signer, opened, public_key
from kubesteward.audit.log import AuditLog
from kubesteward.audit.standalone import open_note, parse_key, signed
from kubesteward.store.store import Store, StoreUnusable

ROOT = bytes(range(32))

# RFC 8032, 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


def library_says(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_rfc_s_own_signatures_are_accepted(public: str, message: str, signature: str) -> None:
    assert signed(bytes.fromhex(public), bytes.fromhex(signature), bytes.fromhex(message))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=80),
    where=st.sampled_from(["public", "signature", "message", "nothing"]),
    place=st.integers(0, 63),
    bit=st.integers(0, 7),
)
def test_our_own_verification_says_what_the_library_says(
    seed: bytes, message: bytes, where: str, place: int, bit: int
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    parts = {"public": key.public_key().public_bytes_raw(), "signature": key.sign(message), "message": message}
    if where != "nothing" and parts[where]:
        altered = bytearray(parts[where])
        altered[place % len(altered)] ^= 1 << bit
        parts[where] = bytes(altered)
    said = signed(parts["public"], parts["signature"], parts["message"])

    assert library_says(parts["public"], parts["signature"], parts["message"]) == said
    assert said == (where == "nothing" or (where == "message" and not message))


@pytest.mark.parametrize("public", [b"", b"\xff" * 32, b"\x02" + bytes(31), bytes(31) + b"\x80"])
def test_what_is_no_key_signed_nothing(public: bytes) -> None:
    assert not signed(public, bytes(64), b"")


def test_a_signature_whose_number_is_too_large_is_refused() -> None:
    public, _, signature = VECTORS[0]

    assert not signed(bytes.fromhex(public), bytes.fromhex(signature)[:32] + b"\xff" * 32, b"")


def test_a_checkpoint_is_a_signed_note_of_size_and_root(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    note = signer.sign(7, ROOT)
    name = parse_key(signer.public)[0]

    assert note.split("\n")[:4] == [name, "7", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ""]
    assert note.startswith("\u2014 " + name, note.index("\u2014"))
    assert (7, ROOT) == opened(note, signer.public) == open_note(note, signer.public)


@given(place=st.integers(0, 200), other=st.characters(max_codepoint=0x7F))
@settings(max_examples=60, deadline=None)
def test_no_character_of_a_checkpoint_can_be_another(
    tmp_path_factory: pytest.TempPathFactory, place: int, other: str
) -> None:
    signer = Signer(tmp_path_factory.getbasetemp())
    note = signer.sign(7, ROOT)
    place %= len(note)
    altered = note[:place] + other + note[place + 1 :]
    if altered != note:
        with pytest.raises(ValueError, match=r"\w"):
            opened(altered, signer.public)


def test_the_key_is_the_owner_s_alone_and_made_once(tmp_path: Path) -> None:
    first, second = Signer(tmp_path).sign(1, ROOT), Signer(tmp_path).sign(1, ROOT)

    assert first == second
    assert stat.S_IMODE((tmp_path / PRIVATE).stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == [PRIVATE, PUBLIC]
    assert public_key(tmp_path) == Signer(tmp_path).public


def test_a_public_key_that_was_lost_is_written_again(tmp_path: Path) -> None:
    Signer(tmp_path).sign(1, ROOT)
    (tmp_path / PUBLIC).unlink()
    Signer(tmp_path).sign(2, ROOT)

    assert public_key(tmp_path) == Signer(tmp_path).public


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n"])
def test_without_its_key_nothing_is_added_to_a_log(tmp_path: Path, content: bytes | None) -> None:
    with closing(Store.open(tmp_path)) as store:
        AuditLog(store).append({"type": "test"})
        (tmp_path / PRIVATE).unlink() if content is None else (tmp_path / PRIVATE).write_bytes(content)
        with pytest.raises(StoreUnusable, match="signing key cannot be used") as refused:
            AuditLog(store).append({"type": "test"})

    assert "hunter2" not in str(refused.value)
    assert refused.value.__context__ is None or "hunter2" not in str(refused.value.__context__)


def test_a_key_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not a key"):
        parse_key("name+00000000+AAAA")
