"""One file for each family of failures, found by folder. Each knows its own mechanisms and nothing of the others.

A module has `analyse(scene) -> Iterable[Candidate]`. What it is sure of without a question has a confidence of
`candidate.BLAMED` or more; what only matters when somebody complains about it has less.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import lru_cache

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.scene import Scene

Analyser = Callable[[Scene], Iterable[Candidate]]


@lru_cache(maxsize=1)
def load() -> dict[str, Analyser]:
    """Every analyser by the name of its file, sorted."""
    names = sorted(item.name for item in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").analyse for name in names}
