"""Label selectors: what is wrong with them, before anything is compared. apimachinery, ValidateLabelSelector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, required
from kubesteward_tools.twin.validation.metadata import labels, one_label

_WITH_VALUES, _WITHOUT = ("In", "NotIn"), ("Exists", "DoesNotExist")


def label_selector(path: str, selector: dict[str, Any] | None) -> Iterator[FieldError]:
    found = selector or {}
    yield from labels(f"{path}.matchLabels", found.get("matchLabels") or {})
    for at, item in enumerate(found.get("matchExpressions") or ()):
        yield from _requirement(f"{path}.matchExpressions[{at}]", item)


def _requirement(path: str, item: dict[str, Any]) -> Iterator[FieldError]:
    operator, values = item.get("operator", ""), item.get("values") or ()
    if operator in _WITH_VALUES:
        if not values:
            yield required(f"{path}.values", "must be specified when `operator` is 'In' or 'NotIn'")
    elif operator in _WITHOUT:
        if values:
            yield forbidden_field(
                f"{path}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
    else:
        yield invalid_value(f"{path}.operator", operator, "not a valid selector operator")
    yield from one_label(f"{path}.key", item.get("key", ""), "")
