"""A text is rid of its secrets before it is shortened: of a token that is cut in two nobody knows that it was one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.e2e.canaries import Aviary
from tests.tools.desk import TestDesk
from tests.tools.diagnosis import lab

from kubesteward_tools.analyse.correlate_failures import correlate_failures
from kubesteward_tools.analyse.diagnose import diagnose
from kubesteward_tools.analyse.find_anomalies import find_anomalies
from kubesteward_tools.cluster.bundle import BundleSource, of_objects, saved_logs
from kubesteward_tools.tool import Answer, Tool

pytestmark = [pytest.mark.anyio, pytest.mark.requirement("text.redaction")]
AVIARY = Aviary()
_WORD = "overlay network says "
_SHAPES = st.sampled_from(["jwt", "pem", "aws", "base64 pem", "base64 jwt", "url", "bearer"])
_OFFSETS = st.integers(0, 460)
_ENDS = (
    'exec: "sevrer": executable file not found in $PATH: {}',
    "failed to create containerd task: {}",
    "OCI runtime create failed: {}",
)
_WARNINGS = (
    ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500: {}"),
    ("Unhealthy", "Liveness probe failed: command failed: {}"),
    ("Failed", "Error: failed to start container: {}"),
    ("FailedMount", "MountVolume.SetUp failed for volume: {}"),
    ("FailedCreatePodSandBox", "Failed to create pod sandbox: {}"),
    ("FailedScheduling", "0/2 nodes are available: {}"),
    ("BackOff", "Back-off restarting failed container: {}"),
    ("Evil", "{}"),
)


def _behind(secret: str, offset: int) -> str:
    """The secret behind so many characters."""
    return f"{(_WORD * (offset // len(_WORD) + 1))[:offset]} {secret} and so on"


def _objects(said: str) -> list[lab.Object]:
    run = {"containers": [lab.container(command=["sh", "-c", said])]}
    plain = [
        lab.deployment("crash", run, [lab.crashing(1, message=said)]),
        lab.deployment("kill", None, [lab.crashing(137, "OOMKilled", message=said)]),
        lab.deployment("quiet", None, [lab.running(ready=False)]),
        lab.deployment("probe", None, [lab.running(ready=False, restarts=3)]),
        lab.deployment("volume", None, [lab.waiting("ContainerCreating")], phase="Pending"),
        lab.deployment("pull", None, [lab.waiting("ImagePullBackOff", said)], phase="Pending"),
        lab.deployment("config", None, [lab.waiting("CreateContainerConfigError", said)], phase="Pending"),
        lab.deployment("mail", None, unschedulable=f"0/2 nodes are available: {said}"),
        lab.deployment("init", run, [lab.waiting("PodInitializing")], phase="Pending", inits=[lab.crashing(1)]),
        lab.job("once", run, [{**lab.running(ready=False), "state": lab.ended(1, message=said)}]),
    ]
    ends = [
        lab.deployment(f"end{at}", run, [lab.waiting("RunContainerError", form.format(said))], phase="Pending")
        for at, form in enumerate(_ENDS)
    ]
    flat = [one for group in (*plain, *ends) for one in group]
    pods = {one["metadata"]["name"].partition("-")[0]: one for one in flat if one["kind"] == "Pod"}
    told = [
        lab.event(pods[name], reason, form.format(said))
        for name in ("crash", "probe", "volume", "quiet", "mail")
        for reason, form in _WARNINGS
    ]
    claim = lab.made("PersistentVolumeClaim", "data", spec={"storageClassName": "x"}, status={"phase": "Pending"})
    return [*lab.base(), *lab.NODES, *flat, *told, claim, lab.event(claim, "ProvisioningFailed", said)]


def _logs(said: str, objects: list[lab.Object]) -> dict[str, str]:
    names = [one["metadata"]["name"] for one in objects if one["kind"] == "Pod"]
    text = f"starting\nERROR could not connect to db: {said}\nfatal: {said}"
    return {f"shop/{name}/app": text for name in names}


async def _answered(tool: Tool, source: BundleSource, **asked: str) -> str:
    answer = await tool.function(TestDesk(source.store, source.logs), **asked)
    assert isinstance(answer, Answer)
    return "\n".join([answer.text, json.dumps(answer.data), answer.untrusted])


@given(offset=_OFFSETS, shape=_SHAPES)
@settings(max_examples=12, deadline=None)
async def test_no_part_of_a_secret_comes_out_wherever_a_text_is_cut(offset: int, shape: Any) -> None:
    said = _behind(AVIARY.plant("somewhere", shape), offset)
    objects = _objects(said)
    source = of_objects([objects], saved_logs(_logs(said, objects)))
    asked = [{}, *({"target": f"deployment/{name}", "namespace": "shop"} for name in ("crash", "end1", "mail"))]
    given_away = set[str]()

    for arguments in asked:
        given_away |= AVIARY.found(await _answered(diagnose, source, **arguments))
    given_away |= AVIARY.found(await _answered(correlate_failures, source))
    given_away |= AVIARY.found(await _answered(find_anomalies, source))

    assert given_away == set()


def test_a_password_that_is_set_twice_is_not_shown() -> None:
    env = [{"name": "DB_PASSWORD", "value": "tiger-7-lane"}, {"name": "DB_PASSWORD", "value": "otter-9-hill"}]
    spec = {"containers": [lab.container(env=env)]}

    found = lab.verdict(lab.deployment("web", spec), "web cannot log in")

    said = json.dumps([one.as_json() for one in found.findings])
    assert "DB_PASSWORD of container 'app'" in said
    assert "tiger" not in said
    assert "otter" not in said


def test_the_password_in_the_command_of_a_probe_is_not_shown() -> None:
    probe = {"exec": {"command": ["tool", "ping", "--password", "tiger-7-lane"]}}
    web = lab.deployment("web", {"containers": [lab.container(readinessProbe=probe)]}, [lab.running(ready=False)])
    told = lab.event(web[-1], "Unhealthy", "Readiness probe failed: command failed")

    found = lab.verdict([*web, told])

    assert "ping --password" in found.best.diagnosis
    assert "tiger" not in json.dumps(found.best.as_json())
