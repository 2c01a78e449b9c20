"""One file for each way of being strange, found by folder. A module has `find(view) -> Iterator[Anomaly]`.

A detector never cries on what is well or merely young. What it could not judge it says by `view.cannot`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from functools import lru_cache

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.view import View

Detector = Callable[[View], Iterator[Anomaly]]


@lru_cache(maxsize=1)
def load() -> dict[str, Detector]:
    """Every detector by the name of its file, sorted."""
    names = sorted(item.name for item in pkgutil.iter_modules(__path__))
    return {name: importlib.import_module(f"{__name__}.{name}").find for name in names}
