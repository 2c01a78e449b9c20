"""`kubesteward forecast` and `rightsize`, run as commands on the demonstration cluster and on saved objects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kubesteward", *arguments]
    own = {name: value for name, value in os.environ.items() if name != "COLUMNS"}  # lines stay whole
    env = {**own, "PYTHONIOENCODING": "utf-8", **environment}
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=env, encoding="utf-8")


def test_the_leak_of_the_demonstration_is_drawn_and_told(tmp_path: Path) -> None:
    picture = tmp_path / "leak.svg"
    done = run("forecast", "--embedded", "leak", "--svg", str(picture))

    assert done.returncode == 0
    head, first, course, *rest = done.stdout.splitlines()
    assert head == "1 used up within 24 h (warnings), 0 more within 7d"
    assert first.startswith("warning  memory of Pod shop/cart-")
    assert "█" in course
    assert any(line.startswith("looked at: 14 courses of memory") for line in rest)
    assert any(line.startswith("NOT KNOWN disk of nodes") for line in rest)
    assert picture.read_text("utf-8").startswith("<svg")


def test_a_terminal_without_blocks_gets_plain_characters() -> None:
    done = run(
        "forecast", "deploy/cart", "-n", "shop", "--metric", "memory", "--embedded", "leak", PYTHONIOENCODING="ascii"
    )

    assert done.returncode == 0
    assert re.search(r"_\.+-+~+=+\++\*+#", done.stdout)
    assert done.stdout.isascii()


def test_json_holds_the_numbers_behind_it() -> None:
    found = json.loads(run("forecast", "--embedded", "leak", "--json").stdout)
    (leak,) = found["forecasts"]

    assert (leak["severity"], leak["metric"], leak["owner"]) == ("warning", "memory", "Deployment/cart")
    assert leak["interval"]["from"] <= leak["seconds_left"] <= leak["interval"]["to"]
    assert leak["samples"] > 50
    assert found["not_known"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("deploy/crat", "-n", "shop"), "Did you mean 'cart'"),
        (("--horizon", "never"), "'never' is no span of time."),
        (("--embedded", "chaos"), "there is no scenario 'chaos'"),
        (("nodes", "--metric", "quota"), "'nodes' has no quota."),
    ],
)
def test_wrong_input_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    done = run("forecast", *(() if "--embedded" in arguments else ("--embedded", "leak")), *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bundle_has_no_course_and_it_says_so(tmp_path: Path) -> None:
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"containers": []},
    }
    (tmp_path / "pods.json").write_text(json.dumps(pod), "utf-8")
    done = run("forecast", "--bundle", str(tmp_path))
    sized = run("rightsize", "--bundle", str(tmp_path))

    assert done.returncode == 0
    assert "Not enough is known to say what will be used up within 7d." in done.stdout
    assert "NOT KNOWN memory of containers: a bundle holds no metrics." in done.stdout
    assert "0 sizes are wrong, 0 fit, of 0 too little is known." in sized.stdout


def test_sizes_of_the_demonstration() -> None:
    done = run("rightsize", "--embedded", "leak")
    found = json.loads(run("rightsize", "deploy/web", "-n", "shop", "--embedded", "leak", "--json").stdout)
    wrong = run("rightsize", "secret/acquirer", "-n", "shop", "--embedded", "leak")

    assert "0 sizes are wrong, 12 fit, of 0 too little is known." in done.stdout
    assert "6 containers without a cpu limit." in done.stdout
    assert [size["verdict"] for size in found["workloads"][0]["sizes"]] == ["fits", "fits"]
    assert "has no template that can be sized" in wrong.stderr


def test_a_command_that_ends_does_not_promise_to_sample_from_now_on() -> None:
    from kubesteward.cli.forecast import _remedied
    from kubesteward_tools.forecasting.counted import WATCHED
    from kubesteward_tools.forecasting.measured import SAMPLED

    said = [_remedied(f"quota: {line}") for line in (WATCHED, SAMPLED)]

    assert said == ["quota: --sample 15m watches for so long first"] * 2
