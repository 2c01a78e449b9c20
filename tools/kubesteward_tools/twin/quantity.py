"""Kubernetes quantities, exactly: "100m", "1.5Gi", "2e3". API doc: apimachinery resource.Quantity."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import Any

_SUFFIXES = {
    "n": Fraction(1, 10**9),
    "u": Fraction(1, 10**6),
    "m": Fraction(1, 1000),
    "": Fraction(1),
    **{unit: Fraction(1000 ** (power + 1)) for power, unit in enumerate("kMGTPE")},
    **{f"{unit}i": Fraction(1024 ** (power + 1)) for power, unit in enumerate("KMGTPE")},
}
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkMGTPE]|[KMGTPE]i)?)", re.ASCII)
PATTERN = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"


def parse(value: Any) -> Fraction:
    """The exact value of a quantity given as text or number.

    Raises:
        ValueError: with the API server's own sentence.
    """
    return _parse(str(value))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Fraction:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"quantities must match the regular expression '{PATTERN}'")
    number, exponent, suffix = match.groups()
    if exponent:
        return Fraction(number) * Fraction(10) ** int(exponent[1:])
    return Fraction(number) * _SUFFIXES[suffix or ""]


def format_decimal(value: Fraction) -> str:
    """As cpu and counts are written: whole numbers, else thousandths rounded up ("1500m")."""
    if value.denominator == 1:
        return _shorten(value.numerator)
    return f"{-(-value.numerator * 1000 // value.denominator)}m"


def format_binary(value: Fraction) -> str:
    """As memory and storage are written: the largest power of 1024 that divides it ("512Mi"), else bytes."""
    whole = -(-value.numerator // value.denominator)
    for power, unit in reversed(list(enumerate("KMGTPE", 1))):
        if whole and whole % 1024**power == 0:
            return f"{whole // 1024**power}{unit}i"
    return str(whole)


def format_like(value: Fraction, example: str) -> str:
    """`value` in the family of suffixes (binary or decimal) that `example` uses."""
    return format_binary(value) if str(example).endswith("i") else format_decimal(value)


class Quantity(Fraction):
    """An exact number that prints as the API writes it: `str(Quantity("0.25"))` is "250m"."""

    __slots__ = ()

    def __str__(self) -> str:
        for unit, size in (("", 1), ("m", 10**3), ("u", 10**6), ("n", 10**9)):
            if (self * size).denominator == 1:
                return f"{(self * size).numerator}{unit}"
        return f"{-(-self.numerator * 10**9 // self.denominator)}n"


def canonical(text: Any) -> str:
    """The form the API server serves: "1000m" becomes "1", "1024Mi" becomes "1Gi"."""
    return format_like(parse(text), str(text))


def _shorten(whole: int) -> str:
    for power, unit in reversed(list(enumerate("kMGTPE", 1))):
        if whole and whole % 1000**power == 0:
            return f"{whole // 1000**power}{unit}"
    return str(whole)
