"""An object, or a namespace, against guardrails and checks, as a tool."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.tools.desk import TestDesk, shop

from kubesteward_tools.analyse.check_policy import check_policy
from kubesteward_tools.checks.cases import workload
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound
from kubesteward_tools.tool import Answer

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {hostPID: true, containers: [{name: app, image: "registry.example/web:latest"}]}
"""


async def ask(**arguments: Any) -> Answer:
    answer = await check_policy.function(TestDesk(shop().store), **arguments)
    assert isinstance(answer, Answer)
    return answer


def checks(answer: Answer) -> set[str]:
    return {item["check"] for item in answer.data["findings"]}


@pytest.mark.anyio
async def test_an_object_of_the_cluster_is_checked_with_what_stands_around_it() -> None:
    found = await ask(resource="deploy/web", namespace="shop")

    assert {"budget-missing", "network-policy-missing"} <= checks(found)
    assert "Deployment shop/web" in found.text
    assert found.data["counts"]["high"] >= 1


@pytest.mark.anyio
async def test_a_manifest_is_checked_before_it_is_applied() -> None:
    found = await ask(resource=POD, namespace="shop")

    assert {"host-pid", "image-tag-floating"} <= checks(found)
    assert found.data["findings"][0]["severity"] == "critical"


@pytest.mark.anyio
async def test_guardrails_say_what_they_have_against_applying_it() -> None:
    made = workload({"kind": "Deployment", "container": {"image": "web:latest"}})

    found = await ask(resource=json.dumps(made))

    (ruling,) = found.data["guardrails"]
    assert (ruling["rule"], ruling["effect"]) == ("default.floating-image", "warn")
    assert ruling["object"] == "Deployment shop/web"
    assert "guardrail warn" in found.text
    assert "Judged only with a rehearsal: strict.safe-only." in found.text


@pytest.mark.anyio
async def test_frameworks_narrow_the_checks() -> None:
    found = await ask(resource=POD, frameworks=["pss"])

    assert "pod-security-baseline" in checks(found)
    assert "image-tag-floating" not in checks(found)


@pytest.mark.anyio
async def test_without_an_object_the_namespace_is_checked() -> None:
    found = await ask(namespace="shop")

    assert {item["object"] for item in found.data["findings"]} == {"Deployment shop/web"}


@pytest.mark.anyio
@pytest.mark.parametrize("text", ["kind: Pod\n", "{", "- a: 1\n"])
async def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments):
        await ask(resource=text)


@pytest.mark.anyio
async def test_an_object_that_is_not_there_is_told_with_near_names() -> None:
    with pytest.raises(ObjectNotFound, match="web"):
        await ask(resource="deploy/wab", namespace="shop")


@pytest.mark.anyio
async def test_a_namespace_that_is_not_there_is_not_all_well() -> None:
    with pytest.raises(ObjectNotFound, match="there is no namespace 'shpo'"):
        await ask(namespace="shpo")
