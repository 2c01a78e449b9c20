"""Whether a value is a secret, or only stands where one could: a blank, a reference to elsewhere, a word of prose."""

from __future__ import annotations

import math
import re
from collections import Counter

from kubesteward_tools.text.shapes import compiled
from kubesteward_tools.text.standins import is_blank, is_call, is_file, is_object, is_reference

REDACTED = "[REDACTED]"
_STAND_INS = (
    *("xxxx", "****", "....", "your_", "your-", "insert_", "changeme", "redacted", "placeholder", "abcdefghijkl"),
    "example",
)
_CHANCE = 120
"""Characters of a random text; in longer ones even `xxxx` may stand by chance."""
_RUN = re.compile(r"(.)\1{15}")
_SMALL = re.compile(r"\d{1,6}")
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://\S*")
# Keys that point at a secret: passwordVariable, credentialsId, secretName, tokenRef, accessKeyPath.
_POINTER = (
    r"(?i)(?:id|name|variable|ref|key[_-]?ref|path|file|type|url|uri|endpoint|arn|policy|length|count|class|field|label"
    r"|prompt|regex|pattern|ttl|expiry|expiration|expires[_-]?(?:in|at)|timeout|duration|lifetime|issuer"
    r"|algorithm|audience|scope|input|subject|title|button|form|dir|directory|source|provider|mode|manager|strategy"
    r"|validator|handler|encoder)s?"
    r"[\"'\]\\]{0,12}\s{0,3}[=:!>]+\s*$"
)
_ALWAYS = r"(?i)pass|pwd"
_COUNT = r"(?i)tokens[\"'\]\\]{0,12}\s{0,3}[=:]+\s*$"


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def made_up(value: str) -> bool:
    """Whether a token of a known form is a stand-in, as documentation has: chance does not write `example` into one."""
    low = value.lower()
    words = _STAND_INS if len(value) <= _CHANCE else ()
    return any(word in low for word in words) or _RUN.search(low) is not None or _entropy(value[8:] or value) < 2


def belongs_to_key(value: str) -> bool:
    """Whether a value next to a secret's name is one: no reference to elsewhere, no call, no word of syntax."""
    return not is_reference(value) and not value.endswith("(") and sum(c.isalnum() for c in value) >= 3


def points_elsewhere(key: str) -> bool:
    return bool(compiled(_POINTER).search(key))


def left_blank(key: str, value: str) -> bool:
    """Whether the value waits to be filled in, or says where it is. A password can be any word, `changeme` too."""
    if compiled(_ALWAYS).search(key):
        return False
    if is_file(value) or ("secret" in key.lower() and is_object(value)):
        return True
    return is_blank(value) or bool(_RUN.search(value.lower())) or _too_even(value)


def _too_even(value: str) -> bool:
    """Of so many random characters, never so few different ones: `00000000-0000-0000-0000-000000000001`."""
    return len(value) >= 16 and _entropy(value) < 1.5


def is_done(value: str) -> bool:
    """Whether what was secret in it is replaced already, and what is left tells nothing: an address, or no more."""
    rest = value.replace(REDACTED, "")
    return rest != value and (_ADDRESS.fullmatch(value) is not None or sum(c.isalnum() for c in rest) < 3)


def certain(key: str, value: str) -> bool:
    """Whether an unquoted value is the secret and no prose: `token: expired` is a log's sentence, `DB_PASSWORD=abc`
    a setting."""
    if compiled(_ALWAYS).search(key):
        return True
    if is_call(value) or (value.isdigit() and compiled(_COUNT).search(key)):
        return False
    return len(value) >= 6 if key.endswith("=") else looks_random(value)


def is_set(name: str, value: str) -> bool:
    """Whether a variable with a secret's name has one for its value: `MAX_TOKENS=512` and `$(OTHER)` are none."""
    if compiled(_ALWAYS).search(name):
        return bool(value)
    return belongs_to_key(value) and not _SMALL.fullmatch(value)


def looks_random(value: str) -> bool:
    return len(value) >= 6 and (any(c.isdigit() for c in value) or _entropy(value) >= 3.2)


def unguessable(value: str) -> bool:
    """Whether it is one run of letters and digits that looks drawn by lot."""
    whole = re.fullmatch(r"[A-Za-z0-9+/=_-]{16,}", value) is not None
    return whole and any(c.isdigit() for c in value) and any(c.isalpha() for c in value) and _entropy(value) >= 3.5
