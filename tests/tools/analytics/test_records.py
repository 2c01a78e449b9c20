"""Lines of every common logger: how bad they are, when they were written, and which of them belong together."""

from __future__ import annotations

import pytest

from kubesteward_tools.analytics.formats import own_time, parsed
from kubesteward_tools.analytics.records import Level, Line, Record, records
from kubesteward_tools.analytics.severity import level, named

AT = 1795255323.5
"""2026-11-21T10:02:03.5Z"""


def of(text: str) -> list[Record]:
    return records(Line(0.0, "pod/app", line) for line in text.strip("\n").split("\n"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-11-21 10:02:03,500 ERROR [main] c.e.App - no", Level.ERROR),
        ("10:02:03.500 [main] WARN  com.example.App - slow", Level.WARNING),
        ('level=warning msg="error budget is fine"', Level.WARNING),
        ('time="2026-11-21T10:02:03Z" level=info msg="0 errors"', Level.INFO),
        ("ERROR:app:Error fetching meme", Level.ERROR),
        ("2026/11/21 10:02:03 [emerg] 1#1: host not found in upstream", Level.FATAL),
        ("2026/11/21 10:02:03 [notice] 1#1: start worker processes", Level.INFO),
        ("[2026-11-21 10:02:03.500][1][critical][main] exiting", Level.FATAL),
        ('2026-11-21 10:02:03 UTC [1] FATAL:  password authentication failed for user "a"', Level.FATAL),
        ("stress: info: [1] dispatching hogs", Level.INFO),
        ("npm ERR! code ELIFECYCLE", Level.ERROR),
        ("Run 2 failed with error: division by zero", Level.ERROR),
        ("Environment variable DEPLOY_ENV is undefined", Level.ERROR),
        ("wget: download timed out", Level.ERROR),
        ("finished with 0 errors, failed=0", Level.INFO),
        ("no errors so far", Level.INFO),
        ("10 errors so far", Level.ERROR),
        ('10.0.0.1 - - [21/Nov/2026:10:02:03 +0000] "GET / HTTP/1.1" 502 157', Level.ERROR),
        ('10.0.0.1 - - [21/Nov/2026:10:02:03 +0000] "GET / HTTP/1.1" 200 157', Level.INFO),
        ("Killed: out of memory", Level.FATAL),
        ("the terror of warnless nights", Level.INFO),
        ("DEBUG failed lookup, will look elsewhere", Level.DEBUG),
        ("", Level.INFO),
    ],
)
def test_a_line_is_as_bad_as_its_logger_says_or_else_its_words(line: str, expected: Level) -> None:
    assert expected == level(line)


@pytest.mark.parametrize(
    ("line", "text", "expected", "at"),
    [
        (
            '{"level":"error","ts":1795255323.5,"msg":"no way","status":502,"err":"dial tcp: refused"}',
            'no way status=502 err="dial tcp: refused"',
            Level.ERROR,
            AT,
        ),
        ('{"severity":"WARNING","message":"hm","time":"2026-11-21T10:02:03.5Z"}', "hm", Level.WARNING, AT),
        ('{"level":50,"time":1795255323500,"msg":"pino"}', "pino", Level.ERROR, AT),
        ('{"msg":"all well","error":null,"errors":0}', "all well error=null errors=0", Level.INFO, 0.0),
        ('{"msg":"call","error":"EOF"}', "call error=EOF", Level.ERROR, 0.0),
        ('{"log.level":"fatal","@timestamp":"2026-11-21T10:02:03.500Z","message":"x"}', "x", Level.FATAL, AT),
        ('{"level":"info","msg":"GET /","status":502}', "GET / status=502", Level.ERROR, 0.0),
        ('{"level":"info","msg":"a","stack":"E: x\\n  at f"}', "a\nstack=E: x\n  at f", Level.INFO, 0.0),
        (
            r'{"msg":"a\u001b[31m\u202e\ud800b","date":"soon","p\u0061ssword":"hunter2secret"}',
            "ab date=soon password=[REDACTED]",
            Level.INFO,
            0.0,
        ),
        ("{not json", "{not json", Level.INFO, 0.0),
        ("E1121 10:02:03.500000       1 reflector.go:138] no", "reflector.go:138] no", Level.ERROR, 0.0),
        ("I1121 10:02:03.500000       1 main.go:1] error free", "main.go:1] error free", Level.INFO, 0.0),
        ("time=2026-11-21T10:02:03.5Z level=error msg=no", "level=error msg=no", Level.ERROR, AT),
        ("2026-11-21 10:02:03,500 ERROR no", "ERROR no", Level.ERROR, AT),
        ("2026-11-21T12:02:03.5+02:00 fine", "fine", Level.INFO, AT),
        ("[2026-11-21T10:02:03.500Z] fine", "fine", Level.INFO, AT),
        ("2026-13-77 10:02:03 fine", "fine", Level.INFO, 0.0),
        ("2026-11-21T10:02:03Z", "2026-11-21T10:02:03Z", Level.INFO, 0.0),
    ],
)
def test_what_loggers_write_around_a_message_is_understood(line: str, text: str, expected: Level, at: float) -> None:
    found = parsed(line)

    assert (text, expected, at) == (found.text, found.level, found.at)


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("INFO 2026-11-21 10:02:03.5 up", AT),
        ("2026/11/21 10:02:03.5 [notice] up", AT),
        ('{"ts":"2026-11-21T10:02:03.5Z"}', AT),
        ("certificate expired at 2020-01-01 00:00:00", 0.0),
        ("no time at all", 0.0),
    ],
)
def test_a_time_is_the_lines_own_only_at_its_start(line: str, at: float) -> None:
    assert at == own_time(line)


