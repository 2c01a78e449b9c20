"""Every object of a stream is found with its place, and what is none is named with a line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tools.plans.worlds import problems, read

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.plans import files
from kubesteward_tools.plans.documents import Reading

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def gather(*names: str, recursive: bool = False, stdin: bytes = b"") -> list[str]:
    found = files.gather(names, io.BytesIO(stdin), recursive=recursive)
    return [f"{item.label} {item.place}" for item in found]


def test_empty_documents_and_comments_are_no_objects() -> None:
    found = read(f"---\n# nothing\n---\n{MAP}---\n---\n# Source: not/this.yaml too\n{MAP}...\n")

    assert [(item.label, str(item.place)) for item in found] == [
        ("ConfigMap a", "a.yaml:4"),
        ("ConfigMap a", "a.yaml:10"),
    ]


def test_lists_of_all_kinds_are_taken_apart_and_items_keep_their_lines() -> None:
    found = read(
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n"
        "- apiVersion: v1\n  kind: ServiceList\n  items:\n  - metadata: {name: b, namespace: n}\n"
    )

    assert [(item.label, item.place.line) for item in found] == [("ConfigMap a", 4), ("Service n/b", 10)]
    assert found[1].body["apiVersion"] == "v1"


def test_fields_have_lines_and_missing_ones_that_of_what_is_around_them() -> None:
    (found,) = read(f"{MAP}spec:\n  replicas: 3\n  containers:\n  - name: a\n    image: b\n")

    assert found.line(["spec", "replicas"]) == 5
    assert found.line(["spec", "containers", 0, "image"]) == 8
    assert found.line(["spec", "containers", 7]) == 6
    assert found.line(["status", "replicas"]) == 1


def test_the_template_that_helm_names_is_the_place() -> None:
    (found,) = read(f"---\n# Source: chart/templates/web.yaml\n{MAP}", "stdin")

    assert str(found.place) == "chart/templates/web.yaml:1"
    assert found.line(["metadata"]) == 1


def test_dates_and_equal_signs_are_text_as_kubectl_reads_them() -> None:
    (found,) = read("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {day: 2024-01-01}}\ndata: {op: =}\n")

    assert (found.body["metadata"]["labels"]["day"], found.body["data"]["op"]) == ("2024-01-01", "=")


def test_json_may_be_indented_with_tabs() -> None:
    (found,) = read('{\n\t"apiVersion": "v1",\n\t"kind": "ConfigMap",\n\t"metadata": {"name": "a"}\n}', "a.json")

    assert (found.label, found.line(["metadata"])) == ("ConfigMap a", 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: [", "a.yaml:2: this is no YAML or JSON: did not find expected node content."),
        ("a: {{ .Values.x }}", "Render templates first"),
        ("- a", "a.yaml:1: a document is a list and no object."),
        ("hello", "a document is text and no object."),
        ("kind: A\nmetadata: {name: a}", "an object lacks apiVersion."),
        ("apiVersion: v1\nmetadata: {name: a}", "an object lacks kind."),
        ("apiVersion: 1\nkind: A\nmetadata: {name: a}", "an object lacks apiVersion."),
        ("apiVersion: v1\nkind: A", "a A lacks metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: [name]", "a A lacks metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: {name: 7}", "a A lacks metadata.name."),
        ("apiVersion: v1\nkind: A\nmetadata: {name: a, namespace: [b]}", "metadata.namespace of a A is no text."),
        ("apiVersion: v1\nkind: List\nitems: [3]", "a.yaml:3: a document is a number and no object."),
        (f"{MAP}data: {{a: !!binary aGk=}}", "holds what JSON does not"),
        (f"{MAP}data: {{a: .nan}}", "holds what JSON does not"),
        (f"{MAP}data: &a {{b: *a}}", "too large"),
        (f"{MAP}data: *nobody", "found undefined alias"),
        (f"{MAP}data: !vault x", "could not determine a constructor for the tag"),
        (f"{MAP}---\n--- !!python/object/apply:os.system [ls]\n", "could not determine a constructor"),
        ("[" * 5000, "this is no YAML or JSON"),
    ],
)
def test_what_is_no_object_is_told_with_its_place(text: str, sentence: str) -> None:
    (found,) = problems(text)

    assert sentence in found
    assert found.startswith("a.yaml")


def test_aliases_that_stand_for_gigabytes_are_refused_at_once() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (found,) = problems(MAP + bomb)

    assert "too large" in found


@given(st.text())
def test_any_text_is_objects_or_problems_and_never_an_error(text: str) -> None:
    Reading().add("a.yaml", text)


def test_folders_give_their_files_in_the_order_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d/sub").mkdir(parents=True)
    for name in ("d/b.yml", "d/a.yaml", "d/c.json", "d/README.md", "d/sub/z.yaml"):
        (tmp_path / name).write_text(MAP)

    assert [line.split()[-1] for line in gather("d")] == ["d/a.yaml:1", "d/b.yml:1", "d/c.json:1"]
    assert len(gather("d", recursive=True)) == 4
    assert gather("-", stdin=b"\xef\xbb\xbf" + MAP.encode()) == ["ConfigMap a stdin:1"]


def test_files_that_cannot_be_taken_are_one_sentence_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kustom", "chart", "deep/er", "empty"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "kustom/kustomization.yaml").write_text("resources: []")
    (tmp_path / "chart/Chart.yaml").write_text("name: x")
    (tmp_path / "deep/er/a.yaml").write_text(MAP)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")

    for name, sentence in [
        ("none.yaml", "there is no file or folder 'none.yaml'."),
        ("kustom", "Render it first: kubectl kustomize kustom, and give that on standard input"),
        ("chart", "helm template chart"),
        ("deep", "Sub-folders are read with -R."),
        ("empty", "They end in .yaml, .yml or .json."),
        ("binary.yaml", "binary.yaml: this is no UTF-8 text."),
        ("-", "the manifests hold no object."),
    ]:
        with pytest.raises(InvalidArguments) as error:
            gather(name)
        assert sentence in str(error.value)


def test_all_problems_are_told_at_once_and_nothing_is_taken(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{MAP}---\nkind: A\n---\n- b\n")
    with pytest.raises(InvalidArguments) as error:
        gather(str(tmp_path))

    assert len(str(error.value).splitlines()) == 2


def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    monkeypatch.setattr(files, "MOST_OBJECTS", 2)

    for stdin, sentence in [(b"#" * 2000, "larger than"), ((MAP + "---\n").encode() * 3, "hold 3 objects")]:
        with pytest.raises(InvalidArguments, match=sentence):
            gather("-", stdin=stdin)
