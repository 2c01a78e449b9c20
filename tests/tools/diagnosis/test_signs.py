"""What one line of a log tells, in the words of many runtimes: the kind, and whom it names."""

from __future__ import annotations

import pytest

from kubesteward_tools.diagnosis.signs import listening, signs

LINES = [
    ("Error: connect ECONNREFUSED 10.96.12.4:5432", "connection", "10.96.12.4", "5432"),
    ("Error 111 connecting to redis-master:6379. Connection refused.", "connection", "redis-master", "6379"),
    ("Error -2 connecting to redis-cache:6379. Name or service not known.", "dns", "redis-cache", ""),
    ("ServerSelectionTimeoutError: mongo-db:27017: [Errno 111] Connection refused", "connection", "mongo-db", "27017"),
    ("pymongo.errors.ServerSelectionTimeoutError: mongodb:27017: timed out", "timeout", "mongodb", "27017"),
    ('connection to server at "pg" (10.96.1.1), port 5432 failed: Connection refused', "connection", "pg", "5432"),
    ("ERROR 2003 (HY000): Can't connect to MySQL server on 'mysql-0:3306' (111)", "connection", "mysql-0", "3306"),
    ("DatabaseError: 2005 (HY000): Unknown MySQL server host 'mysql-svc' (-2)", "dns", "mysql-svc", ""),
    ("java.net.ConnectException: Connection refused: orders/10.96.3.3:8080", "connection", "orders", "8080"),
    ("Connection to node -1 (kafka/10.96.2.2:9092) could not be established.", "connection", "kafka", "9092"),
    ('Get "http://stock:8080/x": dial tcp 10.96.9.9:8080: connect: connection refused', "connection", "stock", "8080"),
    ('Get "http://stock:8080/x": context deadline exceeded (Client.Timeout exceeded)', "timeout", "stock", "8080"),
    ('upstream timed out (110: Operation timed out), upstream: "http://backend:8080/"', "timeout", "backend", "8080"),
    ("curl: (7) Failed to connect to users port 8080 after 2 ms", "connection", "users", "8080"),
    ("wget: unable to resolve host address 'users'", "dns", "users", ""),
    ("dial tcp: lookup rates on 10.96.0.10:53: no such host", "dns", "rates", ""),
    ("Caused by: java.net.UnknownHostException: config-server", "dns", "config-server", ""),
    ("RuntimeError: DATABASE_URL environment variable not set", "variable", "DATABASE_URL", ""),
    ("/entrypoint.sh: line 5: MY_VAR: unbound variable", "variable", "MY_VAR", ""),
    ("Error: Unable to access jarfile /app/app.jar", "file", "", ""),
    ("sh: 1: npmm: not found", "command", "npmm", ""),
    ("OSError: [Errno 98] Address already in use", "port", "", ""),
    ("chown: changing ownership of '/data': Operation not permitted", "permission", "", ""),
    ("FATAL ERROR: Reached heap limit - JavaScript heap out of memory", "memory", "", ""),
    ("thread 'main' panicked at 'called unwrap on None', src/main.rs:4", "panic", "", ""),
    ("TypeError: Cannot read properties of undefined (reading 'id')", "exception", "", ""),
    ("Access denied for user 'root'@'10.1.1.1' (using password: YES)", "auth", "", ""),
    ("tls: failed to verify certificate: x509: certificate has expired", "certificate", "", ""),
    ("Connection pool exhausted: no available connections (size=10)", "limit", "", ""),
]
QUIET = [
    "INFO starting with 0 errors",
    "GET /error-pages 200",
    "loaded timeout=30s from config",
    "retry policy: max failures 3",
    "Liveness check OK",
]


@pytest.mark.parametrize(("line", "kind", "peer", "port"), LINES)
def test_a_line_tells_its_kind_and_whom_it_names(line: str, kind: str, peer: str, port: str) -> None:
    (sign,) = signs(line)

    assert (sign.kind, sign.peer, sign.port) == (kind, peer, port)


@pytest.mark.parametrize("line", QUIET)
def test_a_line_that_only_sounds_like_an_error_tells_nothing(line: str) -> None:
    assert signs(line) == []


def test_like_lines_are_counted_and_the_newest_is_shown() -> None:
    (sign,) = signs(
        "ERROR dial tcp cart:80: connect: connection refused at 1\nERROR dial tcp cart:80: connect: "
        "connection refused at 2"
    )

    assert (sign.lines, sign.line[-1]) == (2, "2")


def test_a_trace_is_told_by_the_line_that_names_the_error() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    x = y[0]\nIndexError: '
        "list index out of range"
    )

    assert signs(trace)[0].line == "IndexError: list index out of range"


def test_ports_that_a_program_listens_on_are_read() -> None:
    assert list(listening("Server listening on http://0.0.0.0:3000\nmetrics server started on port 9100")) == [
        3000,
        9100,
    ]
