"""Clusters are meant by name, by pattern, by set, or all at once."""

from __future__ import annotations

import pytest

from kubesteward_tools.cluster.sets import choose, parse
from kubesteward_tools.errors import InvalidArguments, UnknownCluster

NAMES = ["dev", "prod-eu", "prod-us", "stage-1", "we[i]rd"]
SETS = parse("prod = prod-eu , prod-us; stage=stage-*;mixed=gone,dev")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dev", "prod-us"], ["dev", "prod-us"]),
        (["prod-*"], ["prod-eu", "prod-us"]),
        (["prod-?s", "prod-*"], ["prod-us", "prod-eu"]),
        (["*"], NAMES),
        (["@prod", "@stage", "prod-eu"], ["prod-eu", "prod-us", "stage-1"]),
        (["we[i]rd"], ["we[i]rd"]),
        (["gone"], ["gone"]),
        (["@mixed"], ["gone", "dev"]),
        ([], []),
    ],
)
def test_words_mean_clusters_each_of_them_once(words: list[str], expected: list[str]) -> None:
    assert choose(words, NAMES, SETS) == expected


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("@nobody", "there is no set of clusters 'nobody'. There are: @mixed, @prod, @stage."),
        ("test-*", "no cluster fits the pattern 'test-*'. There are: dev, prod-eu, prod-us, stage-1, we[i]rd."),
    ],
)
def test_a_set_or_pattern_that_means_nothing_is_an_error(word: str, said: str) -> None:
    with pytest.raises(UnknownCluster) as raised:
        choose(["dev", word], NAMES, SETS)

    assert str(raised.value) == said


def test_a_pattern_of_a_set_that_fits_nothing_names_the_set() -> None:
    with pytest.raises(UnknownCluster, match=r"fits the pattern 'x-[*]' of the set '@odd'"):
        choose(["@odd"], NAMES, parse("odd=dev,x-*"))


def test_without_sets_it_is_said_how_to_make_them() -> None:
    with pytest.raises(UnknownCluster, match="KUBESTEWARD_CLUSTER_SETS names them"):
        choose(["@prod"], NAMES, {})


def test_fifty_clusters_are_asked_at_a_time() -> None:
    names = [f"c{number:02}" for number in range(51)]

    assert len(choose(["c[0-4]*"], names, {})) == 50
    with pytest.raises(InvalidArguments, match="51 clusters are meant, and at most 50"):
        choose(["*"], names, {})


@pytest.mark.parametrize("text", ["prod", "=a", "prod=", "prod=,", "a b=c", "prod=a;prod=b", "all=@prod"])
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_CLUSTER_SETS"):
        parse(text)


def test_no_sets_is_fine() -> None:
    assert parse(" ; ") == {}
