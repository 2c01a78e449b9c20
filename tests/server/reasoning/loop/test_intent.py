"""What is wanted is told from the words, and which object is meant from what the cluster has."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import app_in, investigated

from kubesteward.reasoning.loop.intent import kind_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("", "DIAGNOSTIC"),
        ("checkout", "DIAGNOSTIC"),
        ("Why is checkout slow?", "DIAGNOSTIC"),
        ("Is the cluster well?", "DIAGNOSTIC"),
        ("Fix the deployment web, its pods do not start", "DIAGNOSTIC"),
        ("How do I find out why web crashes?", "DIAGNOSTIC"),
        ("How many pods are there?", "INFORMATIONAL"),
        ("List the services in shop", "INFORMATIONAL"),
        ("Scale web to 2", "ACTION"),
        ("Please scale down web to 1", "ACTION"),
        ("restart checkout", "ACTION"),
        ("How would I drain node-1?", "PLAN"),
        ("Plan the upgrade of web", "PLAN"),
    ],
)
async def test_the_words_tell_what_is_wanted(question: str, kind: str) -> None:
    assert kind == kind_of(question)


@pytest.mark.parametrize(
    ("question", "target"),
    [
        ("Why is checkout not well?", "Deployment shop/checkout"),
        pytest.param("Why is the cart service broken?", "Deployment shop/cart", marks=pytest.mark.slow),
        pytest.param("What is wrong with shop/payments?", "Deployment shop/payments", marks=pytest.mark.slow),
        pytest.param("Why is node-1 not well?", "Node node-1", marks=pytest.mark.slow),
        ("What is wrong?", ""),
    ],
)
async def test_a_name_in_the_question_is_an_object(tmp_path: Path, question: str, target: str) -> None:
    app = app_in(tmp_path)
    try:
        found = (await investigated(app, question))["intent"]["target"]
    finally:
        await app.close()

    name = "" if found is None else f"{found['kind']} {found['namespace']}/{found['name']}".replace(" /", " ")
    assert target == name


async def test_what_is_asked_for_information_is_looked_up_and_checked(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        record = await investigated(app, "How many pods are there in namespace shop?")
        one = await investigated(app, "Which image does web use?")
    finally:
        await app.close()

    assert "There are 12 pods in namespace shop." in record["answer"]
    assert (record["hypotheses"], record["usage"]["claims_false"]) == ([], 0)
    assert one["answer"].splitlines()[0] == "Deployment shop/web: 3/3 ready, Ready."
    assert "Container web runs registry.example.com/shop/web:3.2.2, " in one["answer"]
    assert "containers[web].image registry.example.com/shop/web:3.2.1 ->" in one["answer"]
    assert one["usage"]["claims_false"] == 0


async def test_a_change_is_planned_and_not_made(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        record = await investigated(app, "How would I scale deployment shop/web to 2?")
        unclear = await investigated(app, "Plan something for web")
        actions = app.store.db.execute("SELECT COUNT(*) FROM actions").fetchone()[0]
    finally:
        await app.close()

    assert "Scale Deployment shop/web from 3 to 2 replicas" in record["answer"]
    assert actions == 0
    assert unclear["recommendation"]["text"].endswith("as in: scale deployment web in shop to 10.")
