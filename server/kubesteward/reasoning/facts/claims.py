"""Takes the claims out of a text, by a grammar: what can be looked up, said of an object that can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubesteward.reasoning.facts.subjects import Index, Mention, mentions, sentences
from kubesteward.reasoning.loop.state import Claim, Culprit

STATES = (
    "CreateContainerConfigError",
    "CreateContainerError",
    "InvalidImageName",
    "ContainerCreating",
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "RunContainerError",
    "ContainerCannotRun",
    "PodInitializing",
    "Unschedulable",
    "OOMKilled",
    "OOM-killed",
    "OOM killed",
    "crash-looping",
    "crashlooping",
    "crash looping",
    "out of memory",
    "Terminating",
    "Completed",
    "Succeeded",
    "NotReady",
    "not ready",
    "unready",
    "Pending",
    "Evicted",
    "Running",
    "Failed",
    "ready",
)
_SPELT = "no one two three four five six seven eight nine ten eleven twelve"
NUMBERS: Mapping[str, int] = {word: number for number, word in enumerate(_SPELT.split())} | {
    "none": 0,
    "zero": 0,
    "once": 1,
    "twice": 2,
    "all": -1,
}
_N = rf"(\d+|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
_STATE = "|".join(map(re.escape, STATES))
_AGO = r"(\d+(?:\.\d+)?)\s*(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_QUANTITY = r"(\d+(?:\.\d+)?(?:m|[KMGT]i?B?|)?)\b"
_TIME = r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z)"
_THINGS = r"(?:pods?|replicas?|containers?|instances?|endpoints?|copies)"
_OF = r"(?:\s+of\s+[\w/' -]{1,80}?)?"


@dataclass(frozen=True)
class Pattern:
    """`kind` of claim; the groups of `words` become its value, joined by `/`."""

    kind: str
    words: re.Pattern[str]


def _pattern(kind: str, words: str) -> Pattern:
    return Pattern(kind, re.compile(words, re.I))


PATTERNS: tuple[Pattern, ...] = (
    _pattern(
        "state",
        rf"\b(?:is|are|was|were|been|being|keeps? being|gets?|got|in|stays?|remains?|stuck in|becomes?|"
        rf"ended(?: as)?|state:?|status:?|reason:?|terminated with reason|by being)\s+"
        rf"(not |no longer |never )?(?:in |currently |now |still |again |all |both |stuck in |repeatedly |being )*"
        rf"['\"`]?({_STATE})\b(?!\s*:)",
    ),
    _pattern("state", rf"\b(not |no )?({'|'.join(STATES[:-8])})\s+(?:pods?|containers?|state|status)\b"),
    _pattern("state", r"\bran (out of memory)\b()"),
    _pattern(
        "ready",
        rf"\b{_N} of (?:the |its |all )?{_N} {_THINGS}{_OF}\s*(?:\s(?:are|is|were|was))?\s+(?:\w+ly\s+)?"
        r"(ready|available|running|healthy|up)\b",
    ),
    _pattern("ready", rf"\b{_N} (?:out )?of {_N}\s+()(?:are |is )?(?:ready|available|healthy)\b"),
    _pattern("ready", r"\b(?:replicas?|ready|pods|availability)(?:\s+(?:is|are|at|of|only))*[\s:=]+(\d+)/(\d+)()\b"),
    _pattern("ready", rf"\b(\d+)/(\d+) ()(?:{_THINGS}|ready|available)\b"),
    _pattern(
        "desired",
        rf"\b(?:has|have|runs?|wants|asks for|scaled to|with|set to|desires|configured for)\s+"
        rf"(?:only\s+|just\s+)?{_N}\s+(?:desired |wanted )?(?:replicas?|copies|instances)\b",
    ),
    _pattern(
        "unready",
        rf"\b{_N}(?: of its| of the)?\s+(?:pods?|replicas?){_OF}\s+(?:is|are) (?:not|un)\s?-?(?:ready|available)",
    ),
    _pattern("restarts", rf"\b{_N} restarts?\b"),
    _pattern("restarts", rf"\brestart(?:ed|s)\s+(?:about |some |already )?{_N}(?:\s+times)?\b"),
    _pattern("restarts", r"\brestart ?count(?:\s+(?:is|of))?[\s:=]+(\d+)\b"),
    _pattern(
        "exit",
        r"\b(?:exit(?:ed|s)?|exit code|ended|terminated|died|dies|fails?|failed)\s+"
        r"(?:with\s+)?(?:an?\s+)?(?:exit\s+)?(?:status\s+|code\s+)?(?:of\s+)?(\d{1,3})\b(?!\s*(?:times|min|sec|h|m|s|d|pods?))",
    ),
    _pattern("exit", r"\bexit (?:code|status)[\s:=]+(\d{1,3})\b"),
    _pattern(
        "image",
        r"\bimages?\s+(?:is\s+|of\s+|to\s+|tag\s+)?['\"`]?((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w][\w.-]*\w(?:@sha256:[0-9a-f]+)?)",
    ),
    _pattern(
        "image",
        r"\b(?:runs|running|uses|using|pulls?|at)\s+(?:the\s+)?(?:image\s+)?['\"`]?"
        r"((?:[\w.-]+(?::\d+)?/)+[\w.-]+:[\w][\w.-]*\w)",
    ),
    _pattern("since", rf"\bsince\s+{_TIME}"),
    _pattern(
        "created", rf"\b(?:created|made|came into being|added|born)\s+(?:about |some |around |only )?{_AGO}\s+ago\b"
    ),
    _pattern("created", rf"\bis\s+(?:about |only )?{_AGO}\s+old\b"),
    _pattern("created", rf"\bage(?:\s+is|\s+of)?[\s:]+{_AGO}\b"),
    _pattern(
        "changed",
        rf"\b(?:changed|updated|rolled out|deployed|modified|rollout|roll-out|released|upgraded|edited)"
        rf"(?:\s+(?:was|happened|began|started))?\s+(?:about |some |around |only )?{_AGO}\s+ago\b",
    ),
    _pattern("scaled", rf"\bscaled(?:\s+(?:up|down))?\s+(?:about |some |around |only )?{_AGO}\s+ago\b"),
    _pattern("node", r"\b(?:on|onto|to)\s+(?:the\s+)?(?:node\s+)['\"`]?([a-z0-9][a-z0-9.-]*[a-z0-9])"),
    _pattern(
        "node",
        r"\b(?:runs?|running|scheduled|placed|sits?|assigned)\s+(?:on|to)\s+['\"`]?([a-z][a-z0-9.-]*-[a-z0-9.-]*[a-z0-9])",
    ),
    _pattern(
        "label",
        r"\b(?:labels?|labell?ed|selector|selects?|selecting)\b(?:\s+(?:is|on|of|with|pods|by|the|label|for))*[\s:'\"`]+"
        r"([\w./-]+\s?=\s?[\w.-]+)",
    ),
    _pattern(
        "port", r"\b(?:(?:target|container|node)?\s?-?ports?)(?:\s+(?:is|of|to|at|number))*[\s:]+['\"`]?(\d{1,5})\b"
    ),
    _pattern(
        "port", r"\b(?:listens?|listening|serves?|serving|exposes?|reached)\s+(?:on|at)\s+(?:port\s+)?:?(\d{2,5})\b"
    ),
    _pattern(
        "memory limit", rf"\bmemory limits?(?:\s+(?:is|of|at|to|was|are|only|just))*\s+(?:only |just )?{_QUANTITY}"
    ),
    _pattern("memory limit", rf"\blimits?\.memory(?:\s+(?:is|of|at))?[\s:=]+{_QUANTITY}"),
    _pattern("memory request", rf"\bmemory requests?(?:\s+(?:is|of|at))*\s+{_QUANTITY}"),
    _pattern("cpu limit", rf"\bcpu limits?(?:\s+(?:is|of|at))*\s+{_QUANTITY}"),
    _pattern("cpu request", rf"\bcpu requests?(?:\s+(?:is|of|at))*\s+{_QUANTITY}"),
    _pattern(
        "event",
        r"\bevents?\s+(?:of (?:type |reason )?|named |with reason |reason |say |says |tell of |show |shows )?['\"`]"
        r"([A-Z][A-Za-z]{3,40})['\"`]",
    ),
    _pattern("event", r"\b((?-i:[A-Z][a-z]+[A-Z][A-Za-z]{2,40}|BackOff|Unhealthy|Killing|Evicted|Failed)) events?\b"),
    _pattern(
        "log",
        r"\blogs?\b[^.'\"`]{0,60}?\b(?:say|says|said|show|shows|contain|contains|read|reads|line|lines|with|has|have|"
        r"end with|ends with)[\s:]+['\"`]([^'\"`]{4,200})['\"`]",
    ),
    _pattern("revision", r"\b(?:is at|at|on|runs|now at)\s+revision\s+(\d+)\b"),
    _pattern("absent", r"\b(?:does not|doesn't|did not|didn't) exist()\b"),
    _pattern("absent", r"\b(?:is|was) (?:missing|absent|not there|gone|nonexistent|deleted)()\b"),
    _pattern("endpoints", rf"\b(?:has|have|with)\s+{_N} (?:ready )?endpoints?\b"),
    _pattern("ready count", rf"\b{_N} (?:ready|available|healthy) (?:replicas?|pods?|copies)\b"),
    _pattern("running", rf"\b(?:running|up|alive)\s+for\s+(?:about |some |over )?{_AGO}\b"),
    _pattern(
        "ended",
        rf"\b(?:died|crashed|ended|was killed|was OOM-?\s?killed|failed|restarted)\s+(?:last\s+)?(?:about )?{_AGO}\s+ago\b",
    ),
    _pattern(
        "changed",
        rf"\b(?:roll-?out|deployment|change|release|update)(?:\s+of\s+[\w/' -]{{1,60}}?)?\s+"
        rf"(?:was|happened|began|started|came)\s+(?:about |some |only )?{_AGO}\s+ago\b",
    ),
    _pattern("image", r"\bimages?\s+of\s+[\w/' -]{1,60}?\s+is\s+['\"`]?((?:[\w.-]+(?::\d+)?/)*[\w.-]+:[\w][\w.-]*\w)"),
    _pattern(
        "image",
        r"\b(?:runs|running|uses|using)\s+(?:the\s+)?(?:image\s+)?['\"`]?([a-z][\w.-]*:(?:latest|v?\d[\w.-]*))\b",
    ),
    _pattern("memory limit", rf"\blimited to\s+{_QUANTITY} of memory\b"),
    _pattern("container", r"\bcontainers?\s+['\"`]([a-z0-9][a-z0-9-]*)['\"`]"),
)
_COUNT = re.compile(
    r"\b(?:there (?:are|is)|has|have|holds|runs|contains|with|consists of|finds?|counts)\s+(?:only |just |exactly )?"
    rf"{_N}\s+"
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
}
_CONDITIONAL = re.compile(
    r"\b(?:would|could|should|might|may|raise|increase|roll(?:ing)? back|set|if|until|unless|perhaps|needs? to)\b", re.I
)  # fmt: skip

_ADVICE = re.compile(r"\W*(?:fix|to fix it|recommendation|advice|next|remedy)\b", re.I)
_NONE = re.compile(r"\b(?:none|no|neither|nor|zero|0)\b", re.I)
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
            if pattern.kind == "absent" and not any(0 <= match.start() - one.end <= 2 for one in named if one.sure):
                continue  # something of it is missing, as a key of a ConfigMap
            taken.append((match.start(), match.end(), pattern.kind))
            value = _value(pattern.kind, match)
            if pattern.kind == "state" and _NONE.search(_clause(sentence, match.start())):
                value = value[1:] if value.startswith("!") else f"!{value}"
            yield Claim(kind=pattern.kind, subject=_subject(named, match, last), value=value, sentence=sentence)


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
        return f"{groups[0]}{groups[1][0].lower()}"
    if kind == "label":
        return groups[0].replace(" ", "").rstrip(".")
    return groups[0].rstrip(".")


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
    return list({(one.kind, str(one.subject), one.value): one for one in reversed(found)}.values())[::-1]
