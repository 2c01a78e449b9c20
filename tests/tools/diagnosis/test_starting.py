"""Containers that cannot start, end, or are killed: the category, the object and the words that name the cause."""

from __future__ import annotations

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    crashing,
    deployment,
    ended,
    event,
    pod,
    running,
    verdict,
    waiting,
)

PULLS = [
    (
        "web:9.9-nope",
        'failed to resolve reference "docker.io/library/web:9.9-nope": docker.io/library/web:9.9-nope: not found',
        "does not exist",
    ),
    (
        "quay.example.com/team/api:2",
        "failed to authorize: failed to fetch anonymous token: 401 Unauthorized",
        "imagePullSecrets",
    ),
    (
        "acme/api:1",
        "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
        "pull access denied",
    ),
    (
        "registry.bad.internal/api:1",
        "dial tcp: lookup registry.bad.internal on 10.0.0.2:53: no such host",
        "no such host",
    ),
    (
        "registry.slow.example/api:1",
        'Head "https://registry.slow.example/v2/": dial tcp 10.9.9.9:443: i/o timeout',
        "cannot be reached",
    ),
    (
        "acme/api:2",
        "429 Too Many Requests - toomanyrequests: You have reached your unauthenticated pull rate limit",
        "rate limit",
    ),
    ("acme/api:3", "no match for platform in manifest: not found", "architecture"),
    ("ngnix:1.27", 'pull access denied for ngnix, repository does not exist or may require "docker login"', "nginx"),
]


@pytest.mark.parametrize(("image", "said", "word"), PULLS)
def test_an_image_that_cannot_be_pulled_is_told_with_the_reason(image: str, said: str, word: str) -> None:
    message = f'Back-off pulling image "{image}"'
    made = deployment(
        "api", {"containers": [container(image=image)]}, [waiting("ImagePullBackOff", message)], phase="Pending"
    )
    told = event(made[-1], "Failed", f'Failed to pull image "{image}": rpc error: code = Unknown desc = {said}')

    found = verdict([*made, told])

    assert blamed(found) == ("ImagePull", "Deployment", "api")
    assert image in found.best.diagnosis
    assert word in found.best.diagnosis


@pytest.mark.parametrize(
    ("reason", "message", "word"),
    [
        (
            "InvalidImageName",
            'Failed to apply default image tag "Web:latest": couldn\'t parse image name "Web:latest": '
            "invalid reference format",
            "valid reference",
        ),
        ("ErrImageNeverPull", 'Container image "web:dev" is not present with pull policy of Never', "Never"),
    ],
)
def test_other_image_faults_are_told_apart(reason: str, message: str, word: str) -> None:
    found = verdict(
        deployment("api", {"containers": [container(image="Web:latest")]}, [waiting(reason, message)], phase="Pending")
    )

    assert blamed(found) == ("ImagePull", "Deployment", "api")
    assert word in found.best.diagnosis


CRASHES = [
    (
        1,
        'Traceback (most recent call last):\n  File "/srv/main.py", line 3, in <module>\n    key = '
        "os.environ['LEDGER_URL']\nKeyError: 'LEDGER_URL'",
        ("LEDGER_URL",),
    ),
    (1, "Error: required environment variable PAYMENT_GATEWAY_KEY is not set", ("PAYMENT_GATEWAY_KEY", "not set")),
    (1, "fatal: STRIPE_TOKEN must be set", ("STRIPE_TOKEN",)),
    (
        1,
        "panic: runtime error: invalid memory address or nil pointer dereference\ngoroutine 1 [running]:",
        ("panic", "nil pointer"),
    ),
    (1, "listen tcp :8080: bind: address already in use", ("port", "already in use")),
    (1, "Error: listen EADDRINUSE: address already in use :::3000", ("already in use",)),
    (1, "OSError: [Errno 28] No space left on device: '/data/wal'", ("disk is full", "No space left")),
    (1, "mkdir: cannot create directory '/var/cache/web': Read-only file system", ("read-only",)),
    (1, "open /etc/app/tls.key: permission denied", ("permission denied",)),
    (1, 'nginx: [emerg] unknown directive "serve_name" in /etc/nginx/conf.d/site.conf:3', ("unknown directive",)),
    (1, "ModuleNotFoundError: No module named 'requestz'", ("No module named", "requestz")),
    (127, "/bin/sh: 1: pyhton: not found", ("pyhton", "not found")),
    (126, "/entrypoint.sh: line 2: /app/run: Permission denied", ("Permission denied",)),
    (1, "exec /app/server: exec format error", ("architecture",)),
    (2, "/bin/sh: syntax error: unterminated quoted string", ("syntax error",)),
    (139, "Segmentation fault (core dumped)", ("Segmentation fault", "139")),
    (3, "boot sequence nine\nsomething odd", ("code 3", "something odd")),
]


