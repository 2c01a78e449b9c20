"""A log is shown in the order of time, and every line of it is shown, folded, or counted as left out."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kubesteward_tools.analytics.records import Level, Line, records
from kubesteward_tools.lookup.loglines import Merged, merge, parse, short_names
from kubesteward_tools.lookup.logsearch import compiled, look_through
from kubesteward_tools.lookup.logstreams import Stream
from kubesteward_tools.lookup.logview import STYLES, Entry, Gap, Style, view

A, B = Stream("lab", "shop", "web-7c9d-aaaaa", "app"), Stream("lab", "shop", "web-7c9d-bbbbb", "app")
CONCISE = STYLES["concise"]

lines = st.lists(
    st.tuples(
        st.integers(0, 100_000),
        st.sampled_from([A.path, B.path]),
        st.sampled_from(
            ["GET /{n} 200", "ERROR {n} connection refused", "  at f(a.py:{n})", "Traceback (most recent call last):",
             "ValueError: {n}", "word{n} " * 20, '{{"level":"error","msg":"m {n}"}}', "x"]
        ),
    ).map(lambda item: Line(1e9 + item[0], item[1], item[2].format(n=item[0]))),
    max_size=300,
)  # fmt: skip


@given(st.lists(lines, max_size=3))
def test_a_merge_keeps_all_lines_in_the_order_of_time(logs: list[list[Line]]) -> None:
    merged = merge(logs)

    assert [line.at for line in merged] == sorted(line.at for log in logs for line in log)
    assert sorted(map(id, merged)) == sorted(id(line) for log in logs for line in log)
    for log in logs:
        own = {id(line): at for at, line in enumerate(log)}
        places = [(line.at, own[id(line)]) for line in merged if id(line) in own]

        assert places == sorted(places)


@settings(max_examples=60, deadline=None)
@given(lines, st.sampled_from(["", "database", "errors"]), st.sampled_from(["", "refused", "[0-9]7"]))
def test_every_line_is_shown_folded_left_out_or_not_asked_for(found: list[Line], hint: str, pattern: str) -> None:
    merged = Merged(lines=merge([found]), streams=[A, B])
    result = look_through(merged, compiled(pattern) if pattern else None, hint, CONCISE)
    shown = result.view
    others = sum(record.lines for record in result.others)

    assert shown.shown + shown.folded + shown.left_out + others == len(found)
    assert len(shown.text()) <= CONCISE.room
    entries = [part for part in shown.parts if isinstance(part, Entry)]
    assert [entry.first for entry in entries] == sorted(entry.first for entry in entries)
    assert [item.get("text") for item in shown.data()] == [getattr(part, "text", None) for part in shown.parts]
    assert all(entry.text in shown.text() for entry in entries)
    assert sum(item.get("left_out", 0) for item in shown.data()) == shown.left_out


def test_an_error_survives_between_thousands_of_different_lines() -> None:
    words = [f"{chr(97 + n % 26)}{chr(97 + n // 26 % 26)}{chr(97 + n // 676 % 26)}" for n in range(5000)]
    log = [Line(1e9 + n, A.path, f"INFO {word} {word[::-1]} {word * 3} {word * 5}") for n, word in enumerate(words)]
    log[2500] = Line(1e9 + 2500, A.path, "ERROR disk on fire")
    found = records(log)
    shown = view(found, dict.fromkeys(range(len(found)), True), {}, Style(2_000, 400, 8, 5))

    assert "ERROR disk on fire" in shown.text()
    assert shown.text().startswith("01:46:40 INFO aaa")
    assert [type(part) for part in shown.parts].count(Gap) == 2


def test_a_long_trace_keeps_its_head_its_cause_and_its_end() -> None:
    frames = [f"\tat com.example.C{n}.f(C.java:{n})" for n in range(30)]
    text = ["ERROR call failed", *frames[:15], "Caused by: java.net.ConnectException: refused", *frames[15:]]
    found = records(Line(0.0, "s", line) for line in text)
    shown = view(found, {0: True}, {}, CONCISE).text()

    assert found[0].lines == 32
    assert shown.count("\n") <= 10
    assert "Caused by: java.net.ConnectException: refused" in shown
    assert "lines of it]" in shown


def test_a_long_line_keeps_its_start_and_its_end() -> None:
    found = records([Line(0.0, "s", f"ERROR start {'x' * 5000} end")])
    shown = view(found, {0: True}, {}, CONCISE)

    assert shown.text().startswith("ERROR start")
    assert shown.text().endswith("end")
    assert len(shown.text()) < 500


def test_what_was_asked_for_stays_in_sight_in_long_lines_and_long_records() -> None:
    long = Line(0.0, A.path, f"INFO start {'x' * 3000} needle {'y' * 3000} end")
    wide = [Line(0.0, A.path, text) for text in ["INFO table", *(f"  row {n}" for n in range(50))]]
    for pattern, hint in (("needle|row 25", ""), ("", "needle row")):
        merged = Merged(lines=[long, *wide], streams=[A])
        text = look_through(merged, compiled(pattern) if pattern else None, hint, CONCISE).view.text()

        assert "needle" in text
        assert ("row 25" in text) is bool(pattern)
        assert len(text) < 1200


def test_containers_are_named_by_what_tells_them_apart() -> None:
    other = Stream("lab", "shop", "web-7c9d-aaaaa", "proxy")

    assert short_names([A]) == {A.path: ""}
    assert list(short_names([A, B]).values()) == ["aaaaa", "bbbbb"]
    assert list(short_names([A, other]).values()) == ["app", "proxy"]
    assert list(short_names([A, B, other]).values()) == ["aaaaa/app", "bbbbb/app", "aaaaa/proxy"]
    assert list(short_names([Stream("lab", "s", "web", "a"), Stream("lab", "s", "web-2", "a")]).values()) == [
        "web",
        "web-2",
    ]


def test_lines_are_clean_and_none_is_empty() -> None:
    text = (
        "2026-11-21T00:00:01.123456789Z \x1b[31mred\x1b[0m\r\n2026-11-21T00:00:02Z \n2026-11-21T00:00:03Z a\rb\n"
        "no stamp\n9999-99-99T00:00:00Z odd\ud800\n"
    )
    found = parse(text, "s")

    assert [line.text for line in found] == ["red", "a", "b", "no stamp", "odd"]
    assert [line.at for line in found][1:] == [1795219203.0] * 4


def test_a_private_key_over_many_lines_is_gone_and_the_lines_after_it_are_not() -> None:
    body = ["MIIEpAIBAAKCAQEA7" + "aB3" * 15] * 3
    for end in (["-----END RSA PRIVATE KEY-----"], []):
        text = "\n".join(["up", "-----BEGIN RSA PRIVATE KEY-----", *body, *end, "GET / 200 is next"])
        shown = [line.text for line in parse(text, "s")]

        assert len(shown) == len(text.split("\n"))
        assert (shown[0], shown[-1]) == ("up", "GET / 200 is next")
        assert not any("MIIE" in line for line in shown)


def test_a_log_of_several_days_is_told_with_them() -> None:
    found = records([Line(1795219200.0, "s", "evening"), Line(1795219200.0 + 86400, "s", "and the next")])
    shown = view(found, dict.fromkeys(range(2), True), {}, CONCISE)

    assert shown.text().split("\n") == ["11-21 00:00:00 evening", "11-22 00:00:00 and the next"]


def test_the_level_is_said_where_the_line_does_not_say_it() -> None:
    found = records(Line(0.0, "s", line) for line in ('{"level":"error","msg":"no"}', "ERROR no", "fine"))
    shown = view(found, dict.fromkeys(range(3), True), {}, CONCISE)

    assert shown.text().split("\n") == ["ERROR no", "ERROR no", "fine"]
    assert [item.get("level") for item in shown.data()] == [Level.ERROR.name, Level.ERROR.name, None]
