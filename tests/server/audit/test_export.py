"""Evidence: it verifies with nothing but Python, and whatever is changed in it is found."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubesteward.audit import log as log_module
from kubesteward.audit.checkpoint import public_key
from kubesteward.audit.export import export
from kubesteward.audit.log import AuditLog
from kubesteward.audit.query import Filter
from kubesteward.audit.standalone import check
from kubesteward.store.store import Store

RECORDS = 11


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of which two earlier checkpoints are kept; the anchor beside it has all."""
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch, closing(Store.open(folder)) as store:
        patch.setattr(log_module, "KEEP_EVERY", 4)
        log = AuditLog(store, folder / "anchor.jsonl")
        for number in range(RECORDS):
            tool = "get_resource" if number % 2 else "scale"
            log.append(
                {"type": "tool_call", "tool": tool, "principal": "=cmd()", "outcome": "ok", "text": f"ä {number}"}
            )
    return folder


@pytest.fixture(scope="module")
def package(state: Path) -> Path:
    export(state, state / "evidence", Filter(tool="scale"))
    return state / "evidence"


def verifier(folder: Path, *words: str) -> tuple[int, str]:
    """Runs the package's own script without site-packages and without this project."""
    command = [sys.executable, "-I", "-S", str(folder / "verify.py"), *words]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, encoding="utf-8", env={}, cwd="/", timeout=60
    )
    assert not done.stderr
    return done.returncode, done.stdout


@pytest.mark.requirement("audit.evidence")
def test_a_package_verifies_without_kubesteward(package: Path) -> None:
    key = public_key(package.parent)

    assert verifier(package) == (0, f"OK  6 of the {RECORDS} records of this log, under a checkpoint signed by {key}\n")


def test_a_package_of_everything_says_that_it_is_all(state: Path, tmp_path: Path) -> None:
    export(state, tmp_path / "all.zip", Filter(), state / "anchor.jsonl")
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        archive.extractall(tmp_path / "all")
    code, said = verifier(tmp_path / "all", "--key", public_key(state), "--anchor", str(state / "anchor.jsonl"))

    assert code == 0
    assert said.startswith(f"OK  all {RECORDS} records")
    assert len(json.loads((tmp_path / "all" / "checkpoints.json").read_text())) == RECORDS - 1


def test_a_package_has_the_earlier_checkpoints_and_what_was_asked_for(package: Path) -> None:
    manifest = json.loads((package / "manifest.json").read_text())

    assert len(json.loads((package / "checkpoints.json").read_text())) == 2
    assert (manifest["wanted"], manifest["records"], manifest["log"]) == ({"tool": "scale"}, 6, RECORDS)


def test_the_table_is_safe_to_open_in_a_spreadsheet(package: Path) -> None:
    rows = list(csv.DictReader(io.StringIO((package / "records.csv").read_text("utf-8"))))

    assert {row["principal"] for row in rows} == {"'=cmd()"}
    assert [json.loads(row["record"])["text"] for row in rows] == [f"ä {number}" for number in range(0, RECORDS, 2)]


def test_another_key_than_the_trusted_one_is_refused(package: Path) -> None:
    code, said = verifier(package, "--key", "kubesteward-audit-00000000+00000000+AAAA")

    assert (code, said) == (1, "WRONG  key.txt: it is not the key you trust\n")


def test_an_anchor_that_says_otherwise_is_told(package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.jsonl"
    with closing(Store.open(tmp_path / "state")) as store:
        AuditLog(store, other).append({"type": "other"})
    code, said = verifier(package, "--anchor", str(other))

    assert code == 1
    assert said.startswith("WRONG  anchor: line 1: ")


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(
        ["records.jsonl", "records.csv", "proofs.json", "checkpoint.txt", "checkpoints.json", "key.txt", "README.txt"]
    ),
    place=st.integers(0, 100_000),
    change=st.integers(1, 255),
)
def test_any_byte_of_any_file_that_was_changed_is_found(
    package: Path, tmp_path_factory: pytest.TempPathFactory, name: str, place: int, change: int
) -> None:
    copy = shutil.copytree(package, tmp_path_factory.getbasetemp() / "altered", dirs_exist_ok=True)
    data = bytearray((copy / name).read_bytes())
    data[place % len(data)] ^= change
    (copy / name).write_bytes(data)

    assert check(copy)[0]


@pytest.mark.parametrize("name", ["records.jsonl", "records.csv"])
def test_a_forger_who_fixes_the_manifest_is_found_all_the_same(package: Path, tmp_path: Path, name: str) -> None:

    copy = shutil.copytree(package, tmp_path / "altered")
    data = (copy / name).read_bytes().replace(b"scale", b"sCale", 1)
    (copy / name).write_bytes(data)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["files"][name] = hashlib.sha256(data).hexdigest()
    (copy / "manifest.json").write_text(json.dumps(manifest))
    code, said = verifier(copy)

    assert code == 1
    assert f"WRONG  {name}: " in said


def test_a_missing_and_a_foreign_file_are_told(package: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(package, tmp_path / "altered")
    (copy / "README.txt").rename(copy / "other.txt")

    assert check(copy)[0] == ["README.txt: it is missing", "other.txt: it is not the file in the manifest"]


def test_a_folder_that_is_no_package_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in check(tmp_path)[0][0]


def test_nothing_is_overwritten(state: Path, package: Path) -> None:
    with pytest.raises(FileExistsError):
        export(state, package, Filter())


def test_no_secret_and_no_private_key_is_in_a_package(state: Path, package: Path) -> None:
    key = (state / "audit.key").read_text().splitlines()[1].encode()

    assert not [path.name for path in package.iterdir() if key in path.read_bytes()]


def test_a_log_that_was_never_signed_is_no_evidence(tmp_path: Path) -> None:
    with closing(Store.open(tmp_path)) as store:
        AuditLog(store).append({"type": "test"})
        store.db.execute("DELETE FROM audit_checkpoints")
    with pytest.raises(ValueError, match="newest record is not signed"):
        export(tmp_path, tmp_path / "evidence", Filter())

    assert not (tmp_path / "evidence").exists()
