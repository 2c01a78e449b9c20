"""What no limit of pods can count is not left to an agent alone."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_policies.change import ApiCall, Change, Verb
from kubesteward_policies.ref import Ref
from kubesteward_policies.unattended import why_not_alone


def change(body: Any, kind: str = "Deployment", namespace: str = "shop", verb: Verb = "patch") -> Change:
    target = Ref("lab", "", kind, namespace, "x")
    return Change("t", target, (ApiCall(verb, "/x", target, body),), "")


def template(**spec: Any) -> Change:
    return change({"spec": {"template": {"spec": spec}}})


def container(**security: Any) -> Change:
    return template(containers=[{"name": "main", "securityContext": security}])


def operation(path: str, value: Any, op: str = "add") -> Change:
    return change([{"op": op, "path": path, "value": value}])


@pytest.mark.parametrize(
    "asked",
    [
        template(hostPID=True),
        template(hostNetwork=True),
        template(volumes=[{"name": "root", "hostPath": {"path": "/"}}]),
        container(privileged=True),
        container(capabilities={"add": ["SYS_ADMIN"]}),
        operation("/spec/template/spec/containers/0/securityContext/privileged", True, "replace"),
        operation("/spec/template/spec/containers/0/securityContext/capabilities/add/-", "SYS_ADMIN"),
        operation("/spec/template/spec/volumes/-", {"name": "root", "hostPath": {"path": "/"}}),
        change([{"op": "copy", "from": "/metadata/labels/x", "path": "/spec/template/spec/hostPID"}]),
        change({"spec": {"externalIPs": ["203.0.113.1"]}}, "Service"),
        change({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}, "Namespace", ""),
        change({"value": 1, "globalDefault": True}, "PriorityClass", ""),
        change(None, "StorageClass", "", "delete"),
        change(None, "Node", "", "delete"),
    ],
)
def test_what_reaches_beyond_a_namespace_needs_a_person(asked: Change) -> None:
    assert why_not_alone(asked)


@pytest.mark.parametrize(
    "asked",
    [
        template(hostPID=False, containers=[{"name": "main", "image": "x:1"}]),
        container(privileged=False, capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
        operation("/spec/template/spec/hostPID", False, "replace"),
        operation("/spec/template/spec/hostPID", True, "test"),
        change({"spec": {"externalIPs": []}}, "Service"),
        change({"spec": {"unschedulable": True}}, "Node", ""),
        change(None, verb="delete"),
    ],
)
def test_what_stays_within_it_does_not(asked: Change) -> None:
    assert why_not_alone(asked) == ""


def test_one_such_call_among_many_is_enough() -> None:
    good, bad = change({"spec": {"replicas": 2}}), template(hostIPC=True)

    assert why_not_alone(Change("t", good.target, good.calls + bad.calls, "", steps=(1, 1)))
