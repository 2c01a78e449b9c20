"""The context has what a person would look up first, within its budget; its digest changes when the world does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.server.reasoning.loop.incident import app_in, investigated

from kubesteward.reasoning.loop.packet import LOG_SHOWN, TOKENS, unaged

pytestmark = pytest.mark.anyio


async def test_the_context_has_the_target_and_what_is_around_it_within_its_budget(tmp_path: Path) -> None:
    app = app_in(tmp_path)
    try:
        name = (await investigated(app))["id"]
        packet = app.investigator.state(name).packet
    finally:
        await app.close()

    assert {"target", "pods", "topology", "events", "changes", "problems", "logs"} <= set(packet.sections)
    assert packet.tokens <= TOKENS
    assert len(packet.sections["logs"]) <= LOG_SHOWN
    assert "hunter2" not in str(packet.sections)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"age": "9m", "name": "web"}, {"age": "10m", "name": "web"}),
        ({"restarts": 21}, {"restarts": 22}),
        ({"what": "BackOff (22 times), 9m ago"}, {"what": "BackOff (23 times), 10m ago"}),
        ([{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a"}]),
        ({"at": "2026-11-21T18:00:59Z"}, {"at": "2026-11-21T18:01:59Z"}),
    ],
)
def test_what_ages_by_itself_changes_nothing(before: object, after: object) -> None:
    assert unaged(before) == unaged(after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"ready": "2/3"}, {"ready": "3/3"}),
        ({"image": "web:1"}, {"image": "web:2"}),
        ({"status": "Running"}, {"status": "OOMKilled"}),
        ([{"name": "a"}], [{"name": "a"}, {"name": "b"}]),
    ],
)
def test_what_is_changed_changes_it(before: object, after: object) -> None:
    assert unaged(before) != unaged(after)
