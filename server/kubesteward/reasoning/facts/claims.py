"""Takes the claims out of a text, by a grammar: what can be looked up, said of an object that can be found."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward.reasoning.facts.freer import ANY_IMAGE, FREER
from kubesteward.reasoning.facts.kinds import WORKLOADS
from kubesteward.reasoning.facts.markup import Table, plain, unstressed
from kubesteward.reasoning.facts.patterns import NUMBER, NUMBERS, PATTERNS, Pattern
from kubesteward.reasoning.facts.phrases import BARE, PHRASES
from kubesteward.reasoning.facts.subjects import Index, Mention, mentions, sentences
from kubesteward.reasoning.facts.values import AGES, LATE, value_of
from kubesteward.reasoning.loop.state import Claim, Culprit

_COUNT = re.compile(
    r"\b(?:there (?:are|is)|has|have|holds|runs|runs on|spans|contains|(?<!serves )(?<!serving )(?<!left )"
    r"with|consists of|finds?|"
    r"counts)\s+"
    r"(?:only |just |exactly )?"
    rf"{NUMBER}\s+"
    r"(pods?|deployments?|services?|nodes?|statefulsets?|daemonsets?|jobs?|configmaps?|namespaces?)\b(?!\s+of\s)",
    re.I,
)  # fmt: skip
_CONDITIONAL = re.compile(
    r"\b(?:would|could|should|might|may|raise|increase|roll(?:ing)? back|set|if|until|unless|perhaps|"
    r"needs? to)\b", re.I
)  # fmt: skip

_ADVICE = re.compile(r"\W*(?:were|had|should|expect|fix|to fix it|recommendation|advice|next|remedy)\b", re.I)
_NONE = re.compile(r"\b(?:none|no|neither|nor|zero|0|nothing|nobody|not (?:a|one) )\b", re.I)
_DENIES = re.compile(
    r"\b(?:nothing|nobody|not|no|never|none|neither|nor|without|rather than|instead of|unlike|than|"
    r"previous\w*|earlier|former\w*|"
    r"before|used to|rul\w+ out|exclud\w+|whether|cannot|avoid\w*|prevent\w*|risk\w*|will|typical\w*|usually|"
    r"common\w*|heading|headed|towards?|about to|close to|nearing|soon|eventually|threat\w*|forecast|"
    r"predict\w*|means?|meaning|called|possible|possibly|likely|suspect\w*|other|look\w*)\b|n't\b",
    re.I,
)
_AFTER_ALL = re.compile(
    r"[^.;,]{0,40}?\b(?:not|never|no longer|ruled out|excluded|refuted|unlikely|possible)\b|[^.;,]{0,40}?n't\b", re.I
)
_NONE_BEHIND = re.compile(
    r"[^.;,:]{0,60}:\s*(?:none|no|zero|0)\b|[^.;,:]{0,20}\bplay(?:s|ed)?\s+no\b|[^.;,:]{0,20}\b(?:is|are|was|were)\s+absent\b",
    re.I,
)
_SOME_ONLY = re.compile(
    r"\b(?:apart from|except|besides|other than)\b|\b(?:neither|none|no|nor|not one|not a single)\b[^.;,]{0,30}?"
    r"\b(?:ready|healthy|running|good|remaining|surviving)\b",
    re.I,
)
"""Words of a denial that is of some of the pods, or of other objects."""
_EXISTING = re.compile(
    r"\bexisting (?:\w+ )?pods\b|\bthat (?:do |actually )?(?:exist|were created|could be created|are there)\b", re.I
)
_QUOTA = re.compile(r"\bquota\b[^.;,]{0,40}$|\blimits\.memory\W{0,3}(?:\w+\W{1,3}){0,3}$", re.I)
_EVERY = re.compile(
    r"\b(?:all|every|each|both)\b(?!\s+(?:but|existing|remaining|created))(?!\s+(?:\d+|two|three|four|five|six)\s+of\b)",
    re.I,
)
_PODS = re.compile(r"\b(?:pods?|replicas?|instances?|copies|containers?)\b", re.I)
_NOT_SO = re.compile(
    r"(?:\b(?:not|never)|n't)(?:\s+(?:\w+ly|yet|ever|even|once|been|being|be|get|got|in|a|an)){0,4}\s*$", re.I
)
_OF_IT = re.compile(
    r"\b(?:pods?|replicas?|replica ?sets?|containers?|instances?|copy|copies|releases?|roll-?outs?|"
    r"versions?|revisions?|"
    r"changes?|troubles?|issues?|failures?|crash\w*|problems?|incidents?|outages?|events?|configmap|"
    r"secret|service|quota|cluster|namespace)\b",
    re.I,
)
_OTHERS = re.compile(
    r"\b(?:other|others|else|rest|remaining|elsewhere|old|older|previous|yet to|before|until|formerly|prior)\b", re.I
)
_NO_PROBE = re.compile(r"\b(?:no|not|without|lacks?|missing|add|neither|nor|a)\b", re.I)
_DENIED = re.compile(
    r"['\"`]?,?\s+(?:is|are|does|do|which|that|was)\s?(?:not|n't|no)\b|['\"`]?\s+(?:is )?(?:missing|lacking)", re.I
)


def extract(text: str, index: Index, about: Culprit | None = None) -> list[Claim]:
    """All claims, each with the object that it is said of: the last one named before it, or else the first after it,
    or else the one that the text is about. What is advised or supposed is no claim.
    """
    found, last, recent = list[Claim](), about, list[Culprit]()
    table = Table()
    for sentence in sentences(text):
        words = unstressed(table.read(sentence))
        named = mentions(words, index, about.namespace if about else "")
        subjects = [one.subject for one in named if one.known and one.subject.kind not in {"Node", "Namespace"}]
        recent = [*subjects, *recent][:8]
        found += [
            Claim(kind="exists", subject=one.subject, sentence=sentence, others=recent)
            for one in named
            if one.sure and (one.subject.kind or not _WERE_SO.match(words, one.end))
        ]
        said = [*_said(words, named, last), *_counts(words, index, about)]
        found += [claim.model_copy(update={"others": recent, "sentence": sentence}) for claim in said]
        last = subjects[0] if subjects else last
    return _once(found)


def _said(sentence: str, named: list[Mention], last: Culprit | None) -> Iterator[Claim]:
    taken: list[tuple[int, int, str]] = []
    for pattern, match in _matches(sentence):
        if (
            _supposed(sentence, match.start())
            or _WERE_SO.match(match.string, match.end())
            or _taken(match, pattern.kind, taken)
        ):
            continue
        if pattern in BARE and _denied(match, sentence):
            continue
        if _is_other(pattern.kind, match, sentence, named):
            continue
        taken.append((match.start(), match.end(), pattern.kind))
        value = value_of(pattern.kind, match)
        if pattern.kind == "state":
            value = _turned(value, pattern, match, sentence)
            if value.startswith("!") and _SOME_ONLY.search(sentence[: match.start()]):
                continue
        for subject in _subjects(pattern.kind, named, match, last):
            kind = _meant(pattern.kind, subject, sentence, match)
            yield Claim(kind=kind, subject=subject, value=value, sentence=sentence)


def _turned(value: str, pattern: Pattern, match: re.Match[str], sentence: str) -> str:
    """A state with `!` where it is denied, before or behind it, and with `*` where all are said to be in it."""
    if pattern not in BARE and _of_all(sentence, match):
        return f"*{value}"
    if not value.startswith("!") and (
        _NOT_SO.search(sentence[max(0, match.start() - 60) : match.start()])
        or _NONE_BEHIND.match(sentence, match.end())
    ):
        return f"!{value}"
    if _NONE.search(_clause(sentence, match.start())):
        return value[1:] if value.startswith("!") else f"!{value}"
    return value


def _meant(kind: str, subject: Culprit | None, sentence: str, match: re.Match[str]) -> str:
    """What is made or old may be something of the object that was named, as a pod of a Deployment."""
    if kind != "created" or subject is None or subject.kind not in WORKLOADS:
        return kind
    return "moment" if _OF_IT.search(_clause(sentence, match.end())) else kind


def _matches(sentence: str) -> Iterator[tuple[Pattern, re.Match[str]]]:
    """In the order in which they count, on the sentence as it stands and without its emphasis."""
    texts = dict.fromkeys((sentence, plain(sentence)))
    for pattern in (*PHRASES, *PATTERNS, *FREER, *BARE):
        for text in texts:
            for match in pattern.words.finditer(text):
                yield pattern, match


def _denied(match: re.Match[str], sentence: str) -> bool:
    behind = _AFTER_ALL.match(sentence, match.end())
    return _DENIES.search(_clause(sentence, match.start())) is not None or behind is not None


_NOT_THEN = re.compile(r"\b(?:not|never|no|none|every|each|wait\w*|within)\b|n't\b", re.I)
_OFFERED = re.compile(
    r"\b(?:use|push|build|publish|try|switch|back|instead|meant|intended|correct|probably|presumably|"
    r"previous\w*|earlier|"
    r"old|older|before)\b|\b(?:not|never|no|without)\s+(?:\w+\s+){0,2}['\"`]?\w+\.",
    re.I,
)
_NO_EXIT = re.compile(r"(?:\b(?:no|not|never|without|nor)\b|n't\b)[\w\s]{0,20}$", re.I)
_TOLD = frozenset({"last one", "not made", "owner", "its node", "part", "updated"})
"""Kinds of claims in free words, that a word of denial or of likelihood anywhere before them turns into others."""
_OF_ALL = frozenset({"share", "unready", "ready", "ready count", "unready of", "state count", "lost"})
"""Kinds of claims that `not` before them turns into others: not all are down."""
_UNDENIED = frozenset(
    {
        "percent",
        "pressure",
        "quota used",
        "disruptions",
        "size",
        "probe fails",
        "throttled",
        "lasting",
        "pods on",
        "node",
        "down",
        "up",
    }
)
"""Kinds of claims that are read only where nothing denies them."""


def _is_other(kind: str, match: re.Match[str], sentence: str, named: list[Mention]) -> bool:
    """Whether the words that a pattern found say something else here."""
    if kind == "label":
        return _DENIED.match(sentence, match.end()) is not None
    if kind == "probe":
        before = _NO_PROBE.search(_clause(sentence, match.start()))
        return before is not None or _AFTER_ALL.match(sentence, match.end()) is not None
    if kind == "version" and match[0][:1].isspace():  # only right behind a name
        return not any(one.known and 0 <= match.start() - one.end <= 1 for one in named)
    if kind == "absent":  # something of it is missing, as a key of a ConfigMap
        return not any(0 <= match.start() - one.end <= 2 for one in named if one.sure)
    if kind in _OF_ALL and re.search(r"\bnot\s+$", sentence[: match.start()], re.I):
        return True
    if kind in _UNDENIED and (_denied(match, sentence) or _DENIES.search(match[0]) is not None):
        return True
    return _is_of_others(kind, match, _clause(sentence, match.start()), sentence)


def _is_of_others(kind: str, match: re.Match[str], clause: str, sentence: str) -> bool:
    """Whether it is said of some part of the object, of others than it, of another time, or of what is to come."""
    if kind in {"up", "down"}:
        return _SOME_OF_IT.search(clause[-60:]) is not None
    if kind in {"state", "share"}:
        return _OTHERS.search(f"{clause} {match[0]}") is not None or _EXISTING.search(sentence) is not None
    if kind == "memory limit":
        return _QUOTA.search(sentence[: match.start()]) is not None
    if kind == "moment":
        return _NOT_THEN.search(clause) is not None
    if kind == "image":
        return match.re is ANY_IMAGE.words and _OFFERED.search(sentence) is not None
    if kind == "any":
        return _AFTER_ALL.match(sentence, match.end()) is not None
    if kind == "exit":
        return _NO_EXIT.search(clause[-60:]) is not None
    denied = kind in {"not made", "updated"} or _DENIES.search(match[0]) is None
    return kind in _TOLD and (_denied(match, sentence) or not denied)


def _of_all(sentence: str, match: re.Match[str]) -> bool:
    before = _clause(sentence, match.start())
    return _EVERY.search(before) is not None and _PODS.search(before) is not None and not _NONE.search(before)


def _clause(sentence: str, at: int) -> str:
    return re.split(r"[,:]\s|\s(?:and|but|because|so)\s", sentence[:at])[-1]


def _supposed(sentence: str, at: int) -> bool:
    """Whether what stands there is advice or a supposition: one of its words stands before it in the same clause."""
    return _ADVICE.match(sentence) is not None or _CONDITIONAL.search(_clause(sentence, at)) is not None


_WERE_SO = re.compile(
    r"[^.;,]{0,30}?\b(?:would|could|should|might)\b"
    r"(?!\s+(?:not\s+)?be\s+(?:created|pulled|found|scheduled|made)\b)",
    re.I,
)
_SOME_OF_IT = re.compile(
    r"\b(?:first|second|third|newest|older?|new|other|rest|remaining|existing|two|three|four|five)"
    r"\b[\w\s]{0,24}$",
    re.I,
)


def _taken(match: re.Match[str], kind: str, taken: list[tuple[int, int, str]]) -> bool:
    return any(begin < match.end() and match.start() < end and _covers(other, kind) for begin, end, other in taken)


def _covers(kind: str, other: str) -> bool:
    """Whether words that were read as the one are not to be read as the other as well."""
    if kind in AGES and other in AGES and other in LATE:
        return True
    return kind == other or other in _COVERED.get(kind, ())


_COVERED = {
    "nodes": {"state", "unready"},
    "state count": {"state", "ready"},
    "unready of": {"state", "unready", "ready", "part", "ready count"},
    "ready": {"ready count", "unready", "state", "existing", "share"},
    "unready": {"ready count", "state", "ready"},
    "ready count": {"state", "unready"},
    "part": {"share", "down", "up", "state"},
    "existing": {"not made", "ready"},
    "quota used": {"ready"},
    "percent": {"state"},
    "changed": {"last changed"},
    "last changed": {"changed"},
    "quota full": {"share"},
    "share": {"down", "up"},
    "down": {"pressure"},
}


_JOINED = re.compile(r"[\s`'\"*]*(?:,|and|&|,\s*and|as well as)[\s`'\"*]*", re.I)


def _subjects(kind: str, named: list[Mention], match: re.Match[str], last: Culprit | None) -> list[Culprit | None]:
    """The one that it is said of, and those that an `and` joins to it."""
    plain_ = [one for one in named if one.subject.kind not in {"Node", "Namespace"}] or (
        named if kind not in {"node", "its node", "owner"} else []
    )
    if kind == "owner":
        plain_ = [one for one in plain_ if one.at < match.start()]
    inside = [one for one in plain_ if match.start() <= one.at < match.end()]
    before = [one for one in plain_ if one.at < match.start()]
    after = [one for one in plain_ if one.at >= match.end()]
    if inside or not before:
        first = (inside or after)[:1]
        return [first[0].subject] if first else [last]
    found: list[Culprit | None] = [before[-1].subject]
    for one, other in zip(before[-2::-1], before[:0:-1], strict=False):
        if not _JOINED.fullmatch(match.string, one.end, other.at):
            break
        found.append(one.subject)
    return found


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
