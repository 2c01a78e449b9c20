"""Users have worlds of their own, as many as there is room for, and no longer than they are used."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from kubesteward_tools.cluster.clusters import Clusters
from kubesteward_tools.cluster.connection import Connection
from kubesteward_tools.cluster.people import People, Who
from kubesteward_tools.errors import AskAgain, Refused
from kubesteward_tools.world.metrics.guarded import Guarded
from kubesteward_tools.world.metrics.readings import Question, Reading

pytestmark = pytest.mark.anyio
ALICE, BOB, CAROL = ("alice",), ("bob",), ("carol", "staff")


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    path = tmp_path / "kubeconfig"
    context = {"name": "a", "context": {"cluster": "a", "user": "a"}}
    path.write_text(json.dumps({"contexts": [context], "current-context": "a"}))
    return Clusters.from_kubeconfig(path)


@pytest.fixture
async def people(clusters: Clusters) -> AsyncIterator[People]:
    gone: list[Who] = []

    async def note(who: Who) -> None:
        gone.append(who)

    found = People(lambda: clusters, note, most=2, idle=60, clock=Time())
    found.left = gone  # type: ignore[attr-defined]
    yield found
    await found.close()


async def test_everybody_has_their_own_and_the_server_s_are_the_server_s(people: People, clusters: Clusters) -> None:
    assert people.of(()) is clusters
    assert people.of(ALICE) is people.of(ALICE)
    assert people.of(ALICE) is not people.of(BOB)
    assert people.of(ALICE).names() == clusters.names()


async def test_the_same_user_in_other_groups_is_somebody_else(people: People) -> None:
    assert people.of(("carol",)) is not people.of(CAROL)


async def test_whoever_has_not_been_there_for_long_makes_room(people: People) -> None:
    alice = people.of(ALICE)
    people._clock.now = 1.0  # type: ignore[attr-defined]
    people.of(BOB)
    people._clock.now = 2.0  # type: ignore[attr-defined]
    people.of(CAROL)

    assert len(people) == 2
    assert people.of(CAROL) is not alice
    await people.close()
    assert set(people.left) == {ALICE, BOB, CAROL}  # type: ignore[attr-defined]


async def test_whoever_is_at_work_makes_no_room(people: People) -> None:
    with people.held(ALICE), people.held(BOB):
        people.of(ALICE), people.of(BOB)
        with pytest.raises(AskAgain, match="2 users are being served"):
            people.of(CAROL)
    people.of(CAROL)

    assert len(people) == 2


async def test_idle_users_are_let_go_and_those_at_work_are_not(people: People) -> None:
    alice, bob = people.of(ALICE), people.of(BOB)
    people._clock.now = 61.0  # type: ignore[attr-defined]
    with people.held(ALICE):
        people.sweep()

        assert people.of(ALICE) is alice
        assert people.of(BOB) is not bob


async def test_files_are_nobody_s(tmp_path: Path) -> None:
    (tmp_path / "pods.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    with pytest.raises(Refused, match="only API servers"):
        Clusters.from_bundle(tmp_path / "pods.yaml").acting("alice")


class Everything:
    async def read(self, _: Question) -> Reading:
        return Reading("monitor", 0.0, {})

    async def close(self) -> None:
        raise AssertionError("it is everybody's")


def guarded(*allowed: str) -> Guarded:
    async def can_i(asked: object) -> tuple[bool, str]:
        given = dict(asked)  # type: ignore[call-overload]
        return f"{given['resource']}/{given['namespace']}" in allowed, ""

    return Guarded(Everything(), can_i)


@pytest.mark.parametrize(
    ("level", "namespace", "names", "allowed"),
    [
        ("pods", "beta", None, ("pods/beta",)),
        ("pods", "", None, ("pods/",)),
        ("namespaces", "", frozenset({"beta"}), ("pods/beta",)),
        ("nodes", "", None, ("nodes/",)),
        ("persistentvolumeclaims", "beta", None, ("persistentvolumeclaims/beta",)),
    ],
)
async def test_a_monitoring_system_tells_only_what_may_be_listed(
    level: str, namespace: str, names: frozenset[str] | None, allowed: tuple[str, ...]
) -> None:
    question = Question("cpu_usage", level, 1.0, 1.0, namespace, names)

    assert (await guarded(*allowed).read(question)).source == "monitor"
    with pytest.raises(Refused, match="may not be listed"):
        await guarded("pods/other", "nodes/other").read(question)
    await guarded().close()


async def test_of_several_namespaces_each_has_to_be_allowed() -> None:
    question = Question("cpu_usage", "namespaces", 1.0, 1.0, "", frozenset({"alpha", "beta"}))
    with pytest.raises(Refused, match="may not be listed in 'alpha'"):
        await guarded("pods/beta").read(question)


async def test_a_connection_for_a_user_never_gives_out_the_server_s_headers_alone() -> None:
    configuration = SimpleNamespace(host="https://a", refresh_api_key_hook=None, auth_settings=dict)
    connection = Connection("a", configuration)
    acting = connection.acting("alice", ("staff", "night"))

    assert await acting.sent({"Accept": "x"}) == [
        ("Accept", "x"),
        ("Impersonate-User", "alice"),
        ("Impersonate-Group", "staff"),
        ("Impersonate-Group", "night"),
    ]
    assert await acting.itself.sent({}) == await connection.sent({}) == []
    with pytest.raises(ValueError, match="on behalf of a user"):
        await acting.authorization()


@pytest.mark.parametrize("name", ["", "a\nb", " a", "a\r\nImpersonate-Group: system:masters"])
def test_a_name_that_can_be_no_header_is_never_sent(name: str) -> None:
    with pytest.raises(ValueError, match="no header"):
        Connection("a", None).acting(name)
