"""Which rules are in force, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubesteward.audit.log import AuditLog
from kubesteward.audit.verify import verify
from kubesteward.guardrails.history import History
from kubesteward.guardrails.sources import GuardrailsUnusable, gathered
from kubesteward.store.store import Store
from kubesteward_policies import packs
from kubesteward_policies.documents import Sources
from kubesteward_policies.rules import digest_of
from kubesteward_tools.errors import ObjectNotFound


def texts(message: str) -> Sources:
    rule = f"{{id: r, effect: deny, message: {message}, remediation: d}}"
    return (("mine.yaml", f"rules: [{rule}]"),)


OLD, NEW, NEWER = texts("old"), texts("new"), texts("newer")


@pytest.fixture
def history(tmp_path: Path) -> History:
    store = Store.open(tmp_path)
    return History(store, AuditLog(store))


def message(history: History, configured: Sources) -> str:
    return history.in_force(configured, "local:alice").rules[0].message


@pytest.mark.requirement("guardrails.versions")
def test_a_set_that_is_new_is_kept_and_written_down_once(history: History, tmp_path: Path) -> None:
    said = [message(history, item) for item in (OLD, OLD, NEW, NEW)]

    assert said == ["old", "old", "new", "new"]
    assert [(item.how, item.digest) for item in history.entries()] == [
        ("loaded", digest_of(NEW)),
        ("loaded", digest_of(OLD)),
    ]
    assert verify(tmp_path).records == 2


def test_an_earlier_set_is_in_force_again_until_the_configured_one_changes(history: History, tmp_path: Path) -> None:
    for item in (OLD, NEW):
        message(history, item)
    entry = history.roll_back(digest_of(OLD)[:15], "local:bob", "it stopped everything")

    assert (entry.how, entry.principal, entry.comment) == ("rolled_back", "local:bob", "it stopped everything")
    assert [message(history, item) for item in (NEW, NEW, NEWER)] == ["old", "old", "newer"]
    assert verify(tmp_path).records == 4


def test_two_processes_on_one_store_write_one_step(tmp_path: Path) -> None:
    stores = [Store.open(tmp_path) for _ in range(2)]
    histories = [History(store, AuditLog(store)) for store in stores]

    assert [message(item, OLD) for item in histories] == ["old", "old"]
    assert len(histories[0].entries()) == 1


def test_servers_with_different_rules_on_one_store_do_not_undo_each_others_steps(history: History) -> None:
    for item in (OLD, NEWER, NEW):
        message(history, item)
    history.roll_back(digest_of(OLD), "local:bob", "")

    assert [message(history, item) for item in (NEWER, NEW, NEWER, NEW)] == ["newer", "old"] * 2
    assert len(history.entries()) == 4


@pytest.mark.parametrize("beginning", ["", "sha256:", "abc", "ffffffffffff"])
def test_a_digest_that_is_too_short_or_unknown_names_nothing(history: History, beginning: str) -> None:
    message(history, OLD)

    with pytest.raises(ObjectNotFound, match="kubesteward policy history"):
        history.roll_back(beginning, "local:bob", "")


def test_kept_rules_that_were_altered_are_not_used(history: History, tmp_path: Path) -> None:
    message(history, OLD)
    message(history, NEW)
    history.roll_back(digest_of(OLD)[7:20], "local:bob", "")
    with Store.open(tmp_path).transaction() as db:
        db.execute("UPDATE guardrail_sets SET sources = replace(sources, 'deny', 'warn')")

    with pytest.raises(GuardrailsUnusable, match="are not what was kept"):
        message(history, NEW)


def test_rules_that_cannot_be_read_are_not_put_in_force(history: History) -> None:
    message(history, OLD)

    with pytest.raises(GuardrailsUnusable, match="a file of rules is a mapping"):
        message(history, (("mine.yaml", "[]"),))
    assert len(history.entries()) == 1


def test_packs_files_and_folders_are_gathered_in_their_order(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "c.txt"):
        (tmp_path / name).write_text(name)
    one = tmp_path / "b.yaml"

    assert gathered(["strict", str(one), str(tmp_path)]) == (
        ("strict", packs.text("strict")),
        (str(one), "b.yaml"),
        (str(tmp_path / "a.yaml"), "a.yaml"),
        (str(one), "b.yaml"),
    )


def test_a_name_that_is_neither_pack_nor_file_is_refused_with_the_packs(tmp_path: Path) -> None:
    (tmp_path / "binary.yaml").write_bytes(b"\xff")

    with pytest.raises(GuardrailsUnusable, match="default, freeze-window, production, strict"):
        gathered(["prodution"])
    with pytest.raises(GuardrailsUnusable, match="it is no UTF-8"):
        gathered([str(tmp_path / "binary.yaml")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(GuardrailsUnusable, match="holds no"):
        gathered([str(tmp_path / "empty")])
