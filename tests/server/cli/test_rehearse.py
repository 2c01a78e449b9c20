"""`kubesteward rehearse` plays cases from a file, line by line, and names the lines that are none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from tests.server.cli.conftest import Command

from kubesteward.cli.exits import FAILED, OK

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {}, "status": {}}
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": {}}


def case(name: str, **fields: Any) -> str:
    body = {"metadata": {"name": "settings"}, "data": {"a": "b"}}
    call = {"verb": "create", "path": "/api/v1/namespaces/shop/configmaps", "body": body}
    return json.dumps({"id": name, "before": {"objects": [NODE, SPACE]}, "mutation": [call], **fields})


def predictions(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_case_gets_a_prediction_in_the_order_of_the_lines(kubesteward: Command, home: Path, jobs: str) -> None:
    names = [f"case-{number:02}" for number in range(12)]
    (home / "cases.jsonl").write_text("\n".join(map(case, names)) + "\n\n")
    said = kubesteward("rehearse", "--cases", "cases.jsonl", "--out", "out.jsonl", "--jobs", jobs)

    assert (said.code, said.out, said.err) == (OK, "", "")
    found = predictions(home / "out.jsonl")
    assert [item["id"] for item in found] == names
    assert {item["responses"][0]["status"] for item in found} == {201}
    assert {item["summary"]["unsafe"] for item in found} == {False}


def test_compressed_files_are_read_and_written(kubesteward: Command, home: Path) -> None:
    with gzip.open(home / "cases.jsonl.gz", "wt") as lines:
        lines.write(case("one"))
    said = kubesteward("rehearse", "--cases", "cases.jsonl.gz", "--out", "out.jsonl.gz")

    assert said.code == OK
    with gzip.open(home / "out.jsonl.gz", "rt") as found:
        assert json.loads(found.read())["id"] == "one"


def test_what_else_a_case_says_changes_nothing(kubesteward: Command, home: Path) -> None:
    (home / "plain.jsonl").write_text(case("one"))
    (home / "more.jsonl").write_text(case("one", summary={"unsafe": True}, after=None, responses=7))
    for name in ("plain", "more"):
        assert kubesteward("rehearse", "--cases", f"{name}.jsonl", "--out", f"{name}.out").code == OK

    assert (home / "plain.out").read_text() == (home / "more.out").read_text()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("nonsense", "not JSON"),
        ("[]", "a case is a JSON object with an `id`, a string."),
        ('{"before": {"objects": []}, "mutation": []}', "with an `id`"),
        ('{"id": "x", "mutation": []}', "`before.objects` must be a list of objects"),
        ('{"id": "x", "before": {"objects": [{"kind": "Pod"}]}, "mutation": []}', "`before.objects` must be a list"),
        ('{"id": "x", "before": {"objects": []}}', "`mutation` must be a list of objects with verb and path."),
        ('{"id": "x", "before": {"objects": []}, "mutation": [{"verb": "get"}]}', "`mutation` must be a list"),
    ],
)
def test_a_line_that_is_no_case_is_named_and_the_others_are_played(
    kubesteward: Command, home: Path, line: str, sentence: str
) -> None:
    (home / "cases.jsonl").write_text("\n".join([case("one"), line, case("two")]))
    said = kubesteward("rehearse", "--cases", "cases.jsonl", "--out", "out.jsonl")

    assert said.code == FAILED
    assert said.err.startswith("cases.jsonl, line 2: ")
    assert sentence in said.err
    assert len(said.err.splitlines()) == 1
    assert [item["id"] for item in predictions(home / "out.jsonl")] == ["one", "two"]


def test_a_case_that_cannot_be_played_is_unknown_and_never_safe(kubesteward: Command, home: Path) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}}
    (home / "cases.jsonl").write_text(case("odd", before={"objects": [NODE, SPACE, pod]}))
    said = kubesteward("rehearse", "--cases", "cases.jsonl", "--out", "out.jsonl")

    assert said.code == FAILED
    assert said.err.startswith("cases.jsonl, line 1: case 'odd' could not be played")
    assert predictions(home / "out.jsonl")[0]["summary"]["unsafe"] is None


def test_a_file_that_is_not_there_or_not_whole_is_one_sentence(kubesteward: Command, home: Path) -> None:
    whole = gzip.compress(case("one").encode())
    (home / "cut.jsonl.gz").write_bytes(whole[:-20])
    (home / "cases.jsonl").write_text(case("one"))

    for words, sentence in [
        (("none.jsonl", "out.jsonl"), "none.jsonl: No such file or directory."),
        (("cut.jsonl.gz", "out.jsonl"), "cut.jsonl.gz is damaged or not whole. Copy it again."),
        (("cases.jsonl", "no/out.jsonl"), "no/out.jsonl: No such file or directory."),
        (("cases.jsonl", "cases.jsonl"), "cases.jsonl holds the cases. Give another file for the predictions."),
    ]:
        said = kubesteward("rehearse", "--cases", words[0], "--out", words[1])
        assert (said.code, said.err) == (FAILED, f"kubesteward: {sentence}\n")
