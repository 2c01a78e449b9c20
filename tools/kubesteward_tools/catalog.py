"""The list of all tools, found by folder. A name that is there twice is an error."""

from __future__ import annotations

import importlib
import pkgutil

from kubesteward_tools.tool import Tool

FOLDERS = ("observe", "analyse", "recommend", "execute")


def load_tools() -> dict[str, Tool]:
    """Every tool by name, sorted by tier and name.

    Raises:
        ValueError: two tools have one name.
    """
    found: dict[str, Tool] = {}
    for folder in FOLDERS:
        package = importlib.import_module(f"kubesteward_tools.{folder}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, Tool) and found.setdefault(value.name, value) is not value:
                    raise ValueError(f"two tools are named {value.name!r}; the second one is in {module.name}")
    return dict(sorted(found.items(), key=lambda item: (item[1].tier, item[0])))
