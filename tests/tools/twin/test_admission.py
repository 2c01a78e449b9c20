"""What a real API server admitted and refused, the twin admits and refuses."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.data import shared_data

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.clock import Clock
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.names import Names
from kubesteward_tools.twin.requests import handle
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key, Store

NOW = 1795222800.0
FAMILIES = ["immutable", "limitrange", "psa", "quota"]


def cases(family: str) -> Iterator[dict[str, Any]]:
    with gzip.open(shared_data(f"fidelity/dev/{family}.jsonl.gz"), "rt") as lines:
        yield from map(json.loads, lines)


def filled(objects: list[dict[str, Any]]) -> Store:
    store = Store()
    for obj in objects:
        kind, metadata = resources.of(obj["apiVersion"], obj["kind"]), obj["metadata"]
        if kind is not None:
            store.put(Key(kind.resource, metadata.get("namespace", ""), metadata["name"]), obj)
            store.revision = max(store.revision, int(metadata.get("resourceVersion", 0)))
    return store


def user(recorded: Any) -> User:
    if not recorded:
        return ADMIN
    return User(recorded if isinstance(recorded, str) else recorded["user"], ("system:authenticated",))


def request(step: dict[str, Any]) -> Request:
    query, content = step.get("query") or {}, step.get("content_type") or ""
    return Request(step["verb"], step["path"], query, content, step.get("body"), user(step.get("as")))


def replayed(case: dict[str, Any]) -> list[tuple[int, str | None]]:
    api = Api(filled(case["before"]["objects"]), Clock(NOW), Names(1))
    answers = [handle(api, request(step)) for step in case["mutation"]]
    return [(answer.status, answer.body.get("reason") if answer.status >= 400 else None) for answer in answers]


def recorded(case: dict[str, Any]) -> list[tuple[int, str | None]]:
    return [(answer["status"], answer["reason"] if answer["status"] >= 400 else None) for answer in case["responses"]]


@pytest.mark.requirement("twin.recorded-answers")
@pytest.mark.parametrize("family", FAMILIES)
def test_every_recorded_request_gets_the_recorded_status_and_reason(family: str) -> None:
    assert [case["id"] for case in cases(family) if replayed(case) != recorded(case)] == []


def test_a_secrets_plain_text_is_stored_as_data() -> None:
    api = Api(filled([]), Clock(NOW), Names(1))
    handle(api, Request("create", "/api/v1/namespaces", body={"metadata": {"name": "shop"}}))
    body = {"metadata": {"name": "s"}, "data": {"a": "MQ=="}, "stringData": {"b": "2"}}
    answer = handle(api, Request("create", "/api/v1/namespaces/shop/secrets", body=body))
    assert (answer.status, answer.body["data"], "stringData" in answer.body) == (201, {"a": "MQ==", "b": "Mg=="}, False)
