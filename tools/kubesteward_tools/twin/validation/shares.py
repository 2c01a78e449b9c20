"""Numbers that may also be a share of something: 3, or "25%". apps and policy validation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, invalid_value

NOT_NEGATIVE = "must be greater than or equal to 0"
_PERCENT = re.compile(r"[0-9]+%", re.ASCII)
_PERCENT_HELP = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for "
    "validation is '[0-9]+%')"
)


def share(path: str, value: Any, *, at_most_all: bool = False) -> Iterator[FieldError]:
    """`at_most_all`: more than 100% makes no sense here."""
    if value is None:
        return
    if isinstance(value, int):
        if value < 0:
            yield invalid_value(path, value, NOT_NEGATIVE)
    elif not _PERCENT.fullmatch(str(value)):
        yield invalid_value(path, value, _PERCENT_HELP)
    elif at_most_all and int(str(value)[:-1]) > 100:
        yield invalid_value(path, value, "should not be more than 100%")


def is_share(value: Any) -> bool:
    return isinstance(value, int) or bool(_PERCENT.fullmatch(str(value)))
