"""A long log is a few templates, each with its count, and the moments when errors were many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.analytics.records import Level, Line, Record, records
from kubesteward_tools.analytics.spikes import spikes
from kubesteward_tools.analytics.templates import templates


def of(*lines: str) -> list[Record]:
    return records(Line(0.0, "pod/app", line) for line in lines)


def shapes(*lines: str) -> list[tuple[int, str]]:
    return [(item.count, item.shape) for item in templates(of(*lines))]


def test_what_varies_by_nature_is_masked() -> None:
    masked = [
        f"INFO id=550e8400-e29b-41d4-a716-44665544000{n} from 10.0.0.{n}:80{n} at 10:0{n}:00 0xbeef{n} 1{n}ms "
        f"'u-{n}' /users/{n}/cart"
        for n in range(9)
    ]

    assert shapes(*masked) == [(9, "INFO id=<*> from <*> at <*> <*> <*> <*> <*>")]


def test_what_stays_the_same_is_told_as_it_is() -> None:
    assert shapes(*(f"INFO try {n} of 3 to reach 10.0.0.7:5432" for n in range(9))) == [
        (9, "INFO try <*> of 3 to reach 10.0.0.7:5432")
    ]


def test_few_values_are_listed() -> None:
    assert shapes(*(f"GET /cart {code}" for code in (200, 404, 200))) == [(3, "GET /cart {200|404}")]


def test_words_that_vary_are_masked_where_the_others_agree() -> None:
    names = ("ann", "bob", "eve", "joe", "sue")

    assert shapes(*(f"INFO login of user={name} went well today" for name in names)) == [
        (5, "INFO login of user=<*> went well today")
    ]


def test_errors_of_different_causes_are_not_one() -> None:
    assert shapes("ERROR dial tcp 10.0.0.1: connection refused", "ERROR dial tcp 10.0.0.2: connection reset") == [
        (1, "ERROR dial tcp 10.0.0.1: connection refused"),
        (1, "ERROR dial tcp 10.0.0.2: connection reset"),
    ]


def test_exceptions_are_told_apart_by_what_was_raised() -> None:
    traces = [("Traceback (most recent call last):", "  File 'a'", f"{name}: no") for name in ("KeyError", "OSError")]

    assert [item.count for item in templates(of(*traces[0], *traces[1], *traces[0]))] == [2, 1]


@given(st.lists(st.text("ab1 =/.-'\"<*>", max_size=30), max_size=60))
def test_every_record_is_in_exactly_one_template(lines: list[str]) -> None:
    found = of(*lines)
    places = [place for item in templates(found) for place in item.places]

    assert sorted(places) == list(range(len(found)))
    assert templates(found) == templates(found)


def at(second: float, level: Level) -> Record:
    return Record(Line(1_000_000.0 + second, "s", "x"), level, "x")


def test_a_burst_of_errors_is_a_spike_against_the_rest() -> None:
    quiet = [at(second, Level.ERROR if second % 600 == 0 else Level.INFO) for second in range(0, 3600, 10)]
    burst = [at(1800 + number * 2, Level.ERROR) for number in range(50)]
    (found,) = spikes([*quiet, *burst])

    assert 1_001_500 <= found.start <= 1_001_800 <= found.end <= 1_002_200
    assert found.errors >= 50
    assert found.usual < 1 < found.rate


def test_even_errors_and_few_errors_are_no_spike() -> None:
    assert spikes([at(second, Level.ERROR) for second in range(600)]) == []
    assert spikes([at(0, Level.INFO), *(at(500, Level.ERROR) for _ in range(4)), at(600, Level.INFO)]) == []
    assert spikes([at(0, Level.ERROR)] * 50) == []
    assert spikes([]) == []


def test_what_differs_in_a_name_alone_is_one_template_and_what_differs_in_a_reason_is_not() -> None:
    names = ["zurhecxt", "OoQoVwkPVBOa", "ann@example.com", "hhuwoeqg", "iBEECzoc", "lKCFHXKB"]
    failed = [f"ERROR could not process item {name} of the queue" for name in names]
    repeated = [f"ERROR order {name} failed: no such order={name} here" for name in names]
    reasons = [f"ERROR connection {word} by peer" for word in ("refused", "reset", "closed")]
    found = templates(records(Line(float(at), "a", text) for at, text in enumerate(failed + repeated + reasons)))

    assert [(item.count, item.places[0]) for item in found] == [(6, 0), (6, 6), (1, 12), (1, 13), (1, 14)]
    assert found[0].shape == "ERROR could not process item <*> of the queue"


def test_a_name_where_numbers_stand_otherwise_is_no_other_template() -> None:
    texts = ["ERROR shard 4711 is gone for good", "ERROR shard alpha is gone for good"]
    (found,) = templates(records(Line(1.0, "a", text) for text in texts))

    assert (found.count, found.shape) == (2, "ERROR shard {4711|alpha} is gone for good")
