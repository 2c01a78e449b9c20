"""Keys come from the environment, a file or the keychain, and are seen nowhere."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kubesteward.reasoning.brains import keys
from kubesteward.reasoning.brains.base import BrainMisconfigured

SECRET = "sk-ant-Zx81" + "qPmR7v" * 4


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """A keychain with the interface of the package `keyring`."""
    kept: dict[tuple[str, str], str] = {}

    class KeyringError(Exception):
        pass

    class PasswordDeleteError(KeyringError):
        pass

    def delete(service: str, name: str) -> None:
        if kept.pop((service, name), None) is None:
            raise PasswordDeleteError(name)

    module: Any = ModuleType("keyring")
    module.errors = SimpleNamespace(KeyringError=KeyringError, PasswordDeleteError=PasswordDeleteError)
    module.get_password = lambda service, name: kept.get((service, name))
    module.set_password = lambda service, name, secret: kept.__setitem__((service, name), secret)
    module.delete_password = delete
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", module.errors)
    return kept


def file(tmp_path: Path, mode: int, text: str = f"{SECRET}\n") -> Path:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_key_in_a_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f" {SECRET} ")
    found = keys.find("env:MY_KEY")

    assert found.header == ("authorization", f"Bearer {SECRET}")
    assert found.place == "the variable MY_KEY"


def test_a_key_in_a_file_of_ones_own_is_found(tmp_path: Path) -> None:
    assert keys.find(f"file:{file(tmp_path, 0o600)}").header[1] == f"Bearer {SECRET}"


def test_a_mounted_secret_is_found_behind_its_links(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    file(tmp_path / "..2026", 0o400)
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "token").symlink_to("..data/key")

    assert keys.find(f"file:{tmp_path / 'token'}").header[1] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("mode", "why"), [(0o644, "may read"), (0o640, "may read"), (0o622, "may write"), (0o666, "write")]
)
def test_a_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int, why: str) -> None:
    with pytest.raises(BrainMisconfigured, match=why) as found:
        keys.find(f"file:{file(tmp_path, mode)}")

    assert "chmod" in found.value.todo
    assert SECRET not in str(found.value)


def test_what_belongs_to_another_user_only_must_not_be_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(tmp_path, 0o644)
    monkeypatch.setattr(keys.os, "getuid", lambda: path.stat().st_uid + 1)

    assert keys.find(f"file:{path}").header[1] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("env:NOT_THERE", "The variable NOT_THERE is not set"),
        ("file:/not/there", "cannot be read"),
        ("file:/tmp", "cannot be read"),
        (SECRET, "The place of the key is not understood"),
        (f"vault:{SECRET}", "The place of the key is not understood"),
        ("env:", "The place of the key is not understood"),
    ],
)
def test_a_key_that_is_not_there_is_told_without_what_was_given(place: str, why: str) -> None:
    with pytest.raises(BrainMisconfigured, match=why) as found:
        keys.find(place)

    assert found.value.todo
    assert SECRET not in str(found.value)


@pytest.mark.parametrize("text", ["", "two\nlines", "schlüssel", "x" * 10_001])
def test_what_cannot_be_a_key_is_told_without_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(BrainMisconfigured, match="holds no key") as found:
        keys.find(f"file:{file(tmp_path, 0o600, text)}")

    assert not text or text not in str(found.value)


def test_the_keychain_keeps_gives_and_forgets(ring: dict[tuple[str, str], str]) -> None:
    place = keys.keep("main", SECRET)
    found = keys.find(place)
    keys.forget(place)
    keys.forget(place)
    keys.forget("env:ANYTHING")

    assert place == "keychain:main"
    assert found.header[1] == f"Bearer {SECRET}"
    assert ring == {}
    with pytest.raises(BrainMisconfigured, match="no entry main"):
        keys.find(place)


def test_a_keychain_that_is_locked_is_told(ring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    keyring: Any = sys.modules["keyring"]

    def locked(*_: str) -> None:
        raise keyring.errors.KeyringError(SECRET)

    for name in ("get_password", "set_password", "delete_password"):
        monkeypatch.setattr(keyring, name, locked)
    for call in (
        lambda: keys.find("keychain:main"),
        lambda: keys.keep("main", SECRET),
        lambda: keys.forget("keychain:a"),
    ):
        with pytest.raises(BrainMisconfigured, match="cannot be used") as found:
            call()

        assert SECRET not in str(found.value)


def test_without_the_package_the_keychain_is_told_as_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(BrainMisconfigured, match="not installed") as found:
        keys.find("keychain:main")

    assert "kubesteward[keychain]" in found.value.todo


def test_a_key_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", SECRET)
    found = keys.find("env:MY_KEY")

    assert repr(found) == "Key(place='the variable MY_KEY')"
    assert SECRET not in str(found)
    assert found.without(f"a {SECRET} b {SECRET[:-4]} c {SECRET[4:]}") == "a [key] b [key] c [key]"
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(found)
