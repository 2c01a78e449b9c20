"""The embedded cluster as a command, and ways of waiting for it: by its own watches, never by sleeping."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_PATIENCE = 40.0


@contextlib.contextmanager
def running(folder: Path, scenario: str = "empty") -> Iterator[Path]:
    """The kubeconfig of a `kubesteward cluster`, which must end well when it is interrupted."""
    kubeconfig = folder / "kubeconfig"
    command = [sys.executable, "-m", "kubesteward", "cluster", "--kubeconfig", str(kubeconfig), "--scenario", scenario]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        first = server.stdout.readline()
        assert "listens on https://127.0.0.1:" in first, server.communicate(timeout=10)
        try:
            yield kubeconfig
        finally:
            server.send_signal(signal.SIGINT)
            _, said = server.communicate(timeout=20)
    assert "Traceback" not in said, said
    assert not kubeconfig.exists()


class Kubectl:
    """kubectl in one namespace of one cluster."""

    def __init__(self, kubeconfig: Path, namespace: str = "") -> None:
        program = shutil.which("kubectl")
        if program is None:
            pytest.skip("there is no kubectl on this machine")
        self._start = [program, f"--kubeconfig={kubeconfig}", *([f"--namespace={namespace}"] if namespace else [])]

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [*self._start, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=90, check=False)

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        """What it prints; it must succeed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def refused(self, *arguments: str, stdin: str | None = None) -> str:
        """What it complains about; it must fail."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode != 0, f"kubectl {' '.join(arguments)} succeeded: {done.stdout}"
        return done.stderr

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))

    def apply(self, *objects: dict[str, Any]) -> str:
        return self("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}))

    def rolled_out(self, name: str) -> None:
        self("rollout", "status", name, f"--timeout={_PATIENCE:.0f}s")

    def until(self, text: str, *arguments: str) -> str:
        """Watch (`get ... -w`) until a line holds the text; that line."""
        command = [*self._start, *arguments, "-w"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
            assert watch.stdout is not None
            impatience = threading.Timer(_PATIENCE, watch.kill)
            impatience.start()
            try:
                for line in watch.stdout:
                    if text in line:
                        return line
            finally:
                impatience.cancel()
                watch.kill()
        raise AssertionError(f"{text!r} was not seen by kubectl {' '.join(arguments)}")


def deployment(
    name: str, *, image: str = "nginx:1.27", replicas: int = 3, cpu: str = "50m", **container: Any
) -> dict[str, Any]:
    resources = {"requests": {"cpu": cpu, "memory": "32Mi"}, "limits": {"memory": "64Mi"}}
    main = {"name": "app", "image": image, "resources": resources, **container}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [main]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"name": "http", "port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def budget(name: str, available: int) -> dict[str, Any]:
    spec = {"minAvailable": available, "selector": {"matchLabels": {"app": name}}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name}, "spec": spec}
