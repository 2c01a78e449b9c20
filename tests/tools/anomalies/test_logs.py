"""What a log says for the first time, moments with many errors, and which logs are read at all."""

from __future__ import annotations

from tests.tools.anomalies.world import NOW, WEB, World
from tests.tools.diagnosis import lab

from kubesteward_tools.analytics.records import Line
from kubesteward_tools.anomalies.reading import MOST, chosen
from kubesteward_tools.anomalies.view import Logs

ROUTINE = ("GET /items 200 {n}ms", "GET /cart 200 {n}ms", "INFO saved order {n}")


def log(*strange: tuple[float, str], hours: float = 3.0) -> tuple[Logs, ...]:
    """A line each twenty seconds for some hours up to now, and strange ones so many seconds ago."""
    count = int(hours * 180)
    lines = [Line(NOW - 20 * (count - n), "web-x/app", ROUTINE[n % 3].format(n=n * 7 % 90)) for n in range(count)] + [
        Line(NOW - ago, "web-x/app", text) for ago, text in strange
    ]
    return (Logs(WEB, tuple(sorted(lines, key=lambda line: line.at)), ("web-x/app",)),)


def world() -> World:
    return World(lab.base(), lab.node("worker-1"), lab.deployment("web"))


def test_a_log_that_goes_on_as_ever_is_not_told() -> None:
    assert world().found(logs=log()) == []


def test_an_error_that_was_never_there_before_is_told_with_its_count() -> None:
    strange = [(600.0 - n, f"ERROR payment {n} declined: ledger offline") for n in range(12)]
    (found,) = world().found(logs=log(*strange))

    assert (found.code, found.key, found.severity) == ("logs.new", WEB, "warning")
    assert "ledger offline' x12" in found.sentence
    assert found.since == NOW - 600.0


def test_an_error_that_came_before_as_well_is_nothing_new() -> None:
    strange = [(at, "ERROR payment 5 declined: ledger offline") for at in (9000.0, 600.0)]

    assert world().found(logs=log(*strange)) == []


def test_what_is_only_told_and_not_warned_of_is_new_all_the_time() -> None:
    assert world().found(logs=log(*[(500.0, "user signed up by invitation")] * 9)) == []


def test_without_lines_from_before_nothing_is_called_new_and_that_is_said() -> None:
    report = world().look(logs=log((60.0, "ERROR ledger offline"), hours=0.5))

    assert report.anomalies == ()
    assert any(
        item.startswith("new messages: fewer than 20") and "Deployment shop/web" in item for item in report.unjudged
    )


def test_a_burst_of_known_errors_is_told_with_its_rate() -> None:
    known = [(9000.0 - 300 * n, "ERROR upstream timed out after 5 s") for n in range(28)]
    burst = [(300.0 + n / 2, "ERROR upstream timed out after 5 s") for n in range(80)]
    (found,) = world().found(logs=log(*known, *burst))

    assert found.code == "logs.spike"
    assert found.numbers["errors"] >= 70


def test_logs_of_what_is_in_trouble_are_read_first_and_never_too_many() -> None:
    many = [lab.deployment(f"app-{number:02}", replicas=4) for number in range(20)]
    sick = lab.deployment("zebra", None, [lab.crashing(1)])
    view = World(lab.base(), many, sick).view()
    streams, total = chosen(view, {WEB._replace(name="app-11")})

    assert [key.name for key, _ in streams[:2]] == ["zebra", "app-11"]
    assert (len(streams), total) == (MOST, 83)
    assert len({key for key, _ in streams}) > 15
