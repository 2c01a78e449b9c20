"""The examples do what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.e2e.serving import environment

from kubesteward.cli.serve import parser

EXAMPLES = Path(__file__).parents[2] / "examples"


def rehearse(state: Path, manifest: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / "ci/rehearse.py"), str(manifest), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment(state))


@pytest.mark.requirement("examples.run")
def test_a_manifest_that_the_quota_has_no_room_for_fails_the_build(tmp_path: Path) -> None:
    done = rehearse(tmp_path, EXAMPLES / "ci/deployment.yaml", "--embedded", "incident")

    assert done.returncode == 2, done.stderr
    assert "exceeded quota" in done.stdout


def test_a_manifest_that_fits_passes(tmp_path: Path) -> None:
    manifest = tmp_path / "web.yaml"
    manifest.write_text((EXAMPLES / "ci/deployment.yaml").read_text().replace("replicas: 30", "replicas: 3"))
    done = rehearse(tmp_path, manifest, "--embedded", "incident")

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_manifest_that_is_none_is_an_error(tmp_path: Path) -> None:
    manifest = tmp_path / "web.yaml"
    manifest.write_text("kind: [")
    done = rehearse(tmp_path, manifest, "--embedded", "incident")

    assert done.returncode == 1
    assert "manifest is no YAML" in done.stdout


@pytest.mark.parametrize("file", sorted((EXAMPLES / "clients").glob("*.json")), ids=lambda path: path.name)
def test_a_client_configuration_starts_this_server(file: Path) -> None:
    (entry,) = next(iter(json.loads(file.read_text()).values())).values()

    assert entry["command"] == "kubesteward"
    assert entry["args"][0] == "serve"
    parser().parse_args(entry["args"][1:])


def test_the_workflow_calls_the_script_with_options_of_the_server() -> None:
    steps = yaml.safe_load((EXAMPLES / "ci/github-workflow.yaml").read_text())["jobs"]["rehearse"]["steps"]
    words = steps[-1]["run"].split()

    assert words[1].endswith("rehearse.py")
    parser().parse_args(words[3:])
