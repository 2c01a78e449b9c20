"""The allow-list of commands goes by arguments, and what runs other programs is never let in by a wildcard."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.commands import why_not, words

LIST = ("cat /etc/resolv.conf", "cat /var/log/*", "nslookup *", "ps *", "df -h", "busybox *", "sh -c 'echo hi'")
ARGUMENT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@pytest.mark.parametrize(
    "command",
    [
        ["cat", "/etc/resolv.conf"],
        ["cat", "/var/log/app.log"],
        ["nslookup", "web.shop"],
        ["nslookup", "-type=any", "web"],
        ["ps"],
        ["ps", "aux"],
        ["df", "-h"],
        ["sh", "-c", "echo hi"],
    ],
)
def test_what_the_list_says_is_let_in(command: list[str]) -> None:
    assert why_not(LIST, command) == ""


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ([], "empty"),
        (["cat", "/etc/shadow"], "not on the list"),
        (["cat", "/var/log/../../etc/shadow"], "not on the list"),
        (["cat", "/var/log/a/b"], "not on the list"),
        (["cat", "/etc/resolv.conf", "/etc/shadow"], "not on the list"),
        (["df"], "not on the list"),
        (["/bin/cat", "/etc/resolv.conf"], "not on the list"),
        (["cat /etc/resolv.conf"], "not on the list"),
        (["sh", "-c", "echo ho"], "not on the list"),
        (["busybox", "ls"], "'busybox' runs other commands"),
        (["ps", "/bin/sh"], "'sh' runs other commands"),
        (["nslookup", "/usr/bin/python3.11"], "runs other commands"),
        (["ps", "a\nb"], "cannot be printed"),
        (["ps", "x" * 5000], "too long"),
    ],
)
def test_everything_else_is_not(command: list[str], why: str) -> None:
    assert why in why_not(LIST, command)


@given(st.lists(ARGUMENT, min_size=1, max_size=4))
def test_a_pattern_without_wildcards_is_one_command(command: list[str]) -> None:
    pattern = shlex.join(command)
    if "*" in pattern:
        return

    assert why_not([pattern], command) == ""
    assert why_not([pattern], [*command, "more"]) != ""


@given(st.lists(ARGUMENT, max_size=4))
def test_no_shell_gets_in_by_a_wildcard(rest: list[str]) -> None:
    assert why_not(["ps *", "nslookup *"], ["ps", *rest, "/bin/bash"]) != ""


@pytest.mark.parametrize("pattern", ["", " ", "* -h", "c*t /etc", "cat 'open"])
def test_a_pattern_names_its_program(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"pattern|quotation"):
        words(pattern)
