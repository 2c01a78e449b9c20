"""The real `kubectl exec` against `kubesteward cluster`: over WebSocket, with exit codes and the server's words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.e2e.embedded import Kubectl, running

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "tool"},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "tool:1",
                "command": ["serve", "--port=80"],
                "env": [{"name": "COLOUR", "value": "blue"}],
                "volumeMounts": [{"name": "config", "mountPath": "/config"}],
            },
            {"name": "side", "image": "side:1"},
        ],
        "volumes": [{"name": "config", "configMap": {"name": "settings"}}],
    },
}
SETTINGS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "settings"},
    "data": {"app.conf": "threads = 4\n"},
}


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubectl]:
    with running(tmp_path_factory.mktemp("cluster")) as path:
        found = Kubectl(path, "default")
        found.apply(SETTINGS, POD)
        found("wait", "pod/tool", "--for=condition=Ready", "--timeout=40s")
        yield found


def test_commands_answer_from_the_pod(kubectl: Kubectl) -> None:
    assert kubectl("exec", "tool", "-c", "app", "--", "hostname") == "tool\n"
    assert "COLOUR=blue\n" in kubectl("exec", "tool", "-c", "app", "--", "env")
    assert kubectl("exec", "tool", "-c", "app", "--", "cat", "/config/app.conf") == "threads = 4\n"
    assert kubectl("exec", "tool", "-c", "app", "--", "ls", "/config") == "app.conf\n"
    assert "search default.svc.cluster.local" in kubectl("exec", "tool", "-c", "side", "--", "cat", "/etc/resolv.conf")
    assert "serve --port=80" in kubectl("exec", "tool", "-c", "app", "--", "ps")
    assert "Mounted on" in kubectl("exec", "tool", "-c", "app", "--", "df", "-h")


def test_an_exit_code_is_handed_on(kubectl: Kubectl) -> None:
    done = kubectl.run("exec", "tool", "-c", "app", "--", "cat", "/nothing")

    assert done.returncode == 1
    assert "cat: /nothing: No such file or directory" in done.stderr
    assert "command terminated with exit code 1" in done.stderr


def test_a_program_that_is_not_there_is_not_found(kubectl: Kubectl) -> None:
    assert 'exec: "bash": executable file not found in $PATH' in kubectl.refused(
        "exec", "tool", "-c", "app", "--", "bash"
    )


def test_a_container_that_is_not_there_is_refused_in_the_servers_words(kubectl: Kubectl) -> None:
    assert "container nobody is not valid for pod tool" in kubectl.refused(
        "exec", "tool", "-c", "nobody", "--", "hostname"
    )
