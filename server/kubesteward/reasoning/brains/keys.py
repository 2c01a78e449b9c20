"""Keys of providers: where they are, and nothing of them where it might be read.

A configuration names the place (`env:NAME`, `keychain:NAME`, `file:PATH`), never the key. The key is read when a brain
is made and handed to the transport; its `repr` is its place.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from kubesteward.reasoning.brains.base import BrainMisconfigured

SERVICE = "kubesteward"
"""Under which the keychain of the system keeps them."""
ENVIRONMENT: Mapping[str, str] = {
    "anthropic": "ANTHROPIC_API_KEY",
    "openai": "OPENAI_API_KEY",
    "ollama": "OLLAMA_API_KEY",
}
_LONGEST = 10_000
_GONE = "[key]"
_SHORTEST = 4


@dataclass(frozen=True, slots=True)
class Key:
    """`place` is what people are told."""

    place: str
    _secret: str = field(repr=False, compare=False)

    @property
    def header(self) -> tuple[str, str]:
        return "authorization", f"Bearer {self._secret}"

    def without(self, text: str) -> str:
        """A text of the provider without the key, should it repeat it, or a good part of it."""
        parts = {self._secret, self._secret[:-_SHORTEST], self._secret[_SHORTEST:]}
        for part in sorted(parts, key=len, reverse=True):
            if len(part) >= _SHORTEST:
                text = text.replace(part, _GONE)
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a key is not pickled")


def find(place: str) -> Key:
    """The key at a place.

    Raises:
        BrainMisconfigured: there is none, or it is not safe there; says what to do.
    """
    kind, _, name = place.partition(":")
    if kind not in _READERS or not name:
        raise BrainMisconfigured(
            "The place of the key is not understood.", "Write env:NAME, keychain:NAME or file:PATH."
        )
    secret = _READERS[kind](name).strip()
    if not secret or len(secret) > _LONGEST or not secret.isascii() or not secret.isprintable():
        raise BrainMisconfigured(f"{_told(place)} holds no key.", "Put the key there, and nothing else.")
    return Key(_told(place), secret)


def keep(name: str, secret: str) -> str:
    """Put a key into the keychain of the system; its place.

    Raises:
        BrainMisconfigured: there is no keychain that can be used.
    """
    keyring = _keyring()
    try:
        keyring.set_password(SERVICE, name, secret)
    except keyring.errors.KeyringError as error:
        raise _locked(type(error).__name__) from None
    return f"keychain:{name}"


def forget(place: str) -> None:
    """Take a key out of the keychain, if that is where it is. Raises BrainMisconfigured where that cannot be used."""
    kind, _, name = place.partition(":")
    if kind != "keychain":
        return
    keyring = _keyring()
    try:
        keyring.delete_password(SERVICE, name)
    except keyring.errors.PasswordDeleteError:
        return  # it is gone already
    except keyring.errors.KeyringError as error:
        raise _locked(type(error).__name__) from None


def _told(place: str) -> str:
    kind, _, name = place.partition(":")
    words = {"env": "the variable", "keychain": "the keychain entry", "file": "the file"}
    return f"{words[kind]} {name}"


def _from_environment(name: str) -> str:
    found = os.environ.get(name, "")
    if not found.strip():
        raise BrainMisconfigured(f"The variable {name} is not set.", f"Set {name} to the key of the provider.")
    return found


def _from_keychain(name: str) -> str:
    keyring = _keyring()
    try:
        found = keyring.get_password(SERVICE, name)
    except keyring.errors.KeyringError as error:
        raise _locked(type(error).__name__) from None
    if not found:
        todo = "Add the brain again with --keychain, which asks for the key."
        raise BrainMisconfigured(f"The keychain has no entry {name}.", todo)
    return str(found)


def _from_file(name: str) -> str:
    """The file of a mounted Secret belongs to root and may be read by all of the container; one's own is one's own."""
    path = Path(name).expanduser()
    try:
        with path.open("rb") as file:
            _check_mode(path, os.fstat(file.fileno()))
            return file.read(_LONGEST + 1).decode("ascii", "replace")
    except OSError as error:
        todo = "Name a file that this process may read, with the key in it and nothing else."
        raise BrainMisconfigured(f"The key's file {path} cannot be read ({error.strerror}).", todo) from None


def _check_mode(path: Path, found: os.stat_result) -> None:
    if not hasattr(os, "getuid"):  # Windows has other rights, which these bits do not show
        return
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISREG(found.st_mode):
        raise BrainMisconfigured(f"The key's file {path} is no file.", "Name a file with the key in it.")
    if mode & 0o022:
        raise BrainMisconfigured(f"Others may write the key's file {path}.", f"Run `chmod go-w {path}`.")
    if found.st_uid == os.getuid() and mode & 0o077:
        todo = f"Run `chmod 600 {path}`; for a mounted Secret set defaultMode: 0400."
        raise BrainMisconfigured(f"Others may read the key's file {path}.", todo)


def _keyring() -> Any:
    """Of an optional extra: the package where it is there."""
    try:
        import_module("keyring.errors")
        return import_module("keyring")
    except ImportError:
        todo = "Install `kubesteward[keychain]`, or keep the key in a variable or a file."
        raise BrainMisconfigured("The keychain needs the package keyring, which is not installed.", todo) from None


def _locked(why: str) -> BrainMisconfigured:
    todo = "Unlock it, or keep the key in a variable or a file."
    return BrainMisconfigured(f"The keychain of this system cannot be used ({why}).", todo)


_READERS = {"env": _from_environment, "keychain": _from_keychain, "file": _from_file}
