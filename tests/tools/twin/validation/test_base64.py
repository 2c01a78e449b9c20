"""Secrets with values that are no base64 are refused, as the API server cannot read them."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.twin.route import Request
from kubesteward_tools.twin.validation.base64 import wrong
from kubesteward_tools.world.kinds import ResourceType

PATH = "/api/v1/namespaces/default/secrets"


def secret() -> ResourceType:
    found = by_kind("", "Secret")
    assert found is not None
    return found


@given(st.binary(max_size=60))
def test_whatever_is_encoded_can_be_read(value: bytes) -> None:
    assert wrong(secret(), {"data": {"a": base64.b64encode(value).decode()}}) == ""
    assert wrong(secret(), {"data": {"a": base64.encodebytes(value).decode()}}) == ""


@pytest.mark.parametrize(("value", "at"), [("admin", 4), ("<foo>", 0), ("cd_user", 2), ("YQ", 0), ("YWE=YWE=", 3)])
def test_what_is_none_is_told_with_its_place(value: str, at: int) -> None:
    assert wrong(secret(), {"data": {"a": value}}) == f"illegal base64 data at input byte {at}"


@pytest.mark.parametrize(
    ("verb", "path", "query", "content"),
    [
        ("create", PATH, {}, "application/json"),
        ("patch", f"{PATH}/s", {"fieldManager": "me"}, "application/apply-patch+yaml"),
    ],
)
def test_neither_create_nor_apply_takes_it(verb: str, path: str, query: dict[str, str], content: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "admin"}}
    answer = SimulatedCluster.new(now=0.0).handle(Request(verb, path, query, content, body))

    assert answer.status == 400
    assert "illegal base64 data at input byte 4" in answer.body["message"]
