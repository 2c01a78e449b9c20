"""Takes the claims out of a text, by a grammar: what can be looked up, said of an object that can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward.reasoning.facts.patterns import NUMBER, NUMBERS, PATTERNS, STATES
from kubesteward.reasoning.facts.subjects import Index, Mention, mentions, sentences
from kubesteward.reasoning.loop.state import Claim, Culprit

_COUNT = re.compile(
    r"\b(?:there (?:are|is)|has|have|holds|runs|runs on|spans|contains|with|consists of|finds?|counts)\s+"
    r"(?:only |just |exactly )?"
    rf"{NUMBER}\s+"
    r"(pods?|deployments?|services?|nodes?|statefulsets?|daemonsets?|jobs?|configmaps?|namespaces?)\b",
    re.I,
)  # fmt: skip
_CASE = {state.lower(): state for state in STATES}
_SAME = {
    "oom-killed": "OOMKilled",
    "oom killed": "OOMKilled",
    "out of memory": "OOMKilled",
    "crash-looping": "CrashLoopBackOff",
    "crashlooping": "CrashLoopBackOff",
    "crash looping": "CrashLoopBackOff",
    "unready": "not ready",
    "notready": "not ready",
    "oom-kill": "OOMKilled",
    "oom kill": "OOMKilled",
    "pull": "ImagePullBackOff",
    "scheduled": "Pending",
    "schedule": "Pending",
    "place": "Pending",
    "placed": "Pending",
}
_CONDITIONAL = re.compile(
    r"\b(?:would|could|should|might|may|raise|increase|roll(?:ing)? back|set|if|until|unless|perhaps|needs? to)\b", re.I
)  # fmt: skip

_ADVICE = re.compile(r"\W*(?:fix|to fix it|recommendation|advice|next|remedy)\b", re.I)
_NONE = re.compile(r"\b(?:none|no|neither|nor|zero|0|nothing|nobody|not (?:a|one) )\b", re.I)
_EVERY = re.compile(r"\b(?:all|every|each|both)\b(?!\s+(?:\d+|two|three|four|five|six)\s+of\b)", re.I)
_PODS = re.compile(r"\b(?:pods?|replicas?|instances?|copies|containers?)\b", re.I)
_PARTS = {"half": "half", "most": "most"} | dict.fromkeys(("every", "each", "all"), "all")
_NO_PROBE = re.compile(r"\b(?:no|not|without|lacks?|missing|add|neither|nor|a)\b", re.I)
_ALL_UP = frozenset({"healthy", "available", "up", "ready", "fine", "well"})
_DENIED = re.compile(
    r"['\"`]?,?\s+(?:is|are|does|do|which|that|was)\s?(?:not|n't|no)\b|['\"`]?\s+(?:is )?(?:missing|lacking)", re.I
)


def extract(text: str, index: Index, about: Culprit | None = None) -> list[Claim]:
    """All claims, each with the object that it is said of: the last one named before it, or else the first after it,
    or else the one that the text is about. What is advised or supposed is no claim.
    """
    found, last, recent = list[Claim](), about, list[Culprit]()
    for sentence in sentences(text):
        named = mentions(sentence, index, about.namespace if about else "")
        found += [Claim(kind="exists", subject=one.subject, sentence=sentence) for one in named if one.sure]
        subjects = [one.subject for one in named if one.known and one.subject.kind not in {"Node", "Namespace"}]
        recent = [*subjects, *recent][:8]
        found += [claim.model_copy(update={"others": recent}) for claim in _said(sentence, named, last)]
        found += _counts(sentence, index, about)
        last = subjects[0] if subjects else last
    return _once(found)


def _said(sentence: str, named: list[Mention], last: Culprit | None) -> Iterator[Claim]:
    taken: list[tuple[int, int, str]] = []
    for pattern in PATTERNS:
        for match in pattern.words.finditer(sentence):
            if _supposed(sentence, match.start()) or _taken(match, pattern.kind, taken):
                continue
            if pattern.kind == "label" and _DENIED.match(sentence[match.end() :]):
                continue
            if pattern.kind == "probe" and _NO_PROBE.search(_clause(sentence, match.start())):
                continue
            if pattern.kind == "state" and "nodes" in {kind for *_, kind in taken}:
                continue
            if pattern.kind == "absent" and not any(0 <= match.start() - one.end <= 2 for one in named if one.sure):
                continue  # something of it is missing, as a key of a ConfigMap
            taken.append((match.start(), match.end(), pattern.kind))
            value = _value(pattern.kind, match)
            if pattern.kind == "state" and _of_all(sentence, match):
                value = f"*{value}"
            elif pattern.kind == "state" and _NONE.search(_clause(sentence, match.start())):
                value = value[1:] if value.startswith("!") else f"!{value}"
            yield Claim(kind=pattern.kind, subject=_subject(named, match, last), value=value, sentence=sentence)


def _of_all(sentence: str, match: re.Match[str]) -> bool:
    before = _clause(sentence, match.start())
    return _EVERY.search(before) is not None and _PODS.search(before) is not None and not _NONE.search(before)


def _clause(sentence: str, at: int) -> str:
    return re.split(r"[,:]\s|\s(?:and|but|because|so)\s", sentence[:at])[-1]


def _supposed(sentence: str, at: int) -> bool:
    """Whether what stands there is advice or a supposition: one of its words stands before it in the same clause."""
    return _ADVICE.match(sentence) is not None or _CONDITIONAL.search(_clause(sentence, at)) is not None


def _taken(match: re.Match[str], kind: str, taken: list[tuple[int, int, str]]) -> bool:
    return any(begin < match.end() and match.start() < end and kind == other for begin, end, other in taken)


def _subject(named: list[Mention], match: re.Match[str], last: Culprit | None) -> Culprit | None:
    plain = [one for one in named if one.subject.kind not in {"Node", "Namespace"}] or named
    inside = [one.subject for one in plain if match.start() <= one.at < match.end()]
    before = [one.subject for one in plain if one.at < match.start()]
    after = [one.subject for one in plain if one.at >= match.end()]
    return (inside or before[-1:] or after[:1] or [last])[0]  # type: ignore[list-item]  # None where nothing is named


def _value(kind: str, match: re.Match[str]) -> str:
    groups = [group or "" for group in match.groups()]
    if kind == "state":
        negated, state = (groups[0], groups[1]) if groups[1] else ("", groups[0])
        word = _SAME.get(state.lower()) or _CASE.get(state.lower(), state)
        return f"!{word}" if negated.strip() else word
    if kind in {"ready", "desired", "restarts", "unready", "endpoints", "ready count"}:
        return "/".join(str(NUMBERS.get(group.lower(), group)) for group in groups[:2] if group)
    if kind in {"created", "changed", "scaled", "running", "ended"}:
        return f"{NUMBERS.get(groups[0].lower(), groups[0])}{groups[1][0].lower()}"
    if kind == "share":
        return _share(groups[0].lower(), (groups[1:] or [""])[0].lower())
    if kind in {"nodes", "moved"}:
        return "/".join(str(NUMBERS.get(group.lower(), group.lower())) for group in groups)
    if kind == "label":
        return groups[0].replace(" ", "").rstrip(".")
    return groups[0].rstrip(".")


def _share(part: str, state: str) -> str:
    """Of the pods that are ready: none, half, most or all."""
    if part in _ALL_UP:
        return "all"
    if not part:
        return "none"
    down = state in {"down", "not ready", "unready", "unavailable"}
    if part in _PARTS:
        return {"all": "none", "most": "few"}.get(_PARTS[part], "half") if down else _PARTS[part]
    return "none"


def _counts(sentence: str, index: Index, about: Culprit | None) -> Iterator[Claim]:
    for match in _COUNT.finditer(sentence):
        singular_none = match[1].lower() in {"no", "zero"} and not match[2].lower().endswith("s")
        if _supposed(sentence, match.start()) or singular_none:
            continue
        space = re.search(r"\bnamespace\s+['\"`]?([a-z0-9-]+)", sentence) or re.search(
            r"\bin\s+['\"`]?([a-z0-9-]+)", sentence
        )
        name = space[1] if space else ""
        subject = Culprit(kind="Namespace", name=name) if name in index.namespaces else None
        named = [one for one in mentions(sentence[: match.start()], index) if one.known]
        subject = named[-1].subject if named and subject is None else subject
        if subject is None and about is not None and match[2].lower().startswith("pod"):
            subject = about
        value = f"{NUMBERS.get(match[1].lower(), match[1])} {match[2].lower().removesuffix('s')}"
        yield Claim(kind="count", subject=subject, value=value, sentence=sentence)


def _once(found: list[Claim]) -> list[Claim]:
    """What is said in two sentences is kept twice: if it is false, both have to go."""
    return list({(*one.said, one.sentence): one for one in reversed(found)}.values())[::-1]
