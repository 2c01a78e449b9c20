"""Which resources a change of definitions concerns: their objects must be in the world to be counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kubesteward_policies.change import ApiCall
from kubesteward_tools.twin.custom.definitions import CRDS

_PLURAL, _, _GROUP = CRDS.partition(".")
_START = f"/apis/{_GROUP}/v1/{_PLURAL}/"


def behind(calls: Iterable[ApiCall]) -> Iterator[str]:
    """The resources whose definitions the calls change or delete: a definition has the name of its resource."""
    for call in calls:
        if call.path.startswith(_START) and call.verb != "create":
            yield call.path.removeprefix(_START).partition("/")[0]
