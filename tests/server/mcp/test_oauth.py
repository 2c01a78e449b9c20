"""Access tokens are accepted from one issuer, for this server, with everything in them right; over real HTTP."""

from __future__ import annotations

import base64
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.server.mcp.fakes import FakeGate, make_app
from tests.server.mcp.issuer import AUDIENCE, Issuer, issuing, rsa_key
from tests.server.mcp.test_http import bearer, served

from kubesteward.cli.issuer import issuer as examined
from kubesteward.mcp.http import make_application
from kubesteward.mcp.jwks import FLOOR, FRESH, Keys, well_known
from kubesteward.mcp.server import build
from kubesteward.settings import Settings
from kubesteward_tools.errors import AskAgain, InvalidArguments
from kubesteward_tools.outgoing import Outgoing, fetch

pytestmark = pytest.mark.anyio
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as found:
        yield found


def settings(issuer: Issuer, **more: Any) -> dict[str, Any]:
    return {"oauth_issuer": issuer.url, "oauth_audience": AUDIENCE, **more}


async def status(url: str, token: str) -> int:
    async with bearer(token) as http:
        return (await http.post(url, json=PING, headers=HEADERS)).status_code


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_the_right_token_says_who_calls(tmp_path: Path, issuer: Issuer, mode: str) -> None:
    gate = FakeGate()
    with served(tmp_path, gate, **settings(issuer)) as url:
        async with (
            bearer(issuer.sign()) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            await client.call_tool("scale", {"name": "web", "replicas": 3})

    assert [action.principal for action in gate.actions.values()] == ["oauth:alice"]


def unsigned(issuer: Issuer) -> str:
    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "alice", "exp": int(time.time()) + 300}
    return jwt.encode(claims, "", "none")


