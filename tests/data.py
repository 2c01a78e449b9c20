"""Real cases live beside the checkout and are not part of it: tests that want them skip where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


def shared_data(name: str) -> Path:
    """The folder or file `name` of the real cases; skips the test when there are none."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"the real cases are not beside this checkout: no {name!r} in ../shared/data")
    return path
