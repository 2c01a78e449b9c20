"""`kubesteward simulate`: verdicts as exit codes, reports in every form, and one sentence for whatever goes wrong."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from tests.server.cli.conftest import Command, Said
from tests.server.cli.terminal import PROGRAM, at_a_terminal, started, until

from kubesteward.cli.exits import FAILED, INTERRUPTED, OK
from kubesteward.cli.simulate import BLOCKED, UNKNOWN, parser
from kubesteward_tools.twin.rehearsal import Rehearsal

EXAMPLES = Path(__file__).parents[3] / "examples/ci"
BUNDLE = ("--from-bundle", str(EXAMPLES / "cluster.yaml"))


def manifests(name: str) -> tuple[str, ...]:
    return ("simulate", "-f", str(EXAMPLES / "manifests" / name), *BUNDLE)


def with_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    stdin = io.StringIO(text)
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=bool, read=stdin.read))


@pytest.mark.requirement("simulate.exit-codes")
@pytest.mark.parametrize(
    ("name", "code", "verdict"),
    [("safe", OK, "warn"), ("blocked", BLOCKED, "blocked"), ("unknown", UNKNOWN, "unknown")],
)
def test_the_exit_code_is_the_verdict(kubesteward: Command, name: str, code: int, verdict: str) -> None:
    said = kubesteward(*manifests(name))

    assert (said.code, said.err) == (code, "")
    assert said.out.splitlines()[1].startswith(f"{verdict}: ")


def test_warnings_fail_the_build_only_when_asked_to(kubesteward: Command) -> None:
    assert kubesteward(*manifests("safe"), "--fail-on", "warn").code == BLOCKED
    assert kubesteward(*manifests("unknown"), "--fail-on", "warn").code == UNKNOWN


def test_json_is_the_rehearsal(kubesteward: Command) -> None:
    said = kubesteward(*manifests("blocked"), "-o", "json")

    assert Rehearsal.model_validate_json(said.out).verdict == "blocked"


def test_one_run_writes_every_report(kubesteward: Command, home: Path) -> None:
    outputs = ["--json", "r.json", "--markdown", "r.md", "--sarif", "r.sarif", "--svg", "r.svg"]
    said = kubesteward(*manifests("blocked"), *outputs)
    sarif = json.loads((home / "r.sarif").read_text())
    (first, *_) = sarif["runs"][0]["results"]

    assert said.out.startswith("Apply ConfigMap shop/web and 1 more (cluster)\nblocked: ")
    assert json.loads((home / "r.json").read_text())["verdict"] == "blocked"
    assert (home / "r.md").read_text().count("```mermaid") == 2
    assert ElementTree.parse(home / "r.svg").getroot().tag.endswith("svg")
    assert (first["ruleId"], first["level"]) == ("quota.exceeded", "error")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"].endswith("manifests/blocked/web.yaml")
    assert place["region"] == {"startLine": 11}


def test_out_takes_what_would_be_printed(kubesteward: Command, home: Path) -> None:
    said = kubesteward(*manifests("blocked"), "-o", "markdown", "--out", "r.md")

    assert (said.code, said.out, said.err) == (BLOCKED, "", "")
    assert (home / "r.md").read_text() == kubesteward(*manifests("blocked"), "-o", "markdown").out


def test_a_stream_is_a_plan(kubesteward: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = "".join(f"---\n{file.read_text()}" for file in sorted((EXAMPLES / "manifests").glob("[!b]*/*.yaml")))
    with_input(monkeypatch, stream)
    said = kubesteward("simulate", "-f", "-", *BUNDLE)

    assert said.code == UNKNOWN
    assert said.out.startswith("Apply ConfigMap shop/web and 2 more (cluster)\n")
    assert "prometheusrules shop/web: what its controller makes of the change is not known" in said.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["deployment/web", "-n", "shop", "--scale", "4"], OK, "Scale Deployment shop/web from 3 to 4"),
        (["deployment", "web", "-n", "shop", "--scale", "30"], BLOCKED, "exceeded quota"),
        (["deploy/web", "--image", "web=example.com/web:2"], OK, "Set the image of Deployment shop/web web"),
        (["deploy/web", "--image", "example.com/web:2"], OK, "to example.com/web:2"),
        (["deploy/web", "--patch", '{"spec":{"replicas":0}}'], BLOCKED, "Patch Deployment shop/web: spec.replicas"),
        (
            ["deploy/web", "--type", "json", "--patch", '[{"op":"remove","path":"/spec/nope"}]'],
            BLOCKED,
            "Patch Deployment shop/web: remove /spec/nope",
        ),
        (["--restart", "deploy/web"], OK, "Restart Deployment shop/web"),
        (["--delete", "deployment/web", "-n", "shop"], BLOCKED, "Delete Deployment shop/web"),
        (["--drain", "node-1"], OK, "Drain Node node-1"),
        (["--cordon", "node-1"], OK, "Cordon Node node-1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_actions_are_rehearsed_as_their_tools_do_it(
    kubesteward: Command, words: list[str], code: int, sentence: str
) -> None:
    said = kubesteward("simulate", *words, *BUNDLE)

    assert (said.code, said.err) == (code, "")
    assert sentence in said.out


def test_the_failure_of_a_node_is_a_question_with_an_answer_and_no_change(kubesteward: Command) -> None:
    said = kubesteward("simulate", "--fail-node", "node-1", "-o", "json", *BUNDLE)
    found = json.loads(said.out)

    assert (found["hypothetical"], found["failed_nodes"], found["admission"]) == (True, ["node-1"], [])
    assert said.code == {"safe": OK, "warn": OK, "blocked": BLOCKED, "unknown": UNKNOWN}[found["verdict"]]


@pytest.mark.parametrize("form", ["text", "markdown", "sarif"])
def test_every_report_can_tell_of_a_failure(kubesteward: Command, form: str) -> None:
    assert "Failure of node node-1" in kubesteward("simulate", "--fail-node", "node-1", "-o", form, *BUNDLE).out


def test_a_patch_may_come_from_a_pipe(kubesteward: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with_input(monkeypatch, "spec:\n  replicas: 4\n")

    assert kubesteward("simulate", "deploy/web", "--patch", "-", *BUNDLE).code == OK


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give one change, as -f, --scale, --image, --patch or --delete (nothing is given)."),
        (["--scale", "3", "-f", "a"], "(--filename, --scale are given)."),
        (["--scale", "3"], "--scale needs an object: kind/name, such as deployment/web."),
        (["--scale", "x", "deploy/web"], "invalid int value: 'x'"),
        (["--scale", "-1", "deploy/web"], "replicas is out of range"),
        (["--scale", "3", "web"], "'web' is of no kind. Write kind/name, such as deployment/web."),
        (["--scale", "3", "deploy/wbe"], "there is no Deployment 'wbe'. Did you mean 'web'?"),
        (["--scale", "3", "deplyoment/web"], "this cluster has no kind 'deplyoment'. Did you mean Deployment?"),
        (["--scale", "3", "deploy/web"], "has 3 replicas already."),
        (["--scale", "3", "deploy/web", "--type", "merge"], "--type belongs to --patch."),
        (["--drain", "node-9"], "there is no Node 'node-9'. Did you mean"),
        (["--drain", "service/web"], "Service shop/web is no Node. Name a Node."),
        (["--delete", "deploy/web", "deploy/web"], "--delete deploy/web takes no object beside it"),
        (["--patch", "{", "deploy/web"], "patch is no YAML or JSON at line"),
        (["-f", "nothing.yaml"], "there is no file or folder 'nothing.yaml'."),
        (["-f", str(EXAMPLES / "manifests/broken")], "manifests/broken/web.yaml:2: an object lacks kind."),
        (["-f", str(EXAMPLES / "manifests/unknown"), "-n", "other"], "in another namespace than 'other'"),
        (["-f", str(EXAMPLES / "manifests/safe"), "deploy/web"], "-f takes no object beside it ('deploy/web')."),
        (["-f", str(EXAMPLES / "manifests/safe"), "--out", "no/x"], "there is no folder 'no' to write x into."),
        (["--restart", "deploy/web", "--svg", "x", "--json", "x"], "x is used twice."),
        (["--restart", "deploy/web", "--embedded"], "name three states. Give one."),
        (["--nonsense"], "unrecognized arguments: --nonsense. See kubesteward simulate --help."),
        (["-o", "yaml"], "invalid choice: 'yaml'"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else "",
)
def test_what_is_wrong_is_one_sentence_and_exit_code_1(kubesteward: Command, words: list[str], sentence: str) -> None:
    said = kubesteward("simulate", *words, *BUNDLE)

    assert (said.code, said.out) == (FAILED, "")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            [],
            "there is no cluster: no kubeconfig was found. Name a context, a bundle, or --embedded",
        ),
        (["--from-bundle", "nowhere"], "there is no bundle at nowhere."),
        (["--kubeconfig", "nowhere"], "there is no kubeconfig at nowhere."),
        (["--embedded", "nothing"], "there is no scenario 'nothing'. Choose one of: empty, healthy"),
    ],
)
def test_a_state_that_is_not_there_is_never_guessed(kubesteward: Command, words: list[str], sentence: str) -> None:
    said = kubesteward("simulate", "--delete", "deploy/web", *words)

    assert said.code == FAILED
    assert sentence in said.err


def test_a_bundle_without_nodes_says_what_to_save(kubesteward: Command, home: Path) -> None:
    (home / "b.yaml").write_text("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n")
    said = kubesteward("simulate", "--delete", "service/a", "--from-bundle", "b.yaml")

    assert (said.code, said.out) == (FAILED, "")
    assert "Save `kubectl get nodes -o yaml`" in said.err


def test_values_of_secrets_are_in_no_report(kubesteward: Command, home: Path) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    values = {"data": {"a": "!!hunter2hunter2"}, "stringData": {"b": "correct-horse"}}
    (home / "s.json").write_text(json.dumps({**secret, **values}))
    outputs = ["--json", "r.json", "--markdown", "r.md", "--sarif", "r.sarif", "--svg", "r.svg"]
    said = kubesteward("simulate", "-f", "s.json", *BUNDLE, *outputs)
    patched = kubesteward(
        "simulate", "--patch", '{"stringData":{"b":["correct-horse"]}}', "secret/s", "-n", "shop", *BUNDLE
    )
    texts = [said.out, said.err, patched.out, patched.err, *(path.read_text() for path in home.glob("r.*"))]

    assert said.code == BLOCKED
    assert [text for text in texts if "hunter2" in text or "correct-horse" in text] == []


def test_a_terminal_gets_colours_unless_it_wants_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    words = manifests("blocked")

    assert "\x1b[1;31mblocked" in at_a_terminal(words, {})[1]
    monkeypatch.setenv("NO_COLOR", "1")
    code, plain = at_a_terminal(words, {})
    assert (code, "\x1b[1;31m" in plain) == (BLOCKED, False)


def test_ctrl_c_while_it_reads_is_no_traceback(home: Path) -> None:
    code, said = at_a_terminal(["simulate", "-f", "-", *BUNDLE], {"end with Ctrl-D": "\x03"})

    assert code == INTERRUPTED
    assert "Traceback" not in said


def test_a_reader_that_leaves_changes_nothing(home: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        [*PROGRAM, *manifests("blocked")], stdout=theirs, stderr=subprocess.PIPE, timeout=30, check=False
    )
    os.close(theirs)

    assert (done.returncode, done.stderr) == (BLOCKED, b"")


def test_a_live_cluster_is_read_and_never_written(kubesteward: Command, home: Path) -> None:
    with started("cluster", "--kubeconfig", "kc", "--scenario", "incident") as cluster:
        until(cluster, "kc")
        same = [
            simulated(kubesteward, *state)
            for state in (("--from-cluster",), ("--from-cluster", "kubesteward-embedded"))
        ]
        typo = kubesteward(
            "simulate", "--restart", "deploy/web", "--kubeconfig", "kc", "--from-cluster", "kubesteward-embeded"
        )
        cluster.send_signal(signal.SIGINT)

    assert [said.code for said in same] == [BLOCKED, BLOCKED]
    assert "exceeded quota" in same[0].out
    assert same[0].out.splitlines()[0].endswith("(kubesteward-embedded)")
    assert (typo.code, "Did you mean kubesteward-embedded?" in typo.err) == (FAILED, True)


def simulated(kubesteward: Command, *state: str) -> Said:
    return kubesteward("simulate", "deploy/web", "-n", "shop", "--scale", "30", "--kubeconfig", "kc", *state)


def test_help_is_short_and_tells_the_exit_codes(kubesteward: Command) -> None:
    said = kubesteward("simulate", "--help")

    assert said.code == OK
    assert "0 safe, or with warnings only; 2 blocked" in said.out
    assert len(said.out.splitlines()) < 70


def test_every_option_is_in_the_documentation() -> None:
    page = (EXAMPLES.parents[1] / "docs/simulate.md").read_text()
    options = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", " ".join(parser().format_help().split()))) - {"--help"}

    assert {option for option in options if option not in page} == set()
