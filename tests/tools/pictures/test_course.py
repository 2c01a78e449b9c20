"""Pictures of courses: well-formed whatever the names hold, with the limit and the doubt where there are any."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.analytics.trend import trend
from kubesteward_tools.forecasting.subjects import Forecast, Subject
from kubesteward_tools.pictures.course import pictures

START = 1795222800.0
MI = 2.0**20
Points = list[tuple[float, float]]


def made(points: Points, limit: float | None = 256 * MI, name: str = "cart") -> Forecast:
    subject = Subject("memory", "Pod", "shop", name, "app", limit, "limit" if limit else "", "", points, "Prometheus")
    return Forecast(subject, trend(points, limit, 7 * 86400.0), points[-1][0] if points else START)


def rising(per_step: float = MI / 2) -> Points:
    return [(START + 60.0 * n, 100 * MI + per_step * n + (n % 5) * MI) for n in range(120)]


def classes(svg: str) -> list[str]:
    return [item.get("class", "") for item in ET.fromstring(svg).iter()]


def test_a_leak_has_course_line_band_limit_and_the_moment_they_meet() -> None:
    found = classes(pictures([made(rising())]))

    assert [name for name in ("course", "fit", "band", "limit", "met") if name not in found] == []


def test_what_has_no_limit_shows_none_and_what_does_not_grow_is_not_drawn_on() -> None:
    flat = made([(at, 100 * MI + number % 7 * MI) for number, (at, _) in enumerate(rising())])
    (line,) = (item for item in ET.fromstring(pictures([flat])).iter() if item.get("class") == "fit")

    assert "limit" not in classes(pictures([made(rising(), None)]))
    assert float(line.get("x2", 0)) < 700


def test_several_stand_below_each_other() -> None:
    root = ET.fromstring(pictures([made(rising()), made(rising())]))

    assert root.get("height") == "640"


@given(st.text(max_size=60), st.lists(st.floats(0, 1e15), min_size=2, max_size=40))
def test_it_is_well_formed_whatever_is_in_it(name: str, values: list[float]) -> None:
    points = [(START + 60.0 * number, value) for number, value in enumerate(values)]
    svg = pictures([made(points, name=f"<script>{name}")])

    ET.fromstring(svg)
    assert "<script" not in svg
    assert "nan" not in svg.replace("nan", "", 0).lower() or "nan" in name.lower()


def test_without_a_course_there_is_no_picture() -> None:
    with pytest.raises(ValueError, match="there is no course to draw"):
        pictures([made([(START, 1.0)])])


def test_the_words_at_a_limit_on_top_are_not_struck_out_by_the_uppermost_rule() -> None:
    root = ET.fromstring(pictures([made(rising())]))
    heights = [float(item.get("y1", 0)) for item in root.iter() if item.get("class") == "rule"]
    (words,) = (item for item in root.iter() if (item.text or "").startswith("limit "))
    baseline = float(words.get("y", 0))

    assert [height for height in heights if baseline - 11 < height < baseline] == []


def test_every_colour_has_one_for_the_dark() -> None:
    style = next(item.text or "" for item in ET.fromstring(pictures([made(rising())])).iter() if "style" in item.tag)
    light, _, dark = style.rpartition("@media (prefers-color-scheme:dark)")

    for name in ("course", "fit", "band", "limit", "met"):
        assert f".{name}{{" in light
        assert f".{name}{{" in dark


def test_a_secret_in_a_name_is_not_drawn() -> None:
    svg = pictures([made(rising(), name="x password=hunter2-correct-horse")])

    assert "hunter2" not in svg
