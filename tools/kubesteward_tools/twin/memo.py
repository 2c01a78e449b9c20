"""What a controller has worked out and keeps: copied with it at no cost, for what is in it is never changed."""

from __future__ import annotations

from typing import Any, TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class Memo(dict[_Key, _Value]):
    """A dict whose deep copy has the same values."""

    def __deepcopy__(self, _: dict[int, Any]) -> Memo[_Key, _Value]:
        return Memo(self)
