"""Rules that are shipped: one YAML file a pack, chosen by its name."""

from __future__ import annotations

from importlib.resources import files


def names() -> tuple[str, ...]:
    found = (item.name for item in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in found if name.endswith(".yaml")))


def text(name: str) -> str:
    """Raises KeyError for a name that is no pack's."""
    if name not in names():
        raise KeyError(name)
    return files(__name__).joinpath(f"{name}.yaml").read_text("utf-8")
