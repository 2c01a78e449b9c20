"""Signs the tree's root, so that only who holds the key can make a log that looks like ours.

The key is made when it is first needed, by whoever holds the store's write lock, and is readable by its owner only.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.audit.standalone import key_id, open_note
from kubesteward.store.store import StoreUnusable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE = "audit.key"
PUBLIC = "audit.pub"


class Signer:
    """The signing key in a state folder; nothing is read or made before the first signature."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sign(self, size: int, root: bytes) -> str:
        """The checkpoint of a log of `size` records as a signed note (https://c2sp.org/tlog-checkpoint).

        Raises:
            StoreUnusable: the key cannot be read or made.
        """
        name, identity, _ = self.public.split("+", 2)
        body = f"{name}\n{size}\n{base64.b64encode(root).decode()}\n"
        signature = bytes.fromhex(identity) + self._key.sign(body.encode())
        return f"{body}\n\u2014 {name} {base64.b64encode(signature).decode()}\n"

    @cached_property
    def public(self) -> str:
        """The key as others may have it; written beside the private one, for those who may not read that."""
        data = self._key.public_key().public_bytes_raw()
        name = f"kubesteward-audit-{hashlib.sha256(data).hexdigest()[:8]}"
        encoded = base64.b64encode(b"\x01" + data).decode()
        text = f"{name}+{key_id(name, data).hex()}+{encoded}"
        path = self._folder / PUBLIC
        try:
            if not path.exists():
                path.write_text(text + "\n", "ascii")
        except OSError as error:
            raise StoreUnusable(f"{path} cannot be written ({error.strerror}).") from None
        return text

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        path = self._folder / PRIVATE
        todo = f"Put {path} back as it was, or begin with another state folder."
        try:
            if not path.exists():
                return self._make(path)
            found = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm):  # their texts are left out: this is a key
            found = None
        if not isinstance(found, Ed25519PrivateKey):
            raise StoreUnusable("the audit log's signing key cannot be used.", todo=todo)
        return found

    def _make(self, path: Path) -> Ed25519PrivateKey:
        """Raises ValueError: there was one before, and a log signed by two keys verifies with neither."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        if (self._folder / PUBLIC).exists():
            raise ValueError("the private key is gone")
        made = Ed25519PrivateKey.generate()
        data = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        draft = path.with_name(f"{PRIVATE}.new")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        draft.replace(path)
        return made


def public_key(folder: Path) -> str:
    """The public key in a state folder, empty where there is none."""
    try:
        return (Path(folder) / PUBLIC).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def opened(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint. Raises ValueError: it is none, or `key` did not sign it."""
    if not key:
        raise ValueError("there is no public key")
    return open_note(note, key, _signed)


def _signed(public: bytes, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
