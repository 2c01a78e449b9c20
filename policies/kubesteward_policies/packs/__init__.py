"""Rules that are shipped: one YAML file a pack, chosen by its name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def text(name: str) -> str:
    """Raises KeyError for a name that is no pack's."""
    if name not in names():
        raise KeyError(name)
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")
