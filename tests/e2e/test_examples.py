"""The examples do what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.serving import environment

from kubesteward.cli.serve import parser

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("file", sorted((EXAMPLES / "clients").glob("*.json")), ids=lambda path: path.name)
def test_a_client_configuration_starts_this_server(file: Path) -> None:
    (entry,) = next(iter(json.loads(file.read_text()).values())).values()

    assert entry["command"] == "kubesteward"
    assert entry["args"][0] == "serve"
    parser().parse_args(entry["args"][1:])


def on_path(folder: Path) -> str:
    """A PATH where `kubesteward` is what is tested."""
    folder.mkdir()
    command = folder / "kubesteward"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kubesteward "$@"\n')
    command.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def script(tmp_path: Path, name: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The shell example, run in the checkout as its README says."""
    words = [
        "sh",
        "examples/ci/simulate.sh",
        str(Path("examples/ci/manifests") / name),
        "--from-bundle",
        "examples/ci/cluster.yaml",
    ]
    named = {"PATH": on_path(tmp_path / "bin"), "REPORTS": str(tmp_path / "reports"), **more}
    return subprocess.run(
        words,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=EXAMPLES.parent,
        env=environment(tmp_path) | named,
    )


@pytest.mark.requirement("examples.run")
@pytest.mark.parametrize(("name", "code"), [("safe", 0), ("blocked", 2), ("unknown", 3), ("broken", 1)])
def test_the_script_tells_the_build_by_its_exit_code(tmp_path: Path, name: str, code: int) -> None:
    done = script(tmp_path, name)
    left = sorted(path.name for path in (tmp_path / "reports").iterdir())

    assert done.returncode == code, done.stdout + done.stderr
    assert left == ([f"rehearsal.{form}" for form in ("json", "md", "sarif", "svg")] if code != 1 else [])


def test_the_script_lets_unknown_changes_through_where_it_is_told_to(tmp_path: Path) -> None:
    assert script(tmp_path, "unknown", ALLOW_UNKNOWN="true").returncode == 0


def test_the_script_renders_kustomizations_and_keeps_no_report_of_an_earlier_run(tmp_path: Path) -> None:
    folder, reports = tmp_path / "kustom", tmp_path / "reports"
    folder.mkdir()
    reports.mkdir()
    shutil.copy(EXAMPLES / "ci/manifests/blocked/web.yaml", folder)
    (folder / "kustomization.yaml").write_text("resources: [web.yaml]\n")
    (reports / "rehearsal.md").write_text("of yesterday")
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl renders kustomizations, and there is none")

    assert script(tmp_path, str(folder)).returncode == 2
    assert "exceeded quota" in (reports / "rehearsal.md").read_text()


def test_the_script_says_how_it_is_used(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", str(EXAMPLES / "ci/simulate.sh")], capture_output=True, text=True, timeout=10, check=False
    )

    assert done.returncode == 1
    assert "simulate.sh MANIFESTS" in done.stderr


def workflow() -> dict[str, Any]:
    return dict(yaml.safe_load((EXAMPLES / "ci/github-workflow.yaml").read_text()))


def step(name: str) -> dict[str, Any]:
    (found,) = [item for item in workflow()["jobs"]["simulate"]["steps"] if item.get("name") == name]
    return dict(found)


def as_actions_does(tmp_path: Path, name: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A `run:` step as GitHub Actions runs it: bash -e, in the checkout, with the workflow's env and its own files."""
    checkout = tmp_path / "checkout"
    shutil.copytree(EXAMPLES / "ci", checkout / "examples/ci")
    files = {"GITHUB_STEP_SUMMARY": tmp_path / "summary.md", "GITHUB_ENV": tmp_path / "env", "RUNNER_TEMP": tmp_path}
    named = {"PATH": on_path(tmp_path / "bin"), **{key: str(path) for key, path in files.items()}}
    file = tmp_path / "step.sh"
    file.write_text(step(name)["run"])
    return subprocess.run(
        ["bash", "-e", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=checkout,
        env=environment(tmp_path) | workflow()["env"] | named | more,
    )


@pytest.mark.parametrize(("name", "code"), [("safe", 0), ("blocked", 2)])
def test_the_workflow_simulates_and_writes_the_summary(tmp_path: Path, name: str, code: int) -> None:
    done = as_actions_does(tmp_path, "Simulate", MANIFESTS=f"examples/ci/manifests/{name}")
    reports = tmp_path / "checkout/reports"
    sarif = json.loads((reports / "rehearsal.sarif").read_text())
    paths = {
        item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in sarif["runs"][0]["results"]
    }

    assert done.returncode == code, done.stdout + done.stderr
    assert (tmp_path / "summary.md").read_text() == (reports / "rehearsal.md").read_text()
    assert paths == {f"examples/ci/manifests/{name}/web.yaml"}
    assert (tmp_path / "checkout" / step("Show the findings beside the lines")["with"]["sarif_file"]).is_file()


def test_the_workflow_keeps_the_kubeconfig_to_itself(tmp_path: Path) -> None:
    done = as_actions_does(tmp_path, "Access to the cluster", KUBECONFIG_DATA="apiVersion: v1")
    kept = tmp_path / "kubeconfig"

    assert (done.returncode, done.stdout) == (0, "")
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == ("apiVersion: v1", 0o600)
    assert (tmp_path / "env").read_text() == f"KUBECONFIG={kept}\n"


def test_the_workflow_asks_for_no_more_rights_than_it_needs() -> None:
    assert workflow()["permissions"] == {"contents": "read", "security-events": "write"}
