"""Texts of a cluster within Markdown, Mermaid, SVG: whatever they hold, they stay texts.

Sources: GFM spec 2.4 (backslash escapes) and 6.1 (code spans); XML 1.0, 2.2 (characters) and 2.4 (character data).
"""

from __future__ import annotations

import re

from kubesteward_tools.text.fence import clean

_PUNCTUATION = re.compile(r"([\\`*_{}\[\]()#+!|~$])")
_MENTION = re.compile(r"@(?=\w)")
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp)(?=:)|\b(www)(?=\.)")
_WORD_JOINER = "\u2060"
"""Between the parts of what GitHub would make a mention or a link of; nothing is shown for it."""
_MERMAID = re.compile(r"[^\w \-./=,+']", re.ASCII)


def line(text: str, most: int = 800) -> str:
    """One line without what cannot be seen, of `most` characters: what is too long loses its middle, for refusals
    quote whole objects and say at their end why."""
    plain = " ".join(clean(text, len(text) + 1).split())
    if len(plain) <= most:
        return plain
    head = (most - 3) * 2 // 3
    return f"{plain[:head]} … {plain[len(plain) - (most - 3 - head) :]}"


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"


def markdown(text: str, most: int = 800) -> str:
    """Prose: no markup, HTML, link or mention comes of it, also in a cell of a table."""
    plain = _PUNCTUATION.sub(r"\\\1", line(text, most))
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    plain = _LINK.sub(rf"\g<0>{_WORD_JOINER}", _MENTION.sub(f"@{_WORD_JOINER}", plain))
    return re.sub(r"^([-=]|\d+(?=\.))", rf"{_WORD_JOINER}\1", plain)


def code(text: str, most: int = 300) -> str:
    """A code span, also in a cell of a table."""
    plain = line(text, most).replace("|", "¦") or " "
    longest = max((len(run) for run in re.findall(r"`+", plain)), default=0)
    ticks = "`" * (longest + 1)
    padding = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{ticks}{padding}{plain}{padding}{ticks}"


def mermaid(text: str, most: int = 80) -> str:
    """Only characters without a meaning in any of Mermaid's diagrams, and at least one: empty labels are errors."""
    return shortened(" ".join(_MERMAID.sub(" ", line(text)).split()), most).replace("…", "..") or "-"


def xml(text: str, most: int = 800) -> str:
    """Character data and attribute values."""
    plain = "".join(character for character in line(text, most) if character not in "\ufffe\uffff")
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return plain.replace('"', "&quot;").replace("'", "&#39;")
