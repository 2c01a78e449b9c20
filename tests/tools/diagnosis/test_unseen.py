"""What nobody may see is neither well nor unwell: answers say so, and none is drawn from nothing."""

from __future__ import annotations

import pytest
from tests.tools.desk import TestDesk
from tests.tools.diagnosis import lab

from kubesteward_tools.analyse.check_policy import check_policy
from kubesteward_tools.analyse.diagnose import diagnose
from kubesteward_tools.analyse.find_anomalies import find_anomalies
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.errors import Forbidden
from kubesteward_tools.lookup.scope import shortly
from kubesteward_tools.tool import Answer, Tool
from kubesteward_tools.world.store import Store

pytestmark = pytest.mark.anyio
REFUSED = '{} is forbidden: User "viewer" cannot list resource "{}" in API group "" at the cluster scope'


async def _desk(*kinds: str, store: Store | None = None) -> TestDesk:
    found = store if store is not None else of_objects([[*lab.base(), *lab.NODES, *lab.deployment("web")]]).store
    desk = TestDesk(found)
    world = await desk.clusters.world()
    world.feeds.forbidden.update({kind: REFUSED.format(kind, kind) for kind in kinds})
    return desk


@pytest.mark.parametrize("tool", [diagnose, find_anomalies], ids=lambda tool: tool.name)
async def test_without_a_right_to_see_pods_nothing_is_well(tool: Tool) -> None:
    with pytest.raises(Forbidden, match="pods is forbidden"):
        await tool.function(await _desk("pods"))


async def test_checks_of_an_empty_sight_are_refused_and_those_of_a_manifest_are_not() -> None:
    desk = await _desk("pods", "deployments.apps", store=Store())
    manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n"

    with pytest.raises(Forbidden):
        await check_policy.function(desk)
    answer = await check_policy.function(desk, resource=manifest)

    assert isinstance(answer, Answer)
    assert answer.data["total"]


def test_many_kinds_that_one_user_may_not_list_are_told_in_one_line() -> None:
    kinds = ["nodes", "secrets", "roles", "namespaces"]

    many = shortly({f"prod {kind}": REFUSED.format(kind, kind) for kind in kinds} | {"stage": "it does not answer"})
    few = shortly({f"prod {kind}": REFUSED.format(kind, kind) for kind in kinds[:2]})

    assert many == [
        "stage: it does not answer",
        'prod namespaces, nodes, roles, secrets: User "viewer" may not list these 4 kinds',
    ]
    assert [
        f"prod nodes: {REFUSED.format('nodes', 'nodes')}",
        f"prod secrets: {REFUSED.format('secrets', 'secrets')}",
    ] == few


async def test_healthy_says_what_could_not_be_seen() -> None:
    from kubesteward_tools.cluster.bundle import of_objects as objects_of
    from kubesteward_tools.diagnosis.bundles import scene_of
    from kubesteward_tools.diagnosis.diagnose import diagnose as look

    source = objects_of([[*lab.base(), *lab.NODES, *lab.deployment("web")]])
    scene = scene_of(source.world("lab"), source, "", 1772452800.0)
    scene.unseen = ("nodes",)

    found = look(scene).best

    assert (found.category, found.confidence) == ("Healthy", 0.6)
    assert "Not seen, for they may not be listed: nodes." in found.diagnosis