def signed_with_the_public_key(issuer: Issuer) -> str:
    """HS256 with what everybody knows, by hand: PyJWT refuses to do that."""
    import hashlib
    import hmac

    def pack(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    claims = {"iss": issuer.url, "aud": AUDIENCE, "sub": "alice", "exp": int(time.time()) + 300}
    text = ".".join(pack(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
    return f"{text}.{pack(hmac.new(issuer.public_pem(), text.encode(), hashlib.sha256).digest())}"


WRONG = {
    "for another resource": lambda it: it.sign(aud="https://other.example.com/mcp"),
    "for a resource that begins alike": lambda it: it.sign(aud=f"{AUDIENCE}/more"),
    "for nobody": lambda it: it.sign(aud=None),
    "of another issuer": lambda it: it.sign(iss="https://other.example.com"),
    "of an issuer that is spelt otherwise": lambda it: it.sign(iss=f"{it.url}/"),
    "expired": lambda it: it.sign(exp=int(time.time()) - 60),
    "that never expires": lambda it: it.sign(exp=None),
    "not valid yet": lambda it: it.sign(nbf=int(time.time()) + 120),
    "of nobody": lambda it: it.sign(sub=None),
    "with another's signature": lambda it: it.sign(key=rsa_key()),
    "with an unknown key": lambda it: it.sign(kid="two"),
    "that was changed": lambda it: it.sign()[:-6] + "AAAAAA",
    "without a signature": unsigned,
    "signed with the public key": signed_with_the_public_key,
    "with a critical extension": lambda it: jwt.encode(
        {"iss": it.url, "aud": AUDIENCE, "sub": "a", "exp": int(time.time()) + 300},
        it.keys["one"],
        "RS256",
        {"kid": "one", "crit": ["b64"], "b64": True},
    ),
    "that is very long": lambda it: it.sign(more="x" * 20_000),
    "that is none": lambda _: "x" * 40,
}


async def test_every_wrong_token_is_401_and_tells_where_to_get_one(
    tmp_path: Path, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens = {name: make(issuer) for name, make in WRONG.items()}
    with served(tmp_path, **settings(issuer)) as url:
        found = {name: await status(url, token) for name, token in tokens.items()}
        async with bearer(tokens["expired"]) as http:
            answer = await http.post(url, json=PING, headers=HEADERS)

    assert found == dict.fromkeys(WRONG, 401)
    where = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp"
    assert f'resource_metadata="{where}"' in answer.headers["www-authenticate"]
    for token in tokens.values():
        assert token not in caplog.text
        assert token not in answer.text


async def test_the_metadata_names_issuer_resource_and_scopes(tmp_path: Path, issuer: Issuer) -> None:
    with served(tmp_path, **settings(issuer, oauth_scopes="kube")) as url:
        async with httpx2.AsyncClient() as http:
            found = (await http.get(url.removesuffix("/mcp") + "/.well-known/oauth-protected-resource/mcp")).json()

    assert found["resource"] == AUDIENCE
    assert [item.rstrip("/") for item in found["authorization_servers"]] == [issuer.url]
    assert found["scopes_supported"] == ["kube"]


async def test_too_few_scopes_are_403(tmp_path: Path, issuer: Issuer) -> None:
    with served(tmp_path, **settings(issuer, oauth_scopes="kube,more")) as url:
        few = await status(url, issuer.sign(scope="kube"))
        all_of_them = await status(url, issuer.sign(scope="more kube"))
        as_a_list = await status(url, issuer.sign(scp=["more", "kube"]))

    assert few == 403
    assert 403 not in (all_of_them, as_a_list)
    assert 401 not in (all_of_them, as_a_list)


async def test_tokens_of_the_operator_work_beside_those_of_the_issuer(tmp_path: Path, issuer: Issuer) -> None:
    path, gate = tmp_path / "tokens", FakeGate()
    path.write_text(f"alice {'a' * 20}\n")
    with served(tmp_path, gate, **settings(issuer, http_tokens=path, oauth_scopes="kube")) as url:
        for token in ("a" * 20, issuer.sign(scope="kube")):
            async with bearer(token) as http, Client(streamable_http_client(url, http_client=http)) as client:
                await client.call_tool("scale", {"name": "web", "replicas": 3})

    assert [action.principal for action in gate.actions.values()] == ["token:alice", "oauth:alice"]


@pytest.mark.parametrize(
    ("scope", "listed", "code"),
    [
        ("kubesteward.read", {"look", "crash"}, "INSUFFICIENT_SCOPE"),
        ("kubesteward.read kubesteward.propose", {"look", "crash", "scale", "patch"}, "PREVIEWED"),
        ("", set(), "INSUFFICIENT_SCOPE"),
    ],
)
async def test_scopes_decide_at_the_call_which_tiers_there_are(
    tmp_path: Path, issuer: Issuer, scope: str, listed: set[str], code: str
) -> None:
    with served(tmp_path, **settings(issuer, oauth_tier_scopes=True)) as url:
        async with (
            bearer(issuer.sign(scope=scope)) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            found = {tool.name for tool in (await client.list_tools()).tools}
            answer = await client.call_tool("scale", {"name": "web", "replicas": 3})

    assert found == listed
    assert answer.content[0].text.startswith(code)


async def test_signatures_on_curves_are_accepted_with_the_curve_s_own_algorithm(tmp_path: Path) -> None:
    with issuing() as issuer:
        issuer.keys = {"one": ec.generate_private_key(ec.SECP256R1())}
        with served(tmp_path, **settings(issuer)) as url:
            right = await status(url, issuer.sign(algorithm="ES256"))
            nameless = await status(url, issuer.sign(algorithm="ES256", kid=None))

    assert 401 not in (right, nameless)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({"oauth_issuer": "https://issuer.example"}, "whomever they are for"),
        ({"oauth_audience": AUDIENCE}, "without an issuer"),
        ({"oauth_issuer": "https://169.254.169.254/", "oauth_audience": AUDIENCE}, "never called"),
        ({"oauth_issuer": "https://a:b@issuer.example/", "oauth_audience": AUDIENCE}, "user or a password"),
        ({"oauth_issuer": "https://issuer.example", "oauth_audience": f"{AUDIENCE}/"}, "ends in a slash"),
        ({"impersonate": True}, "Nobody is known whom to act for"),
    ],
)
def test_half_a_configuration_is_refused(tmp_path: Path, overrides: dict[str, Any], sentence: str) -> None:
    app = make_app(tmp_path, **overrides)
    with pytest.raises(InvalidArguments, match=sentence):
        make_application(build(app), app.settings)


def test_an_issuer_counts_as_authentication_of_a_public_address(tmp_path: Path) -> None:
    given = {"oauth_issuer": "https://issuer.example", "oauth_audience": AUDIENCE}
    app = make_app(tmp_path, http_host="0.0.0.0", http_allowed_hosts="mcp.example.com", **given)

    assert make_application(build(app), app.settings) is not None


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_rotated_keys_are_fetched_and_invented_ones_do_not_make_the_server_ask_all_the_time() -> None:
    with issuing() as issuer:
        clock = Time()
        keys = Keys(issuer.url, clock=clock)
        assert await keys.find("one", "RS256") is not None
        for number in range(50):
            assert await keys.find(f"invented-{number}", "RS256") is None
        assert issuer.asked.count("/keys") == 1

        issuer.keys["two"] = rsa_key()
        clock.now += FLOOR
        assert await keys.find("two", "RS256") is not None
        assert issuer.asked.count("/keys") == 2

        del issuer.keys["one"]
        clock.now += FRESH + 1
        assert await keys.find("one", "RS256") is None


async def test_known_keys_outlive_an_issuer_that_does_not_answer_for_an_hour_and_no_longer() -> None:
    clock, down = Time(), False

    async def get(where: Outgoing, what: str) -> tuple[int, bytes]:
        if down:
            raise AskAgain("the issuer does not answer.")
        return await fetch(where, what)

    with issuing() as issuer:
        keys = Keys(issuer.url, clock=clock, get=get)
        assert await keys.find("one", "RS256") is not None
        down = True
        clock.now = FRESH + 1
        assert await keys.find("one", "RS256") is not None
        clock.now = 3601 + FRESH
        assert await keys.find("one", "RS256") is None


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://other.example"}, {"jwks_uri": "http://169.254.169.254/keys"}, {"jwks_uri": "file:///etc"}],
)
async def test_metadata_that_leads_astray_is_not_followed(published: dict[str, str]) -> None:
    with issuing() as issuer:
        issuer.published = published
        assert await Keys(issuer.url).find("one", "RS256") is None
        assert "/keys" not in issuer.asked


async def test_a_symmetric_key_in_the_set_is_nobody_s() -> None:
    async def get(_: Outgoing, __: str) -> tuple[int, bytes]:
        return 200, json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one", "alg": "HS256"}]}).encode()

    keys = Keys("https://issuer.example", "https://issuer.example/keys", get=get)

    assert await keys.find("one", "HS256") is None


async def test_doctor_says_whether_the_issuer_answers(issuer: Issuer) -> None:
    with issuing() as gone:
        url = gone.url
    right, wrong, half = [
        await examined(Settings.load({}, **given))
        for given in (settings(issuer), {"oauth_issuer": url, "oauth_audience": AUDIENCE}, {"oauth_issuer": url})
    ]

    assert [check.state for check in (*right, *wrong, *half)] == ["ok", "fail", "fail"]
    assert right[0].found == f"it answers with 1 keys; tokens have to be for {AUDIENCE}"
    assert "does not answer" in wrong[0].found
    assert await examined(Settings.load({})) == []


def test_metadata_is_looked_for_where_both_specifications_have_it() -> None:
    assert well_known("https://id.example/realms/a") == [
        "https://id.example/.well-known/oauth-authorization-server/realms/a",
        "https://id.example/realms/a/.well-known/openid-configuration",
    ]


async def test_in_a_session_each_request_s_own_token_decides(tmp_path: Path, issuer: Issuer) -> None:
    """A session begins with one token and outlives it; a later one may be worth less."""
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    begin = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    call = {"name": "scale", "arguments": {"name": "web", "replicas": 3}}
    found = []
    with served(tmp_path, **settings(issuer, oauth_tier_scopes=True)) as url:
        async with httpx2.AsyncClient(timeout=10, headers=HEADERS) as http:
            strong = {"Authorization": f"Bearer {issuer.sign(scope='kubesteward.read kubesteward.propose')}"}
            weak = {"Authorization": f"Bearer {issuer.sign(scope='kubesteward.read')}"}
            begun = await http.post(url, json=begin, headers=strong)
            session = {"Mcp-Session-Id": begun.headers["mcp-session-id"], "MCP-Protocol-Version": "2025-06-18"}
            for number, token in enumerate((strong, weak, strong), 2):
                asked = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": call}
                found.append((await http.post(url, json=asked, headers={**session, **token})).text)

    assert ["INSUFFICIENT_SCOPE" in text for text in found] == [False, True, False]
