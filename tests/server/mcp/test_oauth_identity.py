"""From an issuer's token to RBAC in the cluster: user and groups of the claims, and of nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.server.mcp.issuer import AUDIENCE, Issuer, issuing
from tests.server.mcp.test_approval import text_of
from tests.server.mcp.test_impersonation import client, serving
from tests.server.team import STEWARD, Team, team

pytestmark = pytest.mark.anyio
STAFF = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "RoleBinding",
    "metadata": {"name": "staff", "namespace": "alpha"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "oidc:staff"}],
}
LOOK = {"kind": "Deployment", "namespace": "alpha"}


@asynccontextmanager
async def shared(folder: Path, **more: Any) -> AsyncIterator[tuple[Team, Issuer, str]]:
    with issuing() as issuer:
        async with team(folder) as found:
            found.may_impersonate(STEWARD.name)
            found.create("/apis/rbac.authorization.k8s.io/v1/namespaces/alpha/rolebindings", STAFF)
            oauth = {
                "oauth_issuer": issuer.url,
                "oauth_audience": AUDIENCE,
                "oauth_user_claim": "preferred_username",
                "impersonate_user_prefix": "oidc:",
                "impersonate_group_prefix": "oidc:",
            }
            async with serving(folder, found.kubeconfig(STEWARD), **{**oauth, **more}) as (_, url):
                yield found, issuer, url


async def test_the_claims_decide_who_is_acted_for(tmp_path: Path) -> None:
    async with shared(tmp_path, namespaces="") as (found, issuer, url):
        member = issuer.sign(preferred_username="mia", groups=["staff"])
        stranger = issuer.sign(preferred_username="tom", groups=["other"], sub="bob")
        said = []
        for token in (member, stranger):
            async with client(url, token) as one:
                said.append(text_of(await one.call_tool("list_resources", LOOK)))
        kept = b"".join(path.read_bytes() for path in (tmp_path / "state").iterdir())

    assert "web" in said[0]
    assert "web" not in said[1]
    assert {item.user for item in found.cluster.requests} == {"oidc:mia", "oidc:tom"}
    assert b"oauth:alice" in kept
    for token in (member, stranger):
        assert token.encode() not in kept
        assert token.rpartition(".")[2].encode() not in kept


@pytest.mark.parametrize(
    "claims", [{"preferred_username": "system:admin"}, {"preferred_username": "eve", "groups": ["system:masters"]}]
)
async def test_an_issuer_cannot_make_somebody_of_the_system(tmp_path: Path, claims: dict[str, Any]) -> None:
    plain = {"impersonate_user_prefix": "", "impersonate_group_prefix": ""}
    async with shared(tmp_path, **plain) as (found, issuer, url), client(url, issuer.sign(**claims)) as one:
        answer = await one.call_tool("list_resources", LOOK)

    assert answer.is_error
    assert text_of(answer).startswith("REFUSED: nobody is acted for as 'system:")
    assert not found.cluster.requests


async def test_a_prefix_keeps_the_names_of_an_issuer_apart(tmp_path: Path) -> None:
    async with shared(tmp_path) as (found, issuer, url):
        token = issuer.sign(preferred_username="system:admin", groups=["system:masters"])
        async with client(url, token) as one:
            answer = text_of(await one.call_tool("list_resources", LOOK))

    assert "web" not in answer
    assert {item.user for item in found.cluster.requests} == {"oidc:system:admin"}


async def test_a_token_without_the_claim_is_nobody_s(tmp_path: Path) -> None:
    from tests.server.mcp.test_oauth import status

    async with shared(tmp_path) as (_, issuer, url):
        names = ("", ["mia"], "a\nb", " mia")
        found = [await status(url, issuer.sign(preferred_username=name)) for name in names]
        found.append(await status(url, issuer.sign()))

    assert found == [401] * 5
