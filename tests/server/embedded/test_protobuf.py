"""The few protobuf bodies that kubectl sends are read as their JSON; everything else is refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward.embedded import protobuf


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | str | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    content = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(content)) + content


def envelope(api_version: str, kind: str, content: bytes) -> bytes:
    meta = field(1, api_version) + field(2, kind)
    return b"k8s\x00" + field(1, meta) + field(2, content) + field(3, "") + field(4, "")


def test_an_access_review_is_read() -> None:
    attributes = field(1, "shop") + field(2, "list") + field(3, "") + field(5, "pods")
    body = envelope("authorization.k8s.io/v1", "SelfSubjectAccessReview", field(2, field(1, attributes)))

    asked = {"resourceAttributes": {"namespace": "shop", "verb": "list", "resource": "pods"}}
    expected = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": asked}
    assert expected == protobuf.decode(body)


def test_delete_options_are_read_with_their_numbers_and_lists() -> None:
    content = field(1, 30) + field(2, field(1, "u-1")) + field(4, "Foreground") + field(5, "All")

    expected: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "gracePeriodSeconds": 30,
        "preconditions": {"uid": "u-1"},
        "propagationPolicy": "Foreground",
        "dryRun": ["All"],
    }
    assert expected == protobuf.decode(envelope("v1", "DeleteOptions", content))


def test_the_bytes_of_a_secret_are_base64_as_in_json() -> None:
    content = field(1, field(1, "s")) + field(2, field(1, "key") + field(2, b"\xff\x00"))

    assert protobuf.decode(envelope("v1", "Secret", content))["data"] == {"key": "/wA="}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "not in the Kubernetes protobuf envelope"),
        (envelope("v1", "Pod", b""), "kind 'Pod' are not understood; send JSON"),
        (envelope("v1", "DeleteOptions", field(1, 30)[:-1]), "ends in the middle of a number"),
        (envelope("v1", "DeleteOptions", field(4, "Foreground")[:-1]), "ends in the middle of a field"),
        (envelope("v1", "DeleteOptions", field(4, 1)), "a number stands"),
        (envelope("v1", "DeleteOptions", b"\x0d"), "wire type 5"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(body: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        protobuf.decode(body)


@given(st.sampled_from(sorted(protobuf.MESSAGES)), st.binary(max_size=60))
def test_no_body_makes_the_decoder_fail_otherwise(kind: str, content: bytes) -> None:
    try:
        protobuf.decode(envelope("v1", kind, content))
    except ValueError:
        return
