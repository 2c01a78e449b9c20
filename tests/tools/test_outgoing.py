"""What an operator configures is called, and nothing that it could be made to stand for."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.errors import AskAgain, AskDifferently, InvalidArguments, Refused
from kubesteward_tools.outgoing import ForbiddenAddress, Outgoing, checked, fetch, objection
from kubesteward_tools.prometheus.addresses import addresses

pytestmark = pytest.mark.anyio

METADATA = ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "fe80::1", "0.0.0.0", "::"]


@pytest.mark.parametrize("host", METADATA)
def test_metadata_services_are_never_called(host: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    with pytest.raises(InvalidArguments, match="never called"):
        checked(f"https://{shown}/latest", "SETTING", plain=True)


def test_prometheus_is_no_way_round_it() -> None:
    with pytest.raises(InvalidArguments, match="never called"):
        addresses("prod=http://user:secret@169.254.169.254", "prod")


@pytest.mark.parametrize(
    "host", ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "[::ffff:a9fe:a9fe]"]
)
def test_other_ways_of_writing_an_address_do_not_hide_it(host: str) -> None:
    with pytest.raises(InvalidArguments, match="never called"):
        checked(f"http://{host}/", "SETTING", plain=True)


@given(st.integers(0, 2**16 - 1), st.sampled_from(["::ffff:{}", "64:ff9b::{}", "2002:{}::1", "{}"]))
def test_no_link_local_address_gets_through_in_any_disguise(low: int, disguise: str) -> None:
    plain = ipaddress.IPv4Address(0xA9FE0000 + low)
    number = int(plain)
    words = f"{number >> 16:x}:{number & 0xFFFF:x}"
    text = str(plain) if disguise == "{}" else disguise.format(words)

    assert "never called" in objection(text, encrypted=True)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://host/", "no HTTP address"),
        ("https://", "no HTTP address"),
        ("https://host:port/", "no HTTP address"),
        ("https://host/ x", "no HTTP address"),
        ("https://host/?a=b", "no HTTP address"),
        ("https://us:er@host/", "user or a password"),
        ("https://metadata.google.internal/", "metadata service"),
        ("http://8.8.8.8/", "without encryption"),
    ],
)
def test_what_is_no_address_to_call_is_refused_without_being_repeated(url: str, why: str) -> None:
    with pytest.raises(InvalidArguments, match=why) as caught:
        checked(url, "SETTING")

    assert "us:er" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "http://10.0.0.1", "http://[::1]:1/", "https://8.8.8.8", "http://prometheus"]
)
def test_private_addresses_may_be_plain(url: str) -> None:
    assert checked(url, "SETTING").url == url.rstrip("/")


@pytest.mark.parametrize("address", ["169.254.169.254", "::ffff:169.254.169.254"])
def test_a_name_that_stands_for_a_metadata_service_is_not_connected_to(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(ForbiddenAddress, match=r"innocent\.example stands for"):
        Outgoing("https://innocent.example").socket((family, socket.SOCK_STREAM, 0, "", (address, 443)))


def test_a_private_name_that_becomes_public_is_not_called_in_the_clear() -> None:
    with pytest.raises(ForbiddenAddress, match="without encryption"):
        Outgoing("http://prometheus").socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("8.8.8.8", 80)))


async def served(answer: Any) -> tuple[web.AppRunner, str]:
    async def handle(_: web.Request) -> web.StreamResponse:
        return answer

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


async def test_the_connection_is_judged_and_not_only_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    runner, url = await served(web.Response(text="secret"))
    monkeypatch.setattr("kubesteward_tools.outgoing._NEVER", (ipaddress.ip_network("127.0.0.0/8"),))
    with pytest.raises(Refused, match="stands for an address that is never called"):
        await fetch(Outgoing(url.replace("127.0.0.1", "localhost")), "the issuer")
    await runner.cleanup()


async def test_an_answer_is_read() -> None:
    runner, url = await served(web.Response(text="hello"))

    assert await fetch(checked(url, "SETTING"), "the issuer") == (200, b"hello")
    await runner.cleanup()


async def test_something_may_be_posted() -> None:
    runner, url = await served(web.Response(status=201))
    body = await fetch(checked(url, "SETTING"), "the webhook", method="POST", data=b"{}")

    assert body[0] == 201
    await runner.cleanup()


async def test_redirections_lead_nowhere() -> None:
    runner, url = await served(web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}))
    with pytest.raises(AskDifferently, match="not followed"):
        await fetch(checked(url, "SETTING"), "the issuer")
    await runner.cleanup()


async def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    runner, url = await served(web.Response(body=b"x" * 100_000))
    with pytest.raises(AskDifferently, match="too large"):
        await fetch(checked(url, "SETTING"), "the issuer", largest=1000)
    await runner.cleanup()


async def test_nobody_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(AskAgain, match="the issuer does not answer"):
        await fetch(checked(f"http://127.0.0.1:{port}", "SETTING"), "the issuer")
