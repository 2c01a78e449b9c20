"""What somebody sees who watches an investigation in a terminal."""

from __future__ import annotations

import io

from rich.console import Console

from kubesteward.cli.progress import tree
from kubesteward.reasoning.loop.state import Culprit, Evidence, Hypothesis, Investigation


def shown(state: Investigation, last: str = "") -> str:
    paper = io.StringIO()
    Console(width=120, file=paper).print(tree(state, last))
    return paper.getvalue()


def test_hypotheses_stand_in_the_order_of_what_the_evidence_made_of_them() -> None:
    state = Investigation(id="inv-1", principal="me", question="Why?", phase="evidence")
    web = Culprit(kind="Deployment", namespace="shop", name="web")
    state.hypotheses = [
        Hypothesis(id="h1", category="DNS", because="names fail", standing=0.1),
        Hypothesis(id="h2", category="OOMKilled", culprit=web, because="it is killed", standing=0.9),
    ]
    state.evidence = [Evidence(hypothesis="h2", call="1", tool="diagnose", verdict="supports", weight=0.9, says="137")]
    lines = shown(state, "thought: I look").splitlines()

    assert lines[0].strip() == "Why? [evidence]"
    assert "0.90 OOMKilled of Deployment shop/web: it is killed" in lines[1]
    assert "+ diagnose: 137" in lines[2]
    assert "0.10 DNS: names fail" in lines[3]
    assert "thought: I look" in lines[4]


def test_text_of_a_cluster_is_no_markup() -> None:
    state = Investigation(id="inv-1", principal="me", question="[red]Why?[/red] [link=http://x]", phase="evidence")

    assert "[red]Why?[/red] [link=http://x]" in shown(state)


def test_text_of_a_cluster_commands_no_terminal_and_takes_one_line() -> None:
    state = Investigation(id="inv-1", principal="me", question="Why?", phase="evidence")
    state.hypotheses = [
        Hypothesis(id="h1", category="DNS", because=f"\x1b[2J\x1b]0;owned\x07fails\n{'very ' * 60}often")
    ]
    paper = shown(state)

    assert "\x1b" not in paper
    assert "owned" not in paper
    assert len(paper.splitlines()) == 2
    assert paper.splitlines()[1].endswith("…")