@pytest.mark.parametrize(("code", "log", "words"), CRASHES)
def test_a_crash_is_explained_by_the_end_of_its_log(code: int, log: str, words: tuple[str, ...]) -> None:
    made = deployment("ledger", None, [crashing(code)])
    name = made[-1]["metadata"]["name"]

    found = verdict(
        [*made, event(made[-1], "BackOff", "Back-off restarting failed container app in pod")],
        "Why does ledger crash?",
        {f"{name}/app/previous": log},
    )

    assert blamed(found) == ("CrashLoop", "Deployment", "ledger")
    assert [word for word in words if word.lower() not in found.best.diagnosis.lower()] == []


def test_a_command_that_does_not_exist_is_named_with_the_one_that_is_meant() -> None:
    told = (
        'failed to create containerd task: OCI runtime create failed: exec: "pyhton3": executable file not '
        "found in $PATH: unknown"
    )
    made = deployment(
        "etl", {"containers": [container(command=["pyhton3", "run.py"])]}, [crashing(128, "StartError", message=told)]
    )

    found = verdict(made)

    assert blamed(found) == ("CrashLoop", "Deployment", "etl")
    assert "pyhton3" in found.best.diagnosis
    assert "python3" in found.best.diagnosis


def test_a_program_that_finishes_is_no_server() -> None:
    found = verdict(
        deployment("greeter", {"containers": [container(command=["echo", "hi"])]}, [crashing(0, "Completed")])
    )

    assert blamed(found) == ("CrashLoop", "Deployment", "greeter")
    assert "Completed" in found.best.diagnosis


@pytest.mark.parametrize("state", [crashing(137, "OOMKilled"), running(restarts=4, last=ended(137, "OOMKilled"))])
def test_a_container_killed_at_its_memory_limit_is_told_with_the_limit(state: lab.Object) -> None:
    spec = {"containers": [container(resources={"limits": {"memory": "96Mi"}})]}

    found = verdict(deployment("cache", spec, [state]))

    assert blamed(found) == ("OOMKilled", "Deployment", "cache")
    assert "96Mi" in found.best.diagnosis
    assert found.best.proposal is not None


def test_a_program_that_runs_out_of_heap_is_out_of_memory() -> None:
    made = deployment("search", None, [crashing(3)])
    log = "java.lang.OutOfMemoryError: Java heap space\n\tat com.example.Index.load(Index.java:9)"

    found = verdict(made, "", {f"{made[-1]['metadata']['name']}/app": log})

    assert blamed(found) == ("OOMKilled", "Deployment", "search")


MISSING = [
    ("CreateContainerConfigError", 'secret "billing-db" not found', ("billing-db", "Secret", "not found")),
    (
        "CreateContainerConfigError",
        'configmap "feature-flags" not found',
        ("feature-flags", "ConfigMap", "does not exist"),
    ),
    ("CreateContainerConfigError", "couldn't find key dsn in Secret shop/billing-db", ("'dsn'", "billing-db")),
    ("CreateContainerConfigError", "couldn't find key LOG_LEVEL in ConfigMap shop/settings", ("LOG_LEVEL", "settings")),
]


@pytest.mark.parametrize(("reason", "message", "words"), MISSING)
def test_configuration_that_is_missing_is_named(reason: str, message: str, words: tuple[str, ...]) -> None:
    made = deployment("billing", None, [waiting(reason, message)], phase="Pending")

    found = verdict([*made, event(made[-1], "Failed", f"Error: {message}")])

    assert blamed(found) == ("ConfigMissing", "Deployment", "billing")
    assert [word for word in words if word not in found.best.diagnosis] == []


@pytest.mark.parametrize(
    "told",
    [
        'MountVolume.SetUp failed for volume "conf" : configmap "gateway-conf" not found',
        'MountVolume.SetUp failed for volume "conf" : secret "gateway-conf" not found',
        'MountVolume.SetUp failed for volume "conf" : references non-existent config key: gateway.yaml',
    ],
)
def test_a_volume_of_missing_configuration_is_told(told: str) -> None:
    spec = {"containers": [container()], "volumes": [{"name": "conf", "configMap": {"name": "gateway-conf"}}]}
    made = deployment("gateway", spec, [waiting("ContainerCreating")], phase="Pending")

    found = verdict([*made, event(made[-1], "FailedMount", told)])

    assert blamed(found) == ("ConfigMissing", "Deployment", "gateway")


