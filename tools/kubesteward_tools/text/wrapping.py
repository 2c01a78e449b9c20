"""Base64 within a text: whole configurations travel so, with what is secret in them."""

from __future__ import annotations

import base64
import binascii

_BEGINNING = 40
_URL_SAFE = str.maketrans("-_", "+/")


def decoded(text: str) -> str | None:
    """What base64 says, or None: it is none, or it holds no text."""
    packed = "".join(text.split()).translate(_URL_SAFE)
    if _plain(packed[:_BEGINNING]) is None:
        return None
    return _plain(packed)


def _plain(packed: str) -> str | None:
    packed = packed.rstrip("=")
    packed = packed[: len(packed) - (len(packed) % 4 == 1)]
    try:
        plain = base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return plain if all(c.isprintable() or c in "\r\n\t" for c in plain) else None
