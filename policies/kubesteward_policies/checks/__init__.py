"""Checks that are shipped: one YAML file a check, named like its id, with the cases that hold it to its word.

`kubesteward_policies.check` reads them, `kubesteward_policies.checking` applies them.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def text(name: str) -> str:
    """Raises KeyError for a name that is no check's."""
    if name not in names():
        raise KeyError(name)
    return (_FOLDER / f"{name}.yaml").read_text("utf-8")


def texts() -> tuple[tuple[str, str], ...]:
    """Every check: its name and its text, sorted."""
    return tuple((path.stem, path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.yaml")))
