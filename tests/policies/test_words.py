"""The words that travel: frozen, and with a digest that depends on what they mean alone."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.digest import canonical_json, digest
from kubesteward_policies.finding import Finding, Severity
from kubesteward_policies.ref import Ref
from kubesteward_policies.verdict import Decision, Verdict

WEB = Ref("prod", "apps", "Deployment", "shop", "web")
PATH = "/apis/apps/v1/namespaces/shop/deployments/web/scale"

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def scale(replicas: int, summary: str = "scale web") -> Change:
    return Change("scale_workload", WEB, (ApiCall("patch", PATH, WEB, {"spec": {"replicas": replicas}}),), summary)


def test_canonical_json_sorts_keys_and_writes_numbers_as_rfc_8785_says() -> None:
    assert canonical_json({"b": 1.0, "a": [True, None, "é"]}) == '{"a":[true,null,"é"],"b":1}'.encode()


@given(json_values)
def test_canonical_json_says_the_same_as_the_value(value: object) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), json_values, min_size=2))
def test_a_digest_does_not_depend_on_the_order_of_keys(value: dict[str, object]) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))


@pytest.mark.parametrize("value", [{1, 2}, b"x", float("nan"), object(), 2**60])
def test_what_is_not_json_has_no_digest(value: object) -> None:
    with pytest.raises(ValueError, match="cannot be part of a digest"):
        digest(value)


def test_two_wordings_of_the_same_calls_are_the_same_change() -> None:
    assert scale(3).digest == scale(3, "three of them, please").digest


def test_another_effect_is_another_change() -> None:
    assert scale(3).digest != scale(4).digest


def test_a_verdict_that_took_longer_is_the_same_verdict() -> None:
    quick = Verdict("rights", Decision.ALLOW, "rights.ssar", "allowed", took_ms=0.1)

    assert quick.digest == dataclasses.replace(quick, took_ms=9.9).digest


def test_findings_differ_by_severity() -> None:
    warn = Finding("pdb.availability", Severity.WARN, WEB, "2 of 3 stay")

    assert warn.digest != dataclasses.replace(warn, severity=Severity.BLOCK).digest


def test_words_cannot_be_changed_once_said() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        WEB.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("api_version", "group"),
    [("v1", ""), ("apps/v1", "apps"), ("rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io")],
)
def test_a_ref_is_read_off_any_object(api_version: str, group: str) -> None:
    ref = Ref.of({"apiVersion": api_version, "kind": "X", "metadata": {"name": "a", "namespace": "b"}}, "c")

    assert ref == Ref("c", group, "X", "b", "a")


def test_a_ref_reads_as_kind_and_path() -> None:
    assert (str(WEB), str(Ref("c", "", "Node", "", "n1"))) == ("Deployment shop/web", "Node n1")
