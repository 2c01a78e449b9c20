"""One line of what `kubesteward doctor` says, whoever looked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """`todo` is empty when nothing has to be done."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    todo: str = ""
