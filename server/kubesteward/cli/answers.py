"""What `ask` and `investigate` print at the end: the answer, what to do, what it rests on, and what it took."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import Any

_PARTS = re.compile(r" (?=(?:Evidence|Against it|On record): |Since \d{4}-|It explains [A-Z])")
"""Where the rules begin to tell something else: each stands on a line of its own."""
_WIDEST = 120
_INCONCLUSIVE = "INCONCLUSIVE: "


def safe(text: str) -> str:
    """What a cluster or a model wrote must not command the terminal."""
    from kubesteward_tools.text.fence import clean

    return clean(text, len(text))


def plain(record: dict[str, Any], *, ideas: bool = True) -> str:
    """For people: the answer, what to do, hypotheses unless they were seen, what was ruled out, and what it took."""
    if record["run"] != "done":
        return _wrapped(safe(f"{record['id']} is {record['run']}: {record.get('reason') or record.get('step', '')}"))
    lines = [*_answer(record), *_advice(record)]
    if ideas and record["hypotheses"]:
        lines += ["\nHypotheses:", *(f"  {line}" for line in hypotheses(record))]
    if record["ruled_out"]:
        lines += ["\nRuled out:", *(f"  {line}" for line in record["ruled_out"])]
    return _wrapped(safe("\n".join([*lines, "", cost(record)])))


def _answer(record: dict[str, Any]) -> list[str]:
    sure = f" (confidence {record['confidence']:.0%})" if record["confidence"] else ""
    advice = record["recommendation"]["text"]
    said = record["answer"].removeprefix(_INCONCLUSIVE)
    said = f"{said[:1].upper()}{said[1:]}"
    if advice:  # it has a line of its own
        said = said.replace(f" Fix: {advice}", "", 1)
    lines = [f"{record['status']}{sure}", *_PARTS.sub("\n", said).splitlines()]
    if record["root_cause"] and record["root_cause"]["culprit"]:
        culprit = record["root_cause"]["culprit"]
        place = f"{culprit['namespace']}/" if culprit["namespace"] else ""
        lines.append(f"\nRoot cause: {record['root_cause']['category']}, {culprit['kind']} {place}{culprit['name']}")
    return lines


def _advice(record: dict[str, Any]) -> list[str]:
    advice = record["recommendation"]
    text = advice["text"]
    if record["status"] == "INCONCLUSIVE":  # that a person has to look is said by then
        text = text.removeprefix(f"{_INCONCLUSIVE}recommend human investigation.").strip()
    if not text and not advice["actions"]:
        return []
    lines = [f"\nRecommendation: {text}"]
    lines += [f"  rehearsed: {item.get('summary') or item['action']}: {item['verdict']}" for item in advice["actions"]]
    return [*lines, *([f"  saved as {advice['saved']}"] if advice["saved"] else [])]


def hypotheses(record: dict[str, Any]) -> list[str]:
    found = sorted(record["hypotheses"], key=lambda item: -item["standing"])
    return [f"{item['standing']:.2f} {item['category']}: {item['because']}"[:160] for item in found]


def cost(record: dict[str, Any]) -> str:
    used, brain = record["usage"], record["brain"]
    tokens = sum(used.get(name, 0) for name in ("input", "output", "cache_read", "cache_write"))
    money = "unknown cost" if used["usd"] is None else f"${used['usd']:.4f}"
    claims = f"{used['claims_checked']} claims checked, {used['claims_false']} false"
    claims += f", {used['claims_disputed']} disputed" if used["claims_disputed"] else ""
    claims += f", {used['sentences_unchecked']} sentences only said" if used["sentences_unchecked"] else ""
    status = "" if brain["status"] == "online" else f" ({brain['status']})"
    return (
        f"{record['id']}: {brain['name']}{status}, {used['turns']} turns, {used['tool_calls']} tool calls, {claims}, "
        f"{tokens:,} tokens, {money}, {used['seconds']:.1f} s"
    )


def _wrapped(text: str) -> str:
    """At a terminal no word is cut in two; a pipe gets the lines as they are."""
    if not sys.stdout.isatty():
        return text
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    return "\n".join(_folded(line, width) for line in text.split("\n"))


def _folded(line: str, width: int) -> str:
    inset = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(line, width, subsequent_indent=inset, break_long_words=False, break_on_hyphens=False)
