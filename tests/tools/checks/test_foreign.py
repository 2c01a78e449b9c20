"""The cases of Polaris and of Gatekeeper's library: the same verdict, or a known reason for another one."""

from __future__ import annotations

import pytest
from tests.data import shared_data
from tests.tools.checks import gatekeeper, polaris


@pytest.mark.requirement("checks.others")
def test_polaris_and_we_differ_only_where_it_is_explained() -> None:
    differing = {
        found.file.removeprefix("fixtures/")
        for found in polaris.verdicts(shared_data("polaris"))
        if found.expected != found.found
    }

    assert differing == set(polaris.DIFFERENT)


def test_gatekeeper_and_we_differ_only_where_it_is_explained() -> None:
    differing = [item for item in gatekeeper.verdicts(shared_data("lint/gatekeeper")) if item.expected != item.found]

    assert [item for item in differing if not item.why] == []
    assert {item.case for item in differing} >= set(gatekeeper.DIFFERENT)
