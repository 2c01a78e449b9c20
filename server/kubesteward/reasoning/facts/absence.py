"""Whether a sentence names something because it is not there: what is wanted stands behind the words that want it, what
is gone stands before the words that say so.
"""

from __future__ import annotations

import re

_WANTED = (
    r"not find|n't find|without|lack\w*|needs?|needed|create\w*|creating|cannot|can't|refus\w+(?! by)|wants?|"
    r"asks? for|points? (?:to|at)|refers? to|reference\w*|expects?|not found|forbidden|does not exist|"
    r"deleted|mounts?|"
    r"names?|routes? to|looks? for|waits? for|misspel\w+"
)
_NONE = r"no|missing|not found|nonexistent|unknown|absent|neither|nor|not exist|never (?:created|made)"
_GONE = (
    r"missing|not exist|n't exist|not found|nonexistent|absent|gone|not there|not bound|deleted|unknown|forbidden|"
    r"never (?:created|made|existed)|not (?:been )?(?:created|known)|removed|misspel\w+|lacking|refused"
)
_NEAR = 80


def is_gone(sentence: str, name: str) -> bool:
    """Whether it says of it that it is not there."""
    sentence = re.sub(r"\([^()]*\)", "", sentence)  # what is added in brackets comes between
    named = rf"(?<![\w.-]){re.escape(name)}(?![\w-])"
    behind = rf"{named}[^;,\n]{{0,{_NEAR}}}?\b(?:{_GONE})\b"
    before = rf"\b(?:{_NONE})\b[^;:,\n]{{0,40}}?{named}"
    return re.search(f"{behind}|{before}", sentence, re.I) is not None


def is_wanted(sentence: str, name: str) -> bool:
    """Whether something else wants it, so that it need not be there."""
    found = rf"\b(?:{_WANTED})\b[^;\n]{{0,{_NEAR}}}?(?<![\w.-]){re.escape(name)}(?![\w-])"
    match = re.search(found, sentence, re.I)
    return (
        match is not None
        and _IS_IT.search(sentence[max(0, match.end() - len(name) - 60) : match.end() - len(name)]) is None
    )


_IS_IT = re.compile(r"\b(?:is|are|was|by)\s+(?:the\s+|called\s+|named\s+)?(?:[A-Za-z]+\s+)?['\"`]*$", re.I)
"""Before a name: what is wanted may be said before it, but not of it."""

_MISSED = re.compile(rf"\b(?:missing|lacking|because|so|{_WANTED.replace('|does not exist|deleted', '')})\b", re.I)
_SUPPOSED = re.compile(r"\b(?:if|unless|would|were|could|whether)\b", re.I)


def is_missed(sentence: str) -> bool:
    """Whether it says that something misses what is not there, and not merely that it is not there."""
    return _MISSED.search(sentence) is not None and _SUPPOSED.search(sentence) is None


_IS_THERE = re.compile(
    r"\b(?:exists?|existed|is there|present|in place|(?:was|were|is|been) (?:changed|updated|created|"
    r"edited|bound|healthy|"
    r"ready|mounted|loaded|found|fine))\b",
    re.I,
)


def says_it_is(sentence: str) -> bool:
    """Whether it says of something that it is there."""
    return _IS_THERE.search(sentence) is not None and re.search(r"\b(?:not|never|no)\b|n't\b", sentence, re.I) is None
