"""No text out of a cluster becomes markup, whatever it holds."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from tests.tools.pictures.rehearsals import NASTY, SUMMARY, rehearsal

from kubesteward_tools.pictures import mermaid
from kubesteward_tools.pictures.escapes import code, markdown
from kubesteward_tools.pictures.markdown import report
from kubesteward_tools.pictures.page import page
from kubesteward_tools.pictures.svg import picture

GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_WORDS = r"[\w \-./=,+']+"
_FLOW = re.compile(
    rf'flowchart LR|  \w+\["{_WORDS}(<br/>{_WORDS})?"\](:::(block|warn|info))?'
    r"|  \w+ (-->|-\.->) \w+|  classDef (block|warn|info) [\w#:,-]+",
    re.ASCII,
)
_GANTT = re.compile(
    rf"gantt|  title {_WORDS}|  dateFormat x|  axisFormat %M:%S|  section {_WORDS}"
    rf"|  - {_WORDS} :(active, |crit, )?t\d+, \d+, \d+",
    re.ASCII,
)


def shape(text: str) -> list[str]:
    """The structure without what is written in it."""
    return [
        f"{token.type} {[child.type for child in token.children or () if child.type != 'text']}"
        for token in GFM.parse(text)
    ]


@pytest.mark.requirement("simulate.escapes")
@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_markdown_keeps_its_structure(word: str) -> None:
    assert shape(report(rehearsal(word), SUMMARY)) == shape(report(rehearsal("plain"), SUMMARY))


@given(NASTY)
@settings(max_examples=100, deadline=None)
def test_prose_and_code_stay_one_paragraph_with_one_text(word: str) -> None:
    assert shape(f"a {code(word)} b") == shape("a `x` b")
    assert shape(f"{markdown(word)} b") == shape("x b")
    assert not re.search(r"@\w|(?i:https?:|www\.)", markdown(word))


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_mermaid_holds_only_lines_of_its_own(word: str) -> None:
    found = rehearsal(word)
    flow, gantt = mermaid.blast_radius(found, word), mermaid.timeline(found)

    assert [line for line in flow.splitlines() if not _FLOW.fullmatch(line)] == []
    assert [line for line in gantt.splitlines() if not _GANTT.fullmatch(line)] == []
    assert "```" not in flow + gantt


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_svg_is_well_formed_and_has_no_element_more(word: str) -> None:
    tags = [element.tag for element in ElementTree.fromstring(picture(rehearsal(word), word)).iter()]
    wanted = [element.tag for element in ElementTree.fromstring(picture(rehearsal("plain"), SUMMARY)).iter()]

    assert tags == wanted
    assert {tag.rpartition("}")[2] for tag in tags} <= {
        *("svg", "title", "desc", "style", "rect", "text", "line", "path", "g")
    }


@given(NASTY)
@settings(max_examples=60, deadline=None)
def test_a_line_of_the_page_is_one_line_without_controls(word: str) -> None:
    for item in page(rehearsal(word), word, word):
        assert not re.search(r"[\x00-\x1f\x7f\u2028\u202e]", item.text)


def test_an_svg_needs_nothing_from_elsewhere_and_is_named() -> None:
    text = picture(rehearsal(), SUMMARY)
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"

    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    assert root.findtext(f"{space}title") == "Rehearsal: blocked"
    assert "no web" in (root.findtext(f"{space}desc") or "")
    assert not re.search(r"href|url\(|@import|<script|\bon\w+=", text)
    assert text.count("http") == 1
    assert "prefers-color-scheme:dark" in text