def test_numbers_mean_levels_as_pino_counts_them() -> None:
    found = [named(number) for number in (10, 20, 30, 40, 50, 60, 3, True, None)]

    assert found == [Level.DEBUG, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR, Level.FATAL, None, None, None]


PYTHON = """
INFO up
ERROR:app:request failed
Traceback (most recent call last):
  File "a.py", line 1, in f
    g()
KeyError: 'x'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "b.py", line 2
ValueError: y
INFO next
"""
JAVA = """
2026-11-21 10:02:03 ERROR c.e.App - call failed
java.lang.IllegalStateException: outer
\tat com.example.A.f(A.java:1)
Caused by: java.net.ConnectException: Connection refused
\t... 12 more
2026-11-21 10:02:04 INFO c.e.App - next
"""
GO = """
starting
panic: runtime error: index out of range [5] with length 3
goroutine 1 [running]:
main.main()
\t/app/main.go:12 +0x1d
created by main.start
exit status 2
"""
RUST = """
thread 'main' panicked at src/main.rs:2:5:
index out of bounds
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""


@pytest.mark.parametrize(("text", "lines"), [(PYTHON, [1, 9, 1]), (GO, [1, 6]), (RUST, [3])])
def test_a_stack_trace_stays_with_the_line_that_began_it(text: str, lines: list[int]) -> None:
    text = "\n".join(line for line in text.split("\n") if line)

    assert lines == [record.lines for record in of(text)]


def test_a_java_cause_stays_with_its_trace_and_is_what_it_was_about() -> None:
    found = of(JAVA)

    assert [record.lines for record in found] == [5, 1]
    assert found[0].shown == "ERROR c.e.App - call failed"
    assert found[0].raised.startswith("Caused by: java.net.ConnectException")


def test_the_headline_of_a_traceback_names_its_exception() -> None:
    first, second = of("Traceback (most recent call last):\n  File 'a'\nKeyError: 'x'\nINFO next")

    assert first.headline == "Traceback (most recent call last): KeyError: 'x'"
    assert (first.level, second.level) == (Level.ERROR, Level.INFO)


def test_an_indented_error_is_not_hidden_by_the_line_above_it() -> None:
    (record,) = of("step 3\n    ERROR: disk full")

    assert record.level is Level.ERROR


def test_lines_of_another_container_do_not_break_a_trace() -> None:
    lines = [
        Line(1.0, "a/app", "Traceback (most recent call last):"),
        Line(1.0, "b/app", "GET /"),
        Line(2.0, "a/app", "  File"),
        Line(2.0, "a/app", "OSError: no"),
    ]

    assert [record.lines for record in records(lines)] == [3, 1]


def test_a_hostile_line_takes_linear_time() -> None:
    for hostile in ("(" * 50_000, "a" * 50_000, '{"a":' * 50_000, "[" * 50_000, "x=" * 50_000, "a.b/" * 20_000 + ")"):
        records([Line(0.0, "s", "panic: x"), Line(0.0, "s", hostile)])
