"""Cursors: where a long answer goes on, as one opaque word the caller hands back."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from kubesteward_tools.errors import InvalidArguments


def encode(position: dict[str, Any]) -> str:
    """`position` (JSON values only) as URL-safe base64 without padding (RFC 4648, section 5)."""
    packed = json.dumps(position, separators=(",", ":"), sort_keys=True).encode()
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def decode(cursor: str) -> dict[str, Any]:
    """The position `encode` was given; raises InvalidArguments for what `encode` cannot have made."""
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        position = json.loads(packed)
    except (binascii.Error, ValueError, RecursionError):
        position = None
    if not isinstance(position, dict):
        raise InvalidArguments(
            "The cursor is malformed.", todo="Pass the cursor of the last answer unchanged, or leave it out."
        )
    return position