def test_a_key_that_a_config_map_lacks_is_told_with_those_it_has() -> None:
    variable = {"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "modes", "key": "mode"}}}
    made = deployment(
        "worker",
        {"containers": [container(env=[variable])]},
        [waiting("CreateContainerConfigError", "couldn't find key mode in ConfigMap shop/modes")],
        phase="Pending",
    )

    found = verdict([*made, lab.made("ConfigMap", "modes", data={"modus": "fast"})])

    assert "It has only: modus" in found.best.diagnosis


INITS = [
    (
        ["sh", "-c", "until nslookup ledger-db; do sleep 2; done"],
        "waiting for ledger-db",
        ("ledger-db", "does not exist"),
    ),
    (
        ["sh", "-c", "until nc -z ledger-db.shop.svc.cluster.local 5432; do echo waiting; sleep 2; done"],
        "waiting",
        ("ledger-db", "does not exist"),
    ),
    (["sh", "-c", "while true; do sleep 1; done"], "", ("has not ended",)),
]


@pytest.mark.parametrize(("command", "log", "words"), INITS)
def test_an_init_container_that_waits_for_ever_is_told_with_what_it_waits_for(
    command: list[str], log: str, words: tuple[str, ...]
) -> None:
    spec = {"initContainers": [container("wait-db", "busybox:1.36", command=command)], "containers": [container()]}
    made = deployment(
        "ledger", spec, [waiting("PodInitializing")], phase="Pending", inits=[running("wait-db", ready=False)]
    )
    name = made[-1]["metadata"]["name"]

    found = verdict(made, "Why is ledger stuck?", {f"{name}/wait-db": log})

    assert blamed(found) == ("InitStuck", "Deployment", "ledger")
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_an_init_container_that_fails_keeps_the_pod_from_starting() -> None:
    spec = {"initContainers": [container("migrate", command=["./migrate"])], "containers": [container()]}
    made = deployment(
        "ledger", spec, [waiting("PodInitializing")], phase="Pending", inits=[crashing(1, name="migrate")]
    )
    name = made[-1]["metadata"]["name"]

    found = verdict(made, "", {f"{name}/migrate": 'ERROR: migration 12 failed: relation "accounts" already exists'})

    assert blamed(found) == ("InitStuck", "Deployment", "ledger")
    assert "accounts" in found.best.diagnosis


JOBS = [
    ("BackoffLimitExceeded", 1, "Error: cannot parse date '2026-13-01'", ("2026-13-01", "backoffLimit")),
    ("DeadlineExceeded", 143, "", ("activeDeadlineSeconds 30",)),
    ("BackoffLimitExceeded", 2, '/bin/sh: syntax error: unexpected end of file (expecting "done")', ("syntax error",)),
]


@pytest.mark.parametrize(("reason", "code", "log", "words"), JOBS)
def test_a_job_that_fails_is_told_with_the_reason_of_its_pods(
    reason: str, code: int, log: str, words: tuple[str, ...]
) -> None:
    done = {"name": "app", "ready": False, "restartCount": 0, "state": ended(code), "lastState": {}}

    found = verdict(
        lab.job("nightly-report", {"containers": [container()], "restartPolicy": "Never"}, [done], reason=reason),
        "",
        {"nightly-report-x1/app": log},
    )

    assert blamed(found) == ("JobFailure", "Job", "nightly-report")
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_cron_job_that_is_suspended_is_told_when_somebody_misses_it() -> None:
    spec = {
        "schedule": "0 3 * * *",
        "suspend": True,
        "jobTemplate": {"spec": {"template": {"spec": {"containers": [container()]}}}},
    }

    found = verdict(
        [lab.made("CronJob", "backup", "shop", "batch/v1", spec=spec)], "Why does the cronjob backup not run?"
    )

    assert blamed(found) == ("JobFailure", "CronJob", "backup")
    assert "suspend" in found.best.diagnosis


def test_an_evicted_pod_leads_to_its_node() -> None:
    message = "The node was low on resource: ephemeral-storage. Threshold quantity: 1Gi, available: 100Ki."
    gone = pod("logger", {"containers": [container()]}, [], phase="Failed", reason="Evicted", message=message)

    found = verdict([gone])

    assert blamed(found) == ("NodePressure", "Node", "worker-1")
