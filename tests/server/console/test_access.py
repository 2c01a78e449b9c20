"""Who gets in: whoever has the link, once; a browser that speaks to this site and to no other name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.server.console.visitor import HOST, ORIGIN, PORT, Desk, Seen
from tests.server.gate.lab import label

from kubesteward.console.access import SESSION_SECONDS, TICKET_SECONDS
from kubesteward.console.limits import Limit
from kubesteward.console.pages import TRIES
from kubesteward.console.serve import _keys
from kubesteward.console.site import COOKIE, Site
from kubesteward.settings import Settings
from kubesteward_tools.errors import InvalidArguments

pytestmark = pytest.mark.anyio

PEOPLE = {"grace-" + "g" * 20: "grace"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with Desk(tmp_path) as found:
        yield found


@pytest.fixture
async def public(tmp_path: Path) -> AsyncIterator[Desk]:
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{name} {token}\n" for token, name in PEOPLE.items()))
    async with Desk(
        tmp_path, PEOPLE, console_host="0.0.0.0", console_tokens=tokens, console_allowed_hosts="ok.example"
    ) as found:
        found.visitor.base_url = f"https://ok.example{found.site.base}"
        yield found


@pytest.mark.parametrize("path", ["/", "/actions/act-1", "/events"])
async def test_nothing_is_shown_to_strangers(desk: Desk, path: str) -> None:
    answer = await desk.visitor.get(path)

    assert answer.status_code == 401
    assert "Open the link" in answer.text


async def test_the_link_becomes_a_cookie_that_no_script_and_no_other_site_gets(desk: Desk) -> None:
    answer = await desk.enter()
    cookie = answer.headers["set-cookie"]

    assert answer.status_code == 303
    assert {"HttpOnly", "SameSite=strict", f"Path={desk.site.base}"} <= set(cookie.split("; "))
    assert "ticket" not in answer.headers["location"]
    assert (await desk.visitor.get("/")).status_code == 200


@pytest.mark.requirement("page.access")
async def test_the_link_works_once(desk: Desk) -> None:
    secret = desk.ticket.secret
    await desk.enter()
    desk.visitor.cookies.clear()
    again = await desk.visitor.get("/open", params={"ticket": secret})

    assert again.status_code == 403
    assert "set-cookie" not in again.headers


async def test_a_look_at_the_link_does_not_use_it_up(desk: Desk) -> None:
    looked = await desk.visitor.head("/open", params={"ticket": desk.ticket.secret})

    assert looked.status_code == 403
    assert (await desk.enter()).status_code == 303


async def test_the_link_is_void_after_ten_minutes(desk: Desk) -> None:
    desk.late = TICKET_SECONDS + 1

    assert (await desk.enter()).status_code == 403


@pytest.mark.parametrize("ticket", ["", "x", "A" * 43])
async def test_guesses_are_refused_and_bounded(desk: Desk, ticket: str) -> None:
    answers = [(await desk.visitor.get("/open", params={"ticket": ticket})).status_code for _ in range(TRIES[0] + 1)]

    assert answers == [403] * TRIES[0] + [429]


async def test_a_session_ends_after_its_time_and_when_it_is_left(desk: Desk) -> None:
    await desk.enter()
    seen = await desk.see()
    left = await desk.send("/leave", {"seal": seen.fields["seal"]})

    assert left.status_code == 200
    assert (await desk.visitor.get("/")).status_code == 401
    again = Desk(desk.lab.settings.state_dir)
    async with again:
        await again.enter()
        again.late = SESSION_SECONDS + 1
        assert (await again.visitor.get("/")).status_code == 401


@pytest.mark.requirement("page.access")
@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", f"{HOST}.x", ""])
async def test_other_names_for_this_address_are_not_answered(desk: Desk, host: str) -> None:
    await desk.enter()
    answer = await desk.visitor.get("/", headers={"Host": host})

    assert answer.status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:80", f"https://{HOST}", ""])
async def test_other_origins_are_not_answered(desk: Desk, origin: str) -> None:
    await desk.enter()
    shown = await desk.visitor.get("/", headers={"Origin": origin})
    sent = await desk.visitor.post("/actions/act-1", data={}, headers={"Origin": origin})

    assert [shown.status_code, sent.status_code] == [403, 403]


async def test_a_form_without_an_origin_and_requests_of_other_sites_are_refused(desk: Desk) -> None:
    await desk.enter()
    unsaid = await desk.visitor.post("/actions/act-1", data={})
    foreign = await desk.visitor.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    beside = await desk.visitor.get("/", headers={"Sec-Fetch-Site": "same-site"})

    assert [unsaid.status_code, foreign.status_code, beside.status_code] == [403, 403, 403]


@pytest.mark.parametrize("path", ["/", "/open", "/console.css", "/console.js", "/nothing"])
async def test_the_browser_is_told_to_run_send_and_keep_nothing(desk: Desk, path: str) -> None:
    answer = await desk.visitor.get(path)
    policy = answer.headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-frame-options"] == "DENY"


async def test_no_page_holds_a_script_or_a_style_of_its_own(desk: Desk) -> None:
    action = await desk.lab.propose(label("x"))
    await desk.enter()
    page = (await desk.visitor.get(f"/actions/{action.id}")).text
    attributes = {name for _, names in Seen(page).outline for name in names}

    assert page.count("<script") == page.count(f'<script src="{desk.site.base}/console.js" defer></script>') == 1
    assert page.count("<style") == 1  # the picture's, which the policy names by its hash
    assert not {name for name in attributes if name.startswith("on") or name == "style"}


async def test_too_many_requests_are_told_to_wait(desk: Desk) -> None:
    answers = [await desk.visitor.get("/console.css") for _ in range(601)]

    assert {item.status_code for item in answers[:600]} == {200}
    assert (answers[600].status_code, answers[600].headers["retry-after"]) == (429, "60")


def test_a_limit_lets_through_again_what_time_has_forgotten() -> None:
    limit = Limit(2, 10.0)

    assert [limit.wait(now) for now in (0.0, 1.0, 2.0, 10.0, 10.5, 11.0)] == [0.0, 0.0, 8.0, 0.0, 0.5, 0.0]


def test_two_pages_on_one_machine_share_no_path() -> None:
    settings = Settings.load({})
    one, other = Site.of(settings, PORT), Site.of(settings, PORT)

    assert one.base != other.base
    assert len(one.base) >= 34
    assert ORIGIN in one.origins


@pytest.mark.requirement("page.public")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "approvals.example.com"])
def test_a_public_page_without_tokens_or_names_is_refused(tmp_path: Path, host: str) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("grace " + "g" * 20)
    with pytest.raises(InvalidArguments, match="no tokens are set"):
        Site.of(Settings.load({}, console_host=host), PORT)
    with pytest.raises(InvalidArguments, match="no allowed hosts"):
        Site.of(Settings.load({}, console_host=host, console_tokens=tokens), PORT)


@pytest.mark.requirement("page.public")
def test_a_token_of_a_client_opens_no_page(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("grace " + "g" * 20)
    with pytest.raises(InvalidArguments, match="its model could approve"):
        _keys(Settings.load({}, console_tokens=tokens, http_token="g" * 20))
    tokens.write_text("# nobody\n")
    with pytest.raises(InvalidArguments, match="holds no token"):
        _keys(Settings.load({}, console_tokens=tokens))


async def test_people_come_in_from_elsewhere_with_their_own_token(public: Desk) -> None:
    action = await public.lab.propose(label("x"))
    origin = {"Origin": "https://ok.example"}
    wrong = await public.visitor.post("/enter", data={"token": "wrong"}, headers=origin)
    right = await public.visitor.post("/enter", data={"token": next(iter(PEOPLE))}, headers=origin)
    seen = await public.see(f"/actions/{action.id}")
    fields = {**seen.fields, "decision": "reject"}
    sent = await public.visitor.post(f"/actions/{action.id}", data=fields, headers=origin)
    decided = public.lab.gate.actions.get(action.id)

    assert wrong.status_code == 403
    assert "Secure" in right.headers["set-cookie"]
    assert sent.status_code == 303
    assert (decided.approvals[0].approver, decided.approvals[0].channel) == ("token:grace", "page")


async def test_a_guessed_cookie_is_nobodys(desk: Desk) -> None:
    await desk.enter()
    desk.visitor.cookies.clear()

    assert (await desk.visitor.get("/", headers={"Cookie": f"{COOKIE}=guess"})).status_code == 401
