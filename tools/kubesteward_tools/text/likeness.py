"""Whether a value is a secret, or only stands where one could: a blank, a reference to elsewhere, a word of prose."""

from __future__ import annotations

import math
import re
from collections import Counter

from kubesteward_tools.text.shapes import compiled

REDACTED = "[REDACTED]"
_BLANKS = ("xxxx", "****", "....", "your_", "your-", "insert_", "changeme", "redacted", "placeholder", "abcdefghijkl")
_STAND_INS = (*_BLANKS, "example", "username:password", "user:password")
_CHANCE = 120
"""Characters of a random text; in longer ones even `xxxx` may stand by chance."""
_RUN = re.compile(r"(.)\1{15}")
_REFERENCES = ("${", "$(", "{{", "%{", "<", "[", "$", "var.", "process.env", "os.", "env.", "valuefrom")
_NOTHING = frozenset({"null", "none", "true", "false", "undefined", "nil"})
_SMALL = re.compile(r"\d{1,6}")
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*://\S*")
# Keys that point at a secret: passwordVariable, credentialsId, secretName, tokenRef, accessKeyPath.
_POINTER = (
    r"(?i)(?:id|name|variable|ref|key[_-]?ref|path|file|type|url|policy|length|count|class)s?"
    r"[\"'\]\\]{0,12}\s{0,3}[=:!>]+\s*$"
)
_ALWAYS = r"(?i)pass|pwd"


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def made_up(value: str) -> bool:
    """A stand-in such as documentation has: nothing is lost by showing it."""
    low = value.lower()
    words = _STAND_INS if len(value) <= _CHANCE else ()
    return any(word in low for word in words) or _RUN.search(low) is not None or _entropy(value[8:] or value) < 2


def belongs_to_key(value: str) -> bool:
    """Whether a value next to a secret's name is one: no reference to elsewhere, no call, no word of syntax."""
    low = value.lower()
    if low in _NOTHING or low.startswith(_REFERENCES) or low.endswith("("):
        return False
    return sum(c.isalnum() for c in value) >= 3


def points_elsewhere(key: str) -> bool:
    return bool(compiled(_POINTER).search(key))


def left_blank(key: str, value: str) -> bool:
    """Whether the value waits to be filled in. A password can be any word, `changeme` too."""
    low = value.lower()
    return not compiled(_ALWAYS).search(key) and (any(word in low for word in _BLANKS) or bool(_RUN.search(low)))


def is_done(value: str) -> bool:
    """Whether what was secret in it is replaced already, and what is left tells nothing: an address, or no more."""
    rest = value.replace(REDACTED, "")
    return rest != value and (_ADDRESS.fullmatch(value) is not None or sum(c.isalnum() for c in rest) < 3)


def certain(key: str, value: str) -> bool:
    """Whether an unquoted value is the secret and no prose: `token: expired` is a log's sentence, `DB_PASSWORD=abc`
    a setting."""
    if compiled(_ALWAYS).search(key):
        return True
    return len(value) >= 6 if key.endswith("=") else looks_random(value)


def is_set(name: str, value: str) -> bool:
    """Whether a variable with a secret's name has one for its value: `MAX_TOKENS=512` and `$(OTHER)` are none."""
    if compiled(_ALWAYS).search(name):
        return bool(value)
    return belongs_to_key(value) and not _SMALL.fullmatch(value)


def looks_random(value: str) -> bool:
    return len(value) >= 6 and (any(c.isdigit() for c in value) or _entropy(value) >= 3.2)
